"""Counts the instructions of the core under valgrind, which repeat exactly.

usage: python instructions.py            compares with instructions.json
       python instructions.py --update   writes it

A count that differs by more than 2 % fails. Counts of another compiler, C library or processor are
no measure of a change: that is said, and nothing is compared.
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
KEPT = HERE / "instructions.json"
TOLERANCE = 0.02
# What is counted, and what is to be taken off: the same without it.
OPERATIONS = {
    "save large gzip": "large state",
    "save large zstd": "large state",
    "save small gzip": "small state",
    "verify large gzip": "save large gzip",
    "read metadata": "save small gzip",
}


def build() -> str:
    """Build the bench as it is released; return its path."""
    command = ["cargo", "bench", "--package", "persist-core", "--no-default-features", "--no-run"]
    command += ["--bench", "instructions", "--profile", "release", "--message-format", "json"]
    done = subprocess.run(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True, check=True)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    found = [m["executable"] for m in messages if m.get("target", {}).get("name") == "instructions"]
    return str(found[-1])


def count(program: str, operation: str) -> int:
    """Instructions of a whole run."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out"]
        command += [program, operation]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = re.search(r"Collected : (\d+)", done.stderr)
        if done.returncode or found is None:
            sys.exit(f"error: valgrind could not count {operation!r}:\n{done.stderr}")
        return int(found[1])


def surroundings() -> dict[str, str]:
    """What the counts depend on beside the code."""
    version = subprocess.run(["rustc", "--version"], stdout=subprocess.PIPE, text=True, check=True)
    flags = set(Path("/proc/cpuinfo").read_text().split())
    return {
        "compiler": version.stdout.strip(),
        "library": " ".join(platform.libc_ver()),
        "processor": " ".join([platform.machine(), *sorted(flags & {"avx2", "bmi2"})]),
    }


def compare(kept: dict[str, int], counts: dict[str, int]) -> list[str]:
    """Print each count beside the one that is kept; return the operations that differ."""
    different = []
    for operation in OPERATIONS:
        before, now = kept.get(operation, 0), counts[operation]
        change = now / before - 1 if before else float("inf")
        print(f"{operation:<20} {now:>13,}  {change:+8.2%}")
        if abs(change) > TOLERANCE:
            different.append(operation)
    return different


def main() -> int:
    """Count, then compare or write; the exit code says whether all is as it was."""
    here = surroundings()
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {"made with": {}, "counts": {}}
    is_update = "--update" in sys.argv[1:]
    others = [name for name, value in here.items() if kept["made with"].get(name) != value]
    if others and not is_update:
        for name in others:
            print(f"{name}: {kept['made with'].get(name)} then, {here[name]} now")
        print("not compared: count the change's parent here too, or run with --update")
        return 0
    program = build()
    names = {*OPERATIONS, *OPERATIONS.values()}
    whole = {name: count(program, name) for name in sorted(names)}
    counts = {name: whole[name] - whole[without] for name, without in OPERATIONS.items()}
    different = compare(kept["counts"], counts)
    if is_update:
        KEPT.write_text(json.dumps({"made with": here, "counts": counts}, indent=2) + "\n")
        return 0
    if different:
        print(
            f"error: {', '.join(different)}: beyond {TOLERANCE:.0%}; say why and run with --update"
        )
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
