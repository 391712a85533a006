#!/usr/bin/env bash
# Makes the generated files; with --check, says whether they are up to date.
. "$(dirname "$0")/lib.sh"
check=${1:-}

python scripts/gen_root_pyproject.py $check
python scripts/gen_errors_page.py $check
python scripts/gen_dashboard.py $check
python scripts/gen_metrics_page.py $check
python scripts/gen_environment_page.py $check
python tests/fidelity/matrix.py $check
stubs=$(mktemp -d)
trap 'rm -rf "$stubs"' EXIT
(cd persist-python && VIRTUAL_ENV=$venv maturin generate-stubs --quiet --profile "$profile" --out "$stubs")
stub=persist-python/python/persist/_persist.pyi
if [ "$check" = --check ]; then
  diff "$stubs/persist/_persist.pyi" "$stub" || { echo "error: $stub is not up to date; run \`make gen\`" >&2; exit 1; }
  python -m mypy.stubtest persist._persist
else
  cp "$stubs/persist/_persist.pyi" "$stub"
  python tests/vectors/generate.py
  INSTA_UPDATE=always cargo test --quiet -p persist-cli --profile "$profile" >/dev/null
fi
