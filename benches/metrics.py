"""Measures what observing takes of a snapshot of 10 KB: nothing asked for, and metrics on.

usage: python metrics.py [--rounds 31] [--instructions | --time]

The state is plain data, which is saved faster than messages are: no share is larger with an agent.

time: of the CPU. Each cell is a fresh process; the ways take turns in who is first, and each round
gives one ratio. What is printed is their median, and the half of them in the middle.

instructions: of the whole process, counted by valgrind; they are nearly the same in each run, also
on a machine that has other things to do. Two runs that differ in the number of snapshots alone give
those of one. What is off is counted as well: the lines of Rust that ask whether anybody wants to
hear, and what Python does for nobody. It needs a release build with line tables, as
`make bench-metrics` makes it. The system's own work is in none of it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import callgrind
import persist
from persist import _records
from persist._observability import capturing, refusals, start_if_asked
from persist._tracing import part, span
from persist.exceptions import ConcurrentMutationError

OFF, ON = 0.01, 0.03
"""What is promised."""
WAYS = {"off": {}, "metrics": {"PERSIST_METRICS_ENABLED": "true"}}
REPEAT = 2000
FEW, MANY = 50, 250
FORGOTTEN = ("PERSIST_", "OTEL_", "RUST_LOG", "PROMETHEUS_")

OBSERVING = (
    "persist-core/src/telemetry",
    "persist-core/src/storage/instrument.rs",
    "persist-python/src/telemetry.rs",
    "persist-telemetry/src/",
    "/arc-swap-",
    "/metrics-",
    "/opentelemetry",
    "/tracing-",
)
"""Sources that are there for operators alone."""


def work(state: object, folder: str) -> None:
    """Save the state once."""
    persist.snapshot(state, f"{folder}/agent.json.gz", durable=False)


def look(_state: object, _folder: str) -> None:
    """Do what `snapshot` does in Python for operators, around no work."""
    start_if_asked()
    with span("persist.snapshot", gen_ai__agent__id="bot", gen_ai__conversation__id="1"):
        with capturing("persist.capture"):
            pass
        with part("persist.encode"), refusals(ConcurrentMutationError):
            pass
        for is_wanted in _records._WANTED:  # noqa: SLF001 - as the core does
            is_wanted(20)


DONE = {"work": work, "look": look}


def cell(state: object, done: str, repeat: int) -> float:
    """The CPU seconds that this takes once, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(20):
            DONE[done](state, folder)
        start = time.process_time()
        for _ in range(repeat):
            DONE[done](state, folder)
        return (time.process_time() - start) / repeat


def command(done: str, repeat: int) -> list[str]:
    """What runs a cell in a process of its own."""
    return [sys.executable, __file__, "--cell", done, "--repeat", str(repeat)]


def environment(way: str) -> dict[str, str]:
    """What a cell finds in its environment."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(FORGOTTEN)}
    fixed = {"PYTHONHASHSEED": "0", "PERSIST_METRICS_ADDR": "127.0.0.1:0"}
    return {**kept, **fixed, **WAYS[way]}


def timed(way: str, done: str, state: Path) -> float:
    """The CPU seconds of one cell."""
    with state.open() as text:
        run = subprocess.run(
            command(done, REPEAT),
            env=environment(way),
            stdin=text,
            stdout=subprocess.PIPE,
            check=True,
        )
    return float(run.stdout)


def spread(ratios: list[float]) -> str:
    """Median, and the half in the middle."""
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:.2%} ({low:.2%} to {high:.2%})"


def measure_time(state: Path, rounds: int) -> bool:
    """Print the shares of CPU time, and whether they are as promised."""
    cells = [("off", "work"), ("metrics", "work"), ("off", "look")]
    off, on, seconds = [], [], []
    for number in range(rounds):
        turn = number % len(cells)
        order = cells[turn:] + cells[:turn]
        took = {one: timed(*one, state) for one in order}
        whole = took["off", "work"]
        seconds.append(whole)
        off.append(took["off", "look"] / whole)
        on.append(took["metrics", "work"] / whole - 1)
    print(f"CPU time, {rounds} rounds: {statistics.median(seconds) * 1e6:.0f} µs for a snapshot")
    print(f"  off, Python alone  {spread(off)}")
    print(f"  metrics on         {spread(on)}")
    return statistics.median(off) < OFF and statistics.median(on) < ON


def counted(way: str, done: str, state: Path) -> callgrind.Counts:
    """The instructions that this takes once, by source."""
    few, many = (
        callgrind.count(command(done, repeat), environment(way), state) for repeat in (FEW, MANY)
    )
    return many.beyond(few, MANY - FEW)


def measure_instructions(state: Path) -> bool:
    """Print the shares of instructions, and whether they are as promised."""
    off, on = counted("off", "work", state), counted("metrics", "work", state)
    python = counted("off", "look", state).total / off.total
    rust = off.of(OBSERVING) / off.total
    metrics = on.total / off.total - 1
    print(f"instructions: {off.total:,.0f} for a snapshot")
    print(f"  off, Python        {python:.2%}")
    print(f"  off, Rust          {rust:.2%}")
    print(f"  metrics on         {metrics:.2%}")
    if not off.has_lines:
        print("  the build has no line tables: what Rust takes is not counted")
    return python + rust < OFF and metrics < ON and off.has_lines


def save_state(path: Path) -> None:
    """Write a conversation of 10 KB as plain data, so that a cell imports no framework for it."""
    import states

    rows: list[dict[str, object]] = []
    for message in states.messages(4 * states.SIZES["10kb"]):
        rows.append({"role": message.type, "content": message.content})
        path.write_text(json.dumps(rows))
        if path.stat().st_size >= states.SIZES["10kb"]:
            return


def main() -> int:
    """Measure, print, and say by the exit code whether all is below what is promised."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--instructions", action="store_true")
    parser.add_argument("--cell", choices=DONE)
    parser.add_argument("--repeat", type=int)
    arguments = parser.parse_args()
    if arguments.cell:
        print(cell(json.load(sys.stdin), arguments.cell, arguments.repeat))
        return 0
    if arguments.instructions and shutil.which("valgrind") is None:
        print("error: valgrind is not installed")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder, "state.json")
        save_state(state)
        is_kept = True
        if not arguments.instructions:
            is_kept &= measure_time(state, arguments.rounds)
        if not arguments.time and shutil.which("valgrind"):
            is_kept &= measure_instructions(state)
    return int(not is_kept)


if __name__ == "__main__":
    sys.exit(main())
