"""Measures Persist beside what people use instead, and writes docs/benchmarks.md.

usage: python run.py [--sizes 10kb,1mb,20mb] [--rounds 5] [--no-page]

Each cell is a fresh process; in each round the order of the ways is rotated. A ratio is the median
of the rounds' ratios, which were measured one after the other.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import zlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import states

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
NO_STATE, FOLDER = "-", f"{states.MANY:,} files"
REPEAT = {NO_STATE: 10, FOLDER: 1, "10kb": 200, "1mb": 10, "20mb": 2, "200mb": 1}
LANGCHAIN, PICKLE, ZSTD = "langchain dumps + gzip -6", "pickle + gzip -6", "pickle + zstd -3"
OTHERS = [
    "cloudpickle + zstd -3",
    "joblib, zlib 6",
    "JsonPlusSerializer + zlib 6",
    "SqliteSaver.put",
]


@dataclass(frozen=True)
class Target:
    """A ratio that the project wants: the peer's cost over ours, or ours over the peer's."""

    operation: str
    size: str
    way: str
    peer: str
    least: float
    measure: str = "cpu"
    is_ceiling: bool = False


TARGETS = [
    Target("snapshot", "20mb", "persist gzip", LANGCHAIN, 6),
    Target("snapshot", "20mb", "persist gzip", PICKLE, 3),
    Target("snapshot", "20mb", "persist zstd", LANGCHAIN, 9),
    Target("snapshot", "20mb", "persist zstd", ZSTD, 1.5),
    Target("restore", "20mb", "persist gzip", LANGCHAIN, 6),
    Target("restore", "20mb", "persist gzip", PICKLE, 1.8),
    Target("read", "20mb", "verify", "gunzip + sha256", 1.2),
    Target("read", "20mb", "metadata", "read 4 KiB + json", 1.2, is_ceiling=True),
    Target("snapshot", "10kb", "persist gzip, not durable", LANGCHAIN, 3),
    Target("snapshot", "10kb", "persist gzip, not durable", PICKLE, 1.3),
    Target(
        "snapshot",
        "10kb",
        "persist gzip",
        "write + fsync + rename + fsync",
        1.5,
        measure="wall",
        is_ceiling=True,
    ),
]
# MiB beyond the agent's own objects, and the size at which they are looked at.
MEMORY_SIZE = "200mb"
MEMORY = {("snapshot", "persist gzip"): 16, ("restore", "persist gzip"): 64}
CELLS = {
    "snapshot": [
        "persist gzip",
        "persist zstd",
        "persist gzip, not durable",
        LANGCHAIN,
        PICKLE,
        ZSTD,
        *OTHERS,
        "text, libdeflate 4",
        "text, zstd -3",
        "write + rename",
        "write + fsync + rename + fsync",
    ],
    "restore": ["persist gzip", "persist zstd", LANGCHAIN, PICKLE, ZSTD, *OTHERS],
    "read": ["verify", "metadata", "gunzip + sha256", "gunzip + json", "read 4 KiB + json"],
    "list": ["persist list", "get_metadata", "read 4 KiB + json"],
    "start": [
        "python",
        "python, import persist",
        "python, import persist, dumps",
        "python, import langchain_core.load",
    ],
}
PARTS = [("10kb", "persist gzip"), ("20mb", "persist gzip"), ("20mb", "persist zstd")]
Found = dict[tuple[str, str, str], list[dict[str, Any]]]


def measure(sizes: list[str], rounds: int) -> Found:
    """All cells, round by round."""
    found: Found = {}
    for turn in range(rounds):
        for size in [*sizes, NO_STATE, FOLDER]:
            for operation in CELLS:
                ways = _ways(operation, size)
                start = turn % len(ways) if ways else 0
                for way in ways[start:] + ways[:start]:
                    found.setdefault((operation, size, way), []).append(cell(operation, way, size))
        print(f"round {turn + 1} of {rounds}", file=sys.stderr)
    return found


def _ways(operation: str, size: str) -> list[str]:
    """What is measured at a size: of the largest, only what memory is promised for."""
    if {"start": NO_STATE, "list": FOLDER}.get(operation, size) != size:
        return []
    if (operation in {"start", "list"}) != (size in {NO_STATE, FOLDER}):
        return []
    ways = CELLS[operation]
    return ways if size != MEMORY_SIZE else [way for way in ways if (operation, way) in MEMORY]


def cell(operation: str, way: str, size: str) -> dict[str, Any]:
    """One process's medians."""
    command = [sys.executable, str(HERE / "cell.py"), operation, way, size, str(REPEAT[size])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    answer = json.loads(done.stdout)
    return {**answer, **{name: statistics.median(answer[name]) for name in ("cpu", "wall")}}


def ratios(found: Found, target: Target) -> list[float]:
    """One ratio per round; none when the size was not measured."""
    ours = found.get((target.operation, target.size, target.way), [])
    peers = found.get((target.operation, target.size, target.peer), [])
    pairs = [
        (our[target.measure], peer[target.measure]) for our, peer in zip(ours, peers, strict=True)
    ]
    return [our / peer if target.is_ceiling else peer / our for our, peer in pairs]


def page(found: Found, command: str) -> str:
    """The page of the documentation."""
    lines = [INTRODUCTION.format(command=command, machine=_machine()), "\n## Ratios\n"]
    lines += ["| | | beside | ratio | spread | aim | |", "|---|---|---|---|---|---|---|"]
    for target in TARGETS:
        rounds = ratios(found, target)
        if not rounds:
            continue
        got = statistics.median(rounds)
        is_met = got <= target.least if target.is_ceiling else got >= target.least
        aim = f"at {'most' if target.is_ceiling else 'least'} {target.least}"
        what = f"{target.operation} {target.size}, {target.way}"
        verdict = "met" if is_met else "not met"
        lines.append(
            f"| {what} | {target.measure} | {target.peer} | {got:.2f} |"
            f" {min(rounds):.2f} to {max(rounds):.2f} | {aim} | {verdict} |"
        )
    lines.append(LIMITS)
    lines += _memory(found)
    lines += _parts(found)
    for operation in CELLS:
        lines += [
            f"\n## {operation.capitalize()}\n",
            "| | CPU ms | spread | in the kernel | wall ms | memory MiB | file |",
        ]
        lines.append("|---|---|---|---|---|---|---|")
        for (name, size, way), cells in found.items():
            if name == operation:
                lines.append(f"| {size} {way} | {_row(cells)} |")
    return "\n".join(lines) + "\n"


def _memory(found: Found) -> list[str]:
    """The lines about memory, when it was measured."""
    lines = []
    for (operation, way), most in MEMORY.items():
        cells = found.get((operation, MEMORY_SIZE, way), [])
        if cells:
            got = statistics.median(one["memory"] for one in cells) / 2**20
            verdict = "met" if got <= most else "not met"
            what = f"{operation} {MEMORY_SIZE}, {way}"
            lines.append(f"| {what} | {got:.1f} | at most {most} | {verdict} |")
    if not lines:
        return []
    return [
        "\n## Memory beyond the agent's own objects\n",
        "| | MiB | aim | |",
        "|---|---|---|---|",
        *lines,
    ]


def _parts(found: Found) -> list[str]:
    """Where the time goes, by the spans of one call of each."""
    lines = []
    for size, way in PARTS:
        if not any(size == measured for _, measured, _ in found):
            continue
        command = [sys.executable, str(HERE / "cell.py"), "spans", way, size, "1"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        for operation, spans in json.loads(done.stdout).items():
            took = sorted(spans.items(), key=lambda span: -span[1])
            what = f"{operation} {size}, {way}"
            lines += [f"| {what} | `{name}` | {lasted:.3f} |" for name, lasted in took]
    if not lines:
        return []
    return ["\n## Where the time goes\n", "| | span | ms |", "|---|---|---|", *lines, SPANS]


def _row(cells: list[dict[str, Any]]) -> str:
    cpu = [one["cpu"] * 1000 for one in cells]
    wall = statistics.median(one["wall"] * 1000 for one in cells)
    spread = f"{min(cpu):.3f} to {max(cpu):.3f}"
    kernel = statistics.median(one["kernel"] * 1000 for one in cells)
    length = cells[0]["bytes"]
    memory, size = "", ""
    if length is not None:
        memory = f"{statistics.median(one['memory'] / 2**20 for one in cells):.1f}"
        size = f"{length:,}"
    return (
        f"{statistics.median(cpu):.3f} | {spread} | {kernel:.3f} | {wall:.3f} | {memory} | {size}"
    )


def _command() -> str:
    return " ".join(["scripts/bench.sh", *sys.argv[1:]])


_PEERS = ("langchain-core", "langgraph-checkpoint-sqlite", "zstandard", "joblib", "cloudpickle")


def _machine() -> str:
    """The machine and what runs on it; nothing that says whose it is."""
    names = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((name.split(":")[1].strip() for name in names if "model name" in name), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    peers = ", ".join(f"{name} {version(name)}" for name in _PEERS)
    return (
        f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB of memory,"
        f" Python {platform.python_version()}, zlib {zlib.ZLIB_RUNTIME_VERSION}, {peers}"
    )


INTRODUCTION = """\
# Benchmarks

Made by `{command}` on {machine}.

A state is a chat history of LangChain messages, named by the size of what
`langchain_core.load.dumps` makes of it. Each cell is a fresh process that does the thing once
before it counts; the order is rotated from round to round. Times are medians; CPU counts all
threads. A spread goes from the lowest round to the highest. A ratio is the peer's time over
Persist's, or the other way round where the aim is a ceiling; it is taken round by round. Memory is
how far the process was at its peak above what it holds when the work is done, result included.

The peers write over what was there: who is stopped meanwhile has neither the old file nor the new
one. `persist.snapshot` replaces it at once, and waits for the disk unless it says "not durable"."""

SPANS = """
Spans lie in one another, and side by side on threads: they have no sum. At 10 KB, a call takes
about twice as long when its spans are measured."""
LIMITS = """
What holds these ratios down:

- At 20 MB, what the format asks for. The rows that begin with "text" below have the text of the
  state already: they pack its blocks, take two SHA-256, one of each block and one of all, and write
  that down, on one thread. What a snapshot takes beyond that is the walk over the agent's objects,
  a second look at them (the walk is faster than the packing, and other threads run while it waits),
  and the threads it is packed on.
- Restoring, CPython: it makes a dict, a set and a text for each message, as it does for the peers,
  in memory that the kernel has to find first. The row "verify" is what else there is to do.
- At 10 KB, making a file and renaming it over another. The row "write + rename" does nothing else
  with the same bytes, nearly all of it in the kernel: ext4 begins to write to the disk at such a
  rename. A head of 4 KiB that a peer does not write comes on top.
- Metadata is checked: its hash, the types of its fields, and that no name stands twice in it. The
  peer takes what it finds.
- The machine is virtual, and others work beside it: a ratio differs by a third from run to run."""


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="10kb,1mb,20mb", help="10kb, 1mb, 20mb, 200mb")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-page", action="store_true", help="print the page, do not write it")
    arguments = parser.parse_args()
    text = page(measure(arguments.sizes.split(","), arguments.rounds), _command())
    print(text)
    if not arguments.no_page:
        PAGE.write_text(text)


if __name__ == "__main__":
    main()
