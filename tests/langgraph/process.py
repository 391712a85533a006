"""Runs one half of the lives of the scenarios in a process of its own.

usage: python process.py STEP FOLDER, where STEP is first, second or whole. The last line printed is
what came out in the end, by scenario.
"""

import json
import sys
from pathlib import Path

import persist
from graphs import SCENARIOS
from langgraph.checkpoint.memory import InMemorySaver


def live(scenario, step, path):
    """What came out of one scenario, as text; None where it stopped halfway."""
    case = scenario()
    graph = case.build(InMemorySaver())
    if step == "second":
        return repr(case.rest(persist.restore(path, into=graph)))
    case.first(graph)
    if step == "first":
        persist.snapshot(graph, path)
        return None
    return repr(case.rest(graph))


if __name__ == "__main__":
    step, folder = sys.argv[1:]
    names = {scenario.__name__: scenario for scenario in SCENARIOS}
    done = {name: live(each, step, Path(folder, f"{name}.json.gz")) for name, each in names.items()}
    print(json.dumps(done))
