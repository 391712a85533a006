#!/usr/bin/env bash
# Installs what the project needs into .venv; does nothing when that is up to date.
. "$(dirname "$0")/lib.sh"

for tool in cargo cc; do
  command -v "$tool" >/dev/null || { echo "error: $tool is missing: install Rust and a C compiler" >&2; exit 1; }
done
if command -v dpkg >/dev/null && [ "$(id -u)" = 0 ]; then
  need_packages jq zstd strace pigz postgresql
fi
if command -v rustup >/dev/null; then
  rustup component add rustfmt clippy >/dev/null 2>&1 || true
fi

stamp=$venv/.stamp
wanted=$(cat requirements-dev.txt constraints.txt | sha256sum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
  exit 0
fi
[ -x "$venv/bin/python" ] || "$(find_python)" -m venv "$venv"
"$venv/bin/python" -m pip install -q -c constraints.txt uv
install_python -r requirements-dev.txt -c constraints.txt
echo "$wanted" >"$stamp"
