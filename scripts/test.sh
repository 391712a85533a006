#!/usr/bin/env bash
# Runs the tests; --quick leaves out those that take long.
. "$(dirname "$0")/lib.sh"

if [ "${1:-}" = --quick ]; then
  cargo test --workspace --all-features --profile "$profile" --quiet
  pytest -q -n auto -m "not slow" persist-python/tests
  exit
fi
step "generated files" scripts/gen.sh --check
step "cargo test --workspace --all-features" cargo test --workspace --all-features --profile "$profile"
step "cargo test -p persist-core --no-default-features" \
  cargo test -p persist-core --no-default-features --profile "$profile"
step "documentation" scripts/docs.sh
step "demo" scripts/demo.sh
step "instructions" scripts/instructions.sh
step "pytest in persist-python" bash -c 'cd persist-python && pytest -q -n auto --cov=persist --cov-report=term:skip-covered'
# Without coverage: its trace function, and the audit hook of tests/attacks, are no good together.
# They wait for servers more than they work: two processes for each core. Each starts servers of its
# own; one with nothing left to do takes half of what another has.
step "pytest" pytest -q -n "$((2 * $(nproc)))" --dist worksteal tests
