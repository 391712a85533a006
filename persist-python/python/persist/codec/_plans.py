"""What the core in Rust may read and make by itself, and the check that it does the same.

A plan says which fields of a class of messages hold what without change. The first message of each
shape is compared with what its class makes of the same arguments, or with what the codec writes; a
release of langchain-core whose fields differ, or whose validation does, has no plan, and its class
makes every message.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from persist.codec._decode import read_tree
from persist.codec._difference import difference
from persist.exceptions import PersistError

if TYPE_CHECKING:
    from collections.abc import Mapping

LEAVES = frozenset(
    {"bytes", "bytearray", "complex", "decimal", "fraction", "uuid", "str", "float", "int"}
    | {"date", "datetime", "time", "timedelta", "zone"}
)
"""Kinds that are read from JSON as it is written; a tag in them is for the decoder."""

ARRAYS = frozenset({"ndarray", "npscalar"})
"""Kinds of numpy: the core reads the base64 in them, and the decoder the rest."""

SIMPLE = LEAVES | {"tuple", "set", "frozenset"}
"""Kinds whose values are data and no container of JSON, and hold nothing with behaviour."""

_EVERY: dict[str, Any] = {
    "content": "content",
    "additional_kwargs": "dict",
    "response_metadata": "dict",
    "name": "optional text",
    "id": "optional text",
}
_RULES: dict[str, dict[str, Any]] = {
    "HumanMessage": {**_EVERY, "type": ["human"]},
    "SystemMessage": {**_EVERY, "type": ["system"]},
    "AIMessage": {
        **_EVERY,
        "type": ["ai"],
        "additional_kwargs": "no calls",
        "tool_calls": "calls",
        "invalid_tool_calls": "empty",
        "usage_metadata": "usage",
    },
    "ToolMessage": {
        **_EVERY,
        "type": ["tool"],
        "tool_call_id": "text",
        "artifact": "anything",
        "status": ["success", "error"],
    },
}
_REQUIRED = ("content", "tool_call_id")


@dataclass(frozen=True)
class Field:
    """What a field may hold, what it holds when nothing is said, and when it is written."""

    name: str
    rule: str | list[str]
    default: object
    is_required: bool
    is_always_written: bool


@dataclass(frozen=True)
class Plan:
    """How messages of a class are made."""

    identifier: list[str]
    cls: type
    fields: list[Field]


@lru_cache(maxsize=1)
def plans() -> tuple[Plan, ...]:
    """Return the plans that fit the installed langchain-core."""
    try:
        from langchain_core import messages
    except ImportError:
        return ()
    made = (_plan(getattr(messages, name), rules) for name, rules in _RULES.items())
    return tuple(plan for plan in made if plan is not None)


def _plan(cls: Any, rules: dict[str, Any]) -> Plan | None:
    example = cls(**{name: "" for name in _REQUIRED if name in rules})
    if set(example.__dict__) != set(rules):
        return None
    fields = [
        Field(name, rules[name], value, name in _REQUIRED, name in example.lc_attributes)
        for name, value in example.__dict__.items()
    ]
    return Plan(cls.lc_id(), cls, fields)


def agrees(cls: type, arguments: Mapping[str, Any], made: Any) -> bool | None:
    """Say whether the class makes the same message of these arguments; None if it makes none."""
    try:
        return _is_same(cls(**arguments), made)
    except (AttributeError, LookupError, TypeError, ValueError):
        return None


def _is_same(one: Any, other: Any) -> bool:
    names = ("__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
    return (
        list(one.__dict__) == list(other.__dict__)
        and difference(one.__dict__, other.__dict__) is None
        and all(getattr(one, name) == getattr(other, name) for name in names)
    )


def simple(node: dict[str, Any]) -> Any:
    """Return the value of a simple tag, or None where the decoder has to say what is wrong."""
    try:
        return read_tree(node)
    except PersistError:
        return None
