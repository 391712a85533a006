#!/usr/bin/env bash
# Sets up, builds and tests everything. See --help.
. "$(dirname "$0")/scripts/lib.sh"

usage() {
  cat <<'HELP'
Sets up what the project needs, builds it, and runs every check and test.

usage: ./build-and-test.sh [--quick] [--skip-build] [--verbose] [--help]

  --quick       lint, build and the fast tests, without servers
  --skip-build  use the extension that is built already
  --verbose     show the full output of every step
  --help        this text
HELP
}

quick=false build=true verbose=false
for argument in "$@"; do
  case $argument in
    --quick) quick=true ;;
    --skip-build) build=false ;;
    --verbose) verbose=true ;;
    --help | -h) usage && exit 0 ;;
    *) echo "error: unknown option $argument" >&2 && usage >&2 && exit 2 ;;
  esac
done
$verbose && export CARGO_TERM_VERBOSE=true PYTEST_ADDOPTS=-v

step "set up" scripts/bootstrap.sh
if ! $quick; then step "set up servers" scripts/servers.sh; fi
step "lint" scripts/lint.sh
if $build && ! $quick; then step "manual commands" scripts/check_manual_commands.sh; fi
if $build; then step "build" scripts/build.sh; fi
if $quick; then
  step "test" scripts/test.sh --quick
else
  step "test" scripts/test.sh
fi
