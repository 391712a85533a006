#!/usr/bin/env bash
# Formats Rust, Python and TOML in place.
. "$(dirname "$0")/lib.sh"
scripts/bootstrap.sh

cargo fmt --all
ruff check --silent --fix --exit-zero .
ruff format --quiet .
RUST_LOG=error taplo format
