"""A copy of a value in which what is long is short: the one comes back when the other does."""

from __future__ import annotations

from typing import Any

from persist.codec._registry import kind_of
from persist.codec.kinds.classes import slots

LONG = 1 << 20
"""From so many bytes or characters on, a value counts as long."""


def shortened(value: object) -> Any:
    """Copy what may hold something long: lists, tuples, dicts, dataclasses and models.

    Args:
        value: Any value.

    Returns:
        The copy, with what is shared in it shared, and the rest as it is.
    """
    return _short(value, {})


def _short(value: Any, made: dict[int, Any]) -> Any:
    cls: Any = type(value)
    if cls in (bytes, bytearray, str):
        return value[:1] if len(value) >= LONG else value
    if cls is tuple:
        return tuple([_short(item, made) for item in value])
    if id(value) in made:
        return made[id(value)]
    if cls is list:
        items = made[id(value)] = []
        items.extend(_short(item, made) for item in value)
        return items
    if cls is dict:
        pairs = made[id(value)] = {}
        pairs.update((key, _short(item, made)) for key, item in value.items())
        return pairs
    kind: Any = kind_of(cls)
    if _has_plain_fields(cls, kind):
        return _copied(value, made)
    sample = getattr(kind, "sample", lambda _value: None)(value)
    return value if sample is None else made.setdefault(id(value), sample)


def _has_plain_fields(cls: type, kind: Any) -> bool:
    """Say whether no code that is not known looks at the fields when they are read back."""
    if kind is None:
        return False
    is_langchain = kind.name == "lc" and cls.__module__.startswith("langchain_core.")
    return is_langchain or kind.name in ("dataclass", "pydantic")


def _copied(value: Any, made: dict[int, Any]) -> Any:
    cls: Any = type(value)
    copied = made[id(value)] = object.__new__(cls)
    for name in slots(cls):
        if hasattr(value, name):
            object.__setattr__(copied, name, _short(getattr(value, name), made))
    for name, item in getattr(value, "__dict__", {}).items():
        copied.__dict__[name] = _short(item, made)
    return copied
