#!/usr/bin/env bash
# Runs the tests; --quick leaves out those that take long.
. "$(dirname "$0")/lib.sh"

if [ "${1:-}" = --quick ]; then
  cargo test --workspace --all-features --profile "$profile" --quiet
  pytest -q -c persist-python/pyproject.toml -m "not slow" persist-python/tests
  exit
fi
step "cargo test" cargo test --workspace --all-features --profile "$profile"
step "pytest" pytest -q --cov=persist --cov-report=term:skip-covered -c persist-python/pyproject.toml persist-python/tests tests
