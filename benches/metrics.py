"""Measures what logs, traces and metrics take of a snapshot of 10 KB, as ratios of one run.

usage: python metrics.py [--rounds 15]

Each cell is a fresh process that saves the same state; the ways take turns. What remains when all
is off is measured by itself: the spans and counts that nobody asked for, and the look at the levels
of `logging` that each call of the core begins with.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import persist
import states
from persist import _records
from persist._observability import refusals, start_if_asked
from persist._tracing import span

REPEAT = 400
OFF, ON = 0.01, 0.03
HERE = Path(__file__).parent


def measure() -> None:
    """Print the CPU seconds of a snapshot, and of what it does for nobody."""
    state = states.messages(states.SIZES["10kb"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "agent.json.gz")
        persist.snapshot(state, path, durable=False)
        start = time.process_time()
        for _ in range(REPEAT):
            persist.snapshot(state, path, durable=False)
        whole = (time.process_time() - start) / REPEAT
    start = time.process_time()
    for _ in range(REPEAT):
        observe_nothing()
    print(whole, (time.process_time() - start) / REPEAT)


def observe_nothing() -> None:
    """Do what `snapshot` does for operators, around no work."""
    with span("persist.snapshot", gen_ai__agent__id="bot", gen_ai__conversation__id="1"):
        with refusals(), span("persist.capture"):
            pass
        start_if_asked()
        with refusals(), span("persist.encode"):
            pass
        for level in _records._LEVELS:  # noqa: SLF001 - as the core does
            level()


def cell(enabled: str) -> tuple[float, float]:
    """One measurement, in a process of its own."""
    env = {
        **os.environ,
        "PERSIST_METRICS_ENABLED": enabled,
        "PERSIST_METRICS_ADDR": "127.0.0.1:0",
    }
    command = [sys.executable, __file__, "--cell"]
    done = subprocess.run(command, env=env, cwd=HERE, check=True, capture_output=True, text=True)
    whole, look = map(float, done.stdout.split())
    return whole, look


def main() -> int:
    """Measure, print, and say by the exit code whether both are below what is promised."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--cell", action="store_true")
    arguments = parser.parse_args()
    if arguments.cell:
        measure()
        return 0
    rounds = [(cell(""), cell("true")) for _ in range(arguments.rounds)]
    off = statistics.median(look / whole for (whole, look), _ in rounds)
    on = statistics.median(counted / whole - 1 for (whole, _), (counted, _) in rounds)
    print(f"snapshot of 10 KB: {rounds[0][0][0] * 1e6:.0f} µs of CPU")
    print(f"all off: {off:.2%} (promised: under {OFF:.0%})")
    print(f"metrics on: {on:.2%} (promised: under {ON:.0%})")
    return int(off >= OFF or on >= ON)


if __name__ == "__main__":
    sys.exit(main())
