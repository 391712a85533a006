#!/usr/bin/env bash
# Pins what pip installs, for every Python that the project supports, in constraints.txt.
. "$(dirname "$0")/lib.sh"
[ -x "$venv/bin/uv" ] || scripts/bootstrap.sh

{
  echo "# Made by \`make lock\`."
  uv pip compile --quiet --universal --python-version 3.10 --upgrade --no-annotate --no-header \
    --no-emit-index-url requirements-dev.txt requirements-servers.txt persist-python/pyproject.toml
} >constraints.new
mv constraints.new constraints.txt

{
  echo "# Made by \`make lock\`: a server whose packages are kept apart from ours."
  uv pip compile --quiet --universal --python-version 3.10 --upgrade --no-annotate --no-header \
    --no-emit-index-url - <<<arize-phoenix
} >tests/servers/phoenix.txt
