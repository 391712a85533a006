#!/usr/bin/env bash
# Builds the Python extension and installs it, with the command, into .venv.
. "$(dirname "$0")/lib.sh"

cd persist-python
VIRTUAL_ENV=$venv PIP_CONSTRAINT=$root/constraints.txt PIP_QUIET=1 \
  maturin develop --quiet --profile "$profile"
