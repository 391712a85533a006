#!/usr/bin/env bash
# Runs the tests of properties with TIMES (10) as many examples as usual, at random; takes what pytest takes.
. "$(dirname "$0")/lib.sh"

PYTHONPATH=$root/scripts pytest -q -p explore --hypothesis-profile=default --timeout=0 \
  -m hypothesis "${@:-persist-python/tests}"
