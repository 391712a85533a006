"""Runs one half of the lives of the scenarios in a process of its own.

usage: python process.py STEP FOLDER SAVER, where STEP is first, second or whole, and SAVER is
`memory`, the path of a SQLite file, or the address of a PostgreSQL. The last line printed is what
came out in the end, by scenario.
"""

import contextlib
import json
import sys
from pathlib import Path

import persist
from graphs import SCENARIOS
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver


@contextlib.contextmanager
def saver_at(address):
    if address == "memory":
        yield InMemorySaver()
        return
    kind = PostgresSaver if "://" in address else SqliteSaver
    with kind.from_conn_string(address) as saver:
        saver.setup()
        yield saver


def live(scenario, step, path, saver):
    """What came out of one scenario, as text; None where it stopped halfway."""
    case = scenario()
    graph = case.build(saver)
    if step == "second":
        return repr(case.rest(persist.restore(path, into=graph)))
    case.first(graph)
    if step == "first":
        persist.snapshot(graph, path)
        return None
    return repr(case.rest(graph))


def main(step, folder, address):
    done = {}
    for scenario in SCENARIOS:
        name = scenario.__name__
        with saver_at(address.replace("NAME", name.lower())) as saver:
            done[name] = live(scenario, step, Path(folder, f"{name}.json.gz"), saver)
    print(json.dumps(done))


if __name__ == "__main__":
    main(*sys.argv[1:])
