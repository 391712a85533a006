#!/usr/bin/env bash
# Builds the Python extension into .venv.
. "$(dirname "$0")/lib.sh"

cd persist-python
VIRTUAL_ENV=$venv maturin develop --quiet --skip-install --profile "$profile"
"$venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable . \
  --config-settings=build-args="--profile $profile"
