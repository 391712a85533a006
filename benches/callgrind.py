"""Instructions of a program by the source that they were compiled from, counted by valgrind."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Counts:
    """Instructions by the path of a source; `???` where that is not known."""

    by_source: dict[str, float]

    @property
    def total(self) -> float:
        """All of them."""
        return sum(self.by_source.values())

    @property
    def has_lines(self) -> bool:
        """Whether it is known of Rust where instructions come from."""
        return any(source.endswith(".rs") for source in self.by_source)

    def of(self, parts: tuple[str, ...]) -> float:
        """Those of sources whose paths hold one of these."""
        return sum(
            count
            for source, count in self.by_source.items()
            if any(part in source for part in parts)
        )

    def beyond(self, fewer: Counts, number: int) -> Counts:
        """Those of one of so many things that the other run did not do."""
        own, others = self.by_source, fewer.by_source
        names = own.keys() | others.keys()
        return Counts({name: (own.get(name, 0) - others.get(name, 0)) / number for name in names})


def count(command: list[str], env: dict[str, str], typed: Path) -> Counts:
    """Run a program to its end.

    Args:
        command: The program.
        env: Its environment.
        typed: The file that is its input.

    Returns:
        What it took.
    """
    with tempfile.TemporaryDirectory() as folder, typed.open() as text:
        out = Path(folder, "out")
        valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]
        done = subprocess.run(
            valgrind + command, env=env, stdin=text, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"error: valgrind could not count {command}:\n{done.stderr}")
        by_source: Counter[str] = Counter()
        for source, cost in _costs(out):
            by_source[source] += cost
        return Counts(dict(by_source))


def _costs(out: Path) -> Iterator[tuple[str, int]]:
    """The cost of each line, without that of what it calls.

    A name is written once, behind its number; `fi` and `fe` are sources of inlined code.
    """
    names: dict[str, str] = {}
    own = source = ""
    is_call = False
    with out.open() as lines:
        for line in lines:
            field, equals, value = line.rstrip("\n").partition("=")
            if field in {"fl", "fi", "fe", "cfi", "cfl"}:
                number, _, name = value.partition(" ")
                name = names.setdefault(number, name)
                if field == "fl":
                    own = source = name
                elif field in {"fi", "fe"}:
                    source = name
            elif field == "fn":
                source = own
            elif field == "calls":
                is_call = True
            elif not equals and line[0] in "0123456789+-*":
                if not is_call:
                    yield source, int(line.split()[1])
                is_call = False
