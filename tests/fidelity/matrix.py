"""Says what comes back from each way to save a value, and writes docs/fidelity.md.

usage: python matrix.py           writes the page
       python matrix.py --check   says whether it is up to date

A cell is `exact` when every type, bit and shared reference comes back; `error` when the failure
names the type or the place of the value; `unnamed error` when it does not; `changed` when
something else comes back and nobody says so.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import pickle
import re
import struct
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import persist
import pydantic
from langchain_core.load import dumps, loads
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

if TYPE_CHECKING:
    from collections.abc import Callable

sys.path.insert(0, str(Path(__file__).parent))
import cases
import lives

INTRODUCTION = """\
# What comes back

Each value is saved and loaded again, in one process; the tests do the same with Persist in a
fresh one. A cell is *exact* when every type, bit and shared reference comes back; *error* when
the failure names the type or the place of the value; *unnamed error* when it does not;
**changed** when something else comes back and nobody says so. Agents are saved halfway: exact
says that what came back went on as the agent does without a break, its model seeing the same
text; **changed**, that it went on otherwise or not at all. Of a graph, the peers save what
`get_state` gives, and a fresh graph takes that by `update_state`. Of a model, the settings are
compared; the key is handed in again.
This page is written by `make fidelity`, and compared by the tests."""
PAGE = Path(__file__).parents[2] / "docs" / "fidelity.md"


def _through_json_plus(value: Any, **options: Any) -> Any:
    serde = JsonPlusSerializer(**options)
    return serde.loads_typed(serde.dumps_typed(value))


WAYS: dict[str, Callable[[Any], Any]] = {
    "Persist": lambda value: persist.loads(persist.dumps(value)),
    "LangChain `dumps`": lambda value: loads(
        dumps(value), allowed_objects="all", secrets_map=lives.KEYS
    ),
    "LangGraph serde": _through_json_plus,
    "LangGraph serde, strict": partial(_through_json_plus, allowed_msgpack_modules=None),
    "`pickle`": lambda value: pickle.loads(pickle.dumps(value, 5)),
    "`json`": lambda value: json.loads(json.dumps(value)),
}


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same in type, bits, order and shared references."""
    twins: dict[int, int] = {}
    pending = [(one, other)]
    while pending:
        one, other = pending.pop()
        if type(one) is not type(other):
            return False
        if one is None or isinstance(one, (bool, int, str, bytes, float, type)):
            if not _is_same_leaf(one, other):
                return False
            continue
        if id(one) in twins:
            if twins[id(one)] != id(other):
                return False
            continue
        if not isinstance(one, tuple):
            twins[id(one)] = id(other)
        parts, others = _parts(one), _parts(other)
        if len(parts) != len(others):
            return False
        pending += zip(parts, others, strict=True)
    return True


def _is_same_leaf(one: Any, other: Any) -> bool:
    if isinstance(one, float) and not (math.isnan(one) and math.isnan(other)):
        return struct.pack(">d", one) == struct.pack(">d", other)
    return bool(one == other) or isinstance(one, float)


def _parts(value: Any) -> list[Any]:
    """What a value consists of; itself as text when it is one piece."""
    parts: list[Any] = []
    if isinstance(value, dict):
        parts += [item for pair in value.items() for item in pair]
        parts.append(getattr(value, "default_factory", None))
    elif isinstance(value, pydantic.BaseModel):
        parts += [{k: v for k, v in value.__dict__.items() if not callable(v)}]
        parts += [value.__pydantic_extra__, value.__pydantic_private__]
    elif dataclasses.is_dataclass(value):
        parts += [getattr(value, field.name) for field in dataclasses.fields(value)]
    elif isinstance(value, pd.DataFrame):
        parts += [value.to_dict("list"), [str(dtype) for dtype in value.dtypes]]
        parts += [repr(value.index), repr(value.columns)]
    elif isinstance(value, np.ndarray):
        parts += [value.dtype.str, value.shape, value.tolist()]
    elif isinstance(value, (set, frozenset)):
        parts += sorted(value, key=repr)
    elif hasattr(value, "__iter__") and hasattr(value, "__len__"):
        parts += [*value, getattr(value, "maxlen", None)]
    else:
        parts += [vars(value)] if hasattr(value, "__dict__") else [repr(value), *_fold(value)]
    return parts


def _fold(value: Any) -> list[Any]:
    return [value.fold] if hasattr(value, "fold") else []


def judge(way: Callable[[Any], Any], make: Callable[[], Any]) -> str:
    """What comes of one value on one way."""
    value = make()
    try:
        back = way(value)
    except Exception as error:  # noqa: BLE001 - whatever a peer raises is what is measured
        return "error" if _names(str(error), value) else "unnamed error"
    return "exact" if same(value, back) else "**changed**"


def judge_life(name: str, life: lives.Life) -> str:
    """What comes of an agent that is saved halfway on one way."""
    unbroken = life.rest(life.halfway())
    try:
        agent = life.through_persist() if name == "Persist" else life.through(WAYS[name])
    except Exception as error:  # noqa: BLE001 - whatever a peer raises is what is measured
        return "error" if _names(str(error), life.halfway()) else "unnamed error"
    try:
        return "exact" if life.rest(agent) == unbroken else "**changed**"
    except Exception:  # noqa: BLE001 - what came back is no agent
        return "**changed**"


def _names(text: str, value: Any) -> bool:
    names = {type(value).__name__, *(type(part).__name__ for part in _parts(value))}
    return "$" in text or any(re.search(rf"\b{re.escape(name)}\b", text) for name in names)


def matrix() -> dict[str, dict[str, str]]:
    """The verdict of each case on each way."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {
            case: {name: judge(way, make) for name, way in WAYS.items()}
            for case, make in cases.CASES.items()
        }
        for title, life in lives.LIVES.items():
            found[title] = {name: judge_life(name, life) for name in WAYS}
        return found


def page(found: dict[str, dict[str, str]]) -> str:
    """The page of the documentation."""
    head = f"| | {' | '.join(WAYS)} |"
    rule = "|---" * (len(WAYS) + 1) + "|"
    lines = [INTRODUCTION]
    sections = {
        "Values": cases.VALUES,
        "Messages and prompts": cases.MESSAGES,
        "Agents of LangChain and LangGraph": lives.GRAPHS,
        "Chains, memories and agents of langchain-classic": lives.CHAINS,
        "Chat models and embeddings": lives.MODELS,
    }
    for title, names in sections.items():
        lines += [f"\n## {title}\n", head, rule]
        lines += [f"| {name} | {' | '.join(found[name].values())} |" for name in names]
    lines += ["\n## Sums\n", head, rule]
    for verdict in ("exact", "error", "unnamed error", "**changed**"):
        sums = [sum(row[way] == verdict for row in found.values()) for way in WAYS]
        lines.append(f"| {verdict} | {' | '.join(map(str, sums))} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    logging.disable()
    text = page(matrix())
    if sys.argv[1:] == ["--check"]:
        sys.exit(PAGE.read_text() != text and "docs/fidelity.md is not up to date: `make fidelity`")
    PAGE.write_text(text)
