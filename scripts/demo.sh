#!/usr/bin/env bash
# The main job on the local disk: one process snapshots its agents, another continues them.
. "$(dirname "$0")/lib.sh"

rm -rf demo-data
python examples/demo/first.py
echo
persist list demo-data
persist verify demo-data
echo
python examples/demo/second.py
echo
echo "the snapshots are in demo-data; try: .venv/bin/persist show demo-data/agent.json.gz"
