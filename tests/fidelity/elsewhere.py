"""Looks in a process of its own at all that another has saved.

usage: python elsewhere.py FOLDER. The last line printed says what came of each case.
"""

from __future__ import annotations

import json
import logging
import pickle
import re
import sys
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import persist

if TYPE_CHECKING:
    from collections.abc import Callable

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[2] / "persist-python" / "tests" / "codec"))
sys.path.append(str(Path(__file__).parents[2] / "persist-python" / "tests" / "models"))
import blocks
import cases
import matrix
import outside
import parts
import rows
import support
from langchain_core import messages
from persist.codec import difference

SAME = "exact"
ALLOWED = "exact once it is allowed"


def every_block() -> list[Any]:
    """Each class of message with a block of each type."""
    return [
        getattr(messages, name)(content=[block, "text"], extra=(1,), **blocks.NEEDED.get(name, {}))
        for name in blocks.NAMES
        for block in blocks.BLOCKS
    ]


VALUES: dict[str, Callable[[], Any]] = {**cases.CASES, "each block in each message": every_block}
OUTSIDE = {each.__name__: each for each in outside.OUTSIDE}


def file_of(folder: Path, name: str) -> Path:
    """Where the snapshot of a case is; names of cases hold what paths do not."""
    return folder / f"{name.encode().hex()}.json.gz"


def save(folder: Path) -> dict[str, str]:
    """Save all cases; says why, for those that are refused."""
    refused = {}
    made = {name: make() for name, make in VALUES.items()}
    made |= {name: make() for name, (make, _) in parts.PARTS.items()}
    made |= {name: rows.build(row) for name, row in rows.ROWS.items()}
    for name, value in made.items():
        try:
            persist.snapshot(value, file_of(folder, name))
        except persist.UnserializableStateError as error:
            refused[name] = str(error)
    for name, case in OUTSIDE.items():
        life = case()
        agent = life.build(folder)
        life.first(agent)
        life.save(agent, file_of(folder, name))
    return refused


def save_drawn(folder: Path, drawn: dict[str, list[Any]]) -> None:
    """Save what was drawn, and by pickle, what it was."""
    for name, values in drawn.items():
        persist.snapshot(values, file_of(folder, name))
        (folder / f"{name}.pickle").write_bytes(pickle.dumps(values))


def look(folder: Path) -> dict[str, Any]:
    """What came of each case that was saved."""
    found: dict[str, Any] = {}
    for name, make in VALUES.items():
        if file_of(folder, name).exists():
            found[name] = judged(lambda n=name, m=make: look_at_value(folder, n, m()))
    for name in parts.PARTS:
        if file_of(folder, name).exists():
            found[name] = judged(lambda n=name: look_at_part(folder, n))
    for path in folder.glob("*.pickle"):
        values = pickle.loads(path.read_bytes())
        found[path.stem] = judged(lambda p=path, v=values: look_at_drawn(folder, p.stem, v))
    for name in rows.ROWS:
        found[name] = judged(lambda n=name: look_at_model(folder, n))
    for name in OUTSIDE:
        found[name] = judged(lambda n=name: look_at_life(folder, n))
    return found


def judged(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Exception:  # noqa: BLE001 - whatever it is, the test shows it
        return traceback.format_exc()


def look_at_value(folder: Path, name: str, expected: Any) -> str:
    restored = persist.restore(file_of(folder, name))
    return SAME if matrix.same(expected, restored) else f"{expected!r} became {restored!r}"


def look_at_part(folder: Path, name: str) -> str:
    """It is the same, but for what only helps typing, and does the same."""
    make, given = parts.PARTS[name]
    expected, path = make(), file_of(folder, name)
    try:
        restored, verdict = persist.restore(path), SAME
    except persist.UntrustedError as error:
        names = re.findall(r'allow=\{"(.*?)": True}', str(error.hint))
        restored, verdict = persist.restore(path, allow=dict.fromkeys(names, True)), ALLOWED
    assert difference(expected, restored) is None
    assert restored.invoke(given) == expected.invoke(given)
    return verdict


def look_at_drawn(folder: Path, name: str, expected: Any) -> str:
    support.same(expected, persist.restore(file_of(folder, name)))
    return SAME


def look_at_model(folder: Path, name: str) -> str:
    """The keys are in the environment."""
    row = rows.ROWS[name]
    restored = persist.restore(file_of(folder, name), allow=rows.allowed(row))
    expected = rows.build(row)
    assert type(restored) is type(expected)
    assert rows.shown(restored) == rows.shown(expected)
    return SAME


def look_at_life(folder: Path, name: str) -> Any:
    life = OUTSIDE[name]()
    return life.rest(life.restore(file_of(folder, name), folder))


def whole(folder: Path) -> dict[str, Any]:
    """What comes out of the agents when nothing breaks in."""
    found = {}
    for name, case in OUTSIDE.items():
        life = case()
        agent = life.build(folder)
        life.first(agent)
        found[name] = life.rest(agent)
    return found


if __name__ == "__main__":
    logging.disable()
    warnings.simplefilter("ignore")
    print(json.dumps(look(Path(sys.argv[1]))))
