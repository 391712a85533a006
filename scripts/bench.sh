#!/usr/bin/env bash
# Measures the release build beside what people use instead; see benches/run.py --help.
. "$(dirname "$0")/lib.sh"

install_python opentelemetry-sdk -c constraints.txt
PERSIST_CARGO_PROFILE=release scripts/build.sh
python benches/run.py "$@"
