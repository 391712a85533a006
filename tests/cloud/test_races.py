"""Sixteen processes write one key at the same moment: one wins, and the others are told."""

import json
import os
import subprocess
import sys
from collections import ChainMap, Counter

import persist
import pytest

RACERS = 16
PART = 5 << 20

RACER = """
import json, sys
import persist
from persist.options import AzureOptions, GCSOptions, S3Options

for line in sys.stdin:
    job = json.loads(line)
    mine = job["number"]
    state = {"mine": mine, "padding": chr(97 + mine) * job["length"]}
    options = {"s3": S3Options, "azure": AzureOptions, "gcs": GCSOptions}[job["mode"]]
    how = {"storage_options": options(multipart_threshold=5 << 20, part_size=5 << 20), **job["on"]}
    # Both are made before the start.
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        persist.snapshot(state, job["url"], compression="none", verify=False, **how)
    except persist.PersistError as error:
        print(type(error).__name__, error.retryable, flush=True)
    else:
        print("won", flush=True)
"""


class Racers:
    """Processes that wait, and then write at once."""

    def __init__(self, variables):
        command = [sys.executable, "-c", RACER]
        pipe = subprocess.PIPE
        self.processes = [
            subprocess.Popen(command, env=variables, stdin=pipe, stdout=pipe, text=True)
            for _ in range(RACERS)
        ]

    def race(self, **job):
        """What each of them says."""
        for number, process in enumerate(self.processes):
            self._say(process, json.dumps({"number": number, **job}))
        assert [self._hear(process) for process in self.processes] == ["ready"] * RACERS
        for process in self.processes:
            self._say(process, "go")
        return [self._hear(process) for process in self.processes]

    def end(self):
        for process in self.processes:
            process.stdin.close()
            process.wait(30)
            process.stdout.close()

    def _say(self, process, text):
        process.stdin.write(text + "\n")
        process.stdin.flush()

    def _hear(self, process):
        return process.stdout.readline().strip()


@pytest.fixture(scope="module")
def racers(s3, azure, gcs):
    """One set of processes for all stores."""
    variables = [server.variables() for server in (s3, azure, gcs)]
    known = {"PATH": os.environ["PATH"]}
    running = Racers(dict(ChainMap(*variables, known)))
    yield running
    running.end()


@pytest.mark.parametrize("length", [10, PART + 1], ids=["at once", "in parts"])
@pytest.mark.parametrize("condition", ["overwrite", "if_match"])
def test_one_of_sixteen_writers_wins(store, racers, condition, length):
    url = store.url("a.json")
    if condition == "overwrite":
        on = {"overwrite": False}
    else:
        on = {"if_match": persist.snapshot(["first"], url, compression="none").e_tag}
    said = racers.race(mode=store.mode, url=url, length=length, on=on)
    conflict = store.double("ConflictError").__name__
    assert Counter(said) == {"won": 1, f"{conflict} False": RACERS - 1}
    winner = said.index("won")
    assert persist.restore(url) == {"mine": winner, "padding": chr(97 + winner) * length}
    # What they wrote elsewhere on the way is gone.
    assert store.keys() == [f"{store.prefix}/a.json"]
