#!/usr/bin/env bash
# Counts the instructions of the core and compares them; see benches/instructions.py.
. "$(dirname "$0")/lib.sh"

if ! command -v valgrind >/dev/null && command -v dpkg >/dev/null && [ "$(id -u)" = 0 ]; then
  need_packages valgrind
fi
if ! command -v valgrind >/dev/null; then
  echo "valgrind is not installed: instructions are not counted" >&2
  exit
fi
python benches/instructions.py "$@"
