#!/usr/bin/env bash
# Checks format, lints, types, rooms and spelling; changes nothing.
. "$(dirname "$0")/lib.sh"
scripts/bootstrap.sh

cargo fmt --all --check
cargo clippy --workspace --all-targets --all-features --profile "$profile" --quiet -- -D warnings
ruff format --check --quiet .
ruff check --quiet .
mypy
(cd persist-python && PYTHONPATH=python lint-imports)
typos
RUST_LOG=error taplo format --check
