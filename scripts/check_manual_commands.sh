#!/usr/bin/env bash
# The commands that README and docs tell a developer to type, each as typed; test.sh has the tests'.
. "$(dirname "$0")/lib.sh"
scripts/bootstrap.sh

# `pip install` from this folder into a new environment, then the main job without any framework.
check_install() {
  local fresh
  fresh=$(mktemp -d)
  "$(find_python)" -m venv "$fresh"
  (cd "$1" && "$fresh/bin/pip" install --quiet .)
  (cd "$fresh" && bin/python -c 'import persist; assert persist.loads(persist.dumps([(1,)])) == [(1,)]')
  "$fresh/bin/persist" --version
  rm -rf "$fresh"
}

# That they build is the question, not how fast the result is: a third of the time.
export CARGO_PROFILE_RELEASE_{OPT_LEVEL=0,CODEGEN_UNITS=16,LTO=off}
export VIRTUAL_ENV=$venv
step "cargo build --release -p persist-core" cargo build --release -p persist-core
step "cargo build --release -p persist-cli" cargo build --release -p persist-cli
step "maturin develop --release" bash -c 'cd persist-python && maturin develop --release --quiet'
step "cargo test --doc" cargo test --doc
step "pip install . from the root" check_install .
step "pip install . from persist-python" check_install persist-python
step "make format" make format
