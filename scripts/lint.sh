#!/usr/bin/env bash
# Checks format, lints, types, rooms and spelling; changes nothing.
. "$(dirname "$0")/lib.sh"
scripts/bootstrap.sh

# Shows the output of a command only when it fails.
quietly() {
  local report
  report=$("$@" 2>&1) || { echo "$report" >&2; return 1; }
}

cargo fmt --all --check
cargo clippy --workspace --all-targets --all-features --profile "$profile" --quiet -- -D warnings
cargo clippy -p persist-core --no-default-features --all-targets --profile "$profile" --quiet -- -D warnings
quietly cargo deny --all-features check bans licenses sources
quietly cargo shear
ruff format --check --quiet .
ruff check --quiet .
quietly mypy
export PYTHONPATH=$root/persist-python/python
quietly basedpyright --verifytypes persist --ignoreexternal
(cd persist-python && quietly lint-imports)
typos
RUST_LOG=error taplo format --check
