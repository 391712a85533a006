#!/usr/bin/env bash
# Runs the tests of properties with TIMES (10) as many examples as usual, at random; takes what pytest takes.
. "$(dirname "$0")/lib.sh"

if [ $# = 0 ]; then
  for _ in $(seq "${TIMES:-10}"); do
    PROPTEST_RNG_SEED=$RANDOM cargo test --workspace --all-features --profile "$profile" --quiet
  done
  set -- persist-python/tests tests
fi
PYTHONPATH=$root/scripts pytest -q -p explore --hypothesis-profile=default --timeout=0 -m hypothesis "$@"
