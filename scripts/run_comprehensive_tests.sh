#!/usr/bin/env bash
# Everything that build-and-test.sh does, then the Python tests on every Python that is here.
. "$(dirname "$0")/lib.sh"

on_python() {
  local fresh
  fresh=$(mktemp -d)
  "$1" -m venv "$fresh"
  "$fresh/bin/pip" install --quiet -r requirements-dev.txt -r requirements-servers.txt -c constraints.txt \
    ./persist-python
  "$fresh/bin/python" -m pytest -q persist-python/tests tests
  rm -rf "$fresh"
}

./build-and-test.sh "$@"
for version in 3.10 3.11 3.12 3.13 3.14; do
  if "python$version" -c "import venv" 2>/dev/null; then
    step "Python $version" on_python "python$version"
  fi
done
