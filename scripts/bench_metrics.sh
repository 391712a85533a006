#!/usr/bin/env bash
# Measures what observing takes of a small snapshot; see benches/metrics.py --help.
. "$(dirname "$0")/lib.sh"

if ! command -v valgrind >/dev/null && command -v dpkg >/dev/null && [ "$(id -u)" = 0 ]; then
  need_packages valgrind
fi
# Line tables say which source an instruction comes from; they change no instruction.
export CARGO_PROFILE_RELEASE_DEBUG=line-tables-only CARGO_PROFILE_RELEASE_STRIP=none
PERSIST_CARGO_PROFILE=release scripts/build.sh
python benches/metrics.py "$@"
