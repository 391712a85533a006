#!/usr/bin/env bash
# Everything that build-and-test.sh does, and the commands that a developer types by hand.
. "$(dirname "$0")/lib.sh"

./build-and-test.sh "$@"
step "manual commands" scripts/check_manual_commands.sh
