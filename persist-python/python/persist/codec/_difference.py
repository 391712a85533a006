"""Compares two values by type and value, where `==` would be too kind."""

from __future__ import annotations

import struct
from typing import Any

from persist.codec._types import Lazy

_SCALARS = (str, bytes, int, bool, type(None), complex)
_CLIENTS = frozenset({"client", "async_client", "root_client", "root_async_client"})


def difference(a: object, b: object) -> str | None:
    """Find the first place where two values differ in type, value or sharing.

    Floats are compared by their bits, dicts by the order of their keys, and
    what is one object on one side is one object on the other.

    Args:
        a: A value.
        b: Another one.

    Returns:
        The path from the values to the difference, as `.messages[3]`; None
        when there is none.

    Example:
        >>> from persist.codec import difference
        >>> difference({"a": [1, 2.0]}, {"a": [1, 2]})
        '.a[1]'
    """
    twins: dict[int, tuple[object, object]] = {}
    pending: list[tuple[Any, Any, str]] = [(a, b, "")]
    while pending:
        one, other, path = pending.pop()
        if type(one) is not type(other):
            return path
        if isinstance(one, _SCALARS) and type(one) in _SCALARS:
            if one != other:
                return path
            continue
        if type(one) is float:
            if struct.pack("d", one) != struct.pack("d", other):
                return path
            continue
        if id(one) in twins:
            if twins[id(one)][1] is not other and not isinstance(one, (tuple, frozenset)):
                return path
            continue
        twins[id(one)] = (one, other)
        children = _children(one, other)
        if children is None:
            return path
        pending.extend((x, y, path + step) for x, y, step in reversed(children))
    return None


def _children(one: Any, other: Any) -> list[tuple[Any, Any, str]] | None:
    """The pairs of values inside two of the same type; None when they differ at once."""
    if isinstance(one, dict):
        found = _mapping(one, other)
        if hasattr(one, "default_factory") and one.default_factory is not other.default_factory:
            return None
        return found
    if isinstance(one, (list, tuple)) or type(one).__name__ == "deque":
        if len(one) != len(other) or getattr(one, "maxlen", 0) != getattr(other, "maxlen", 0):
            return None
        return [(x, y, f"[{i}]") for i, (x, y) in enumerate(zip(one, other, strict=True))]
    if isinstance(one, (set, frozenset)):
        return [] if one == other and _types(one) == _types(other) else None
    if type(one).__name__ in ("SecretStr", "SecretBytes"):
        return []  # keys are never written: they come back from elsewhere
    if type(one) is Lazy:
        return [(one.get(), other.get(), "")]
    if hasattr(one, "dtype"):
        return _arrays(one, other)
    if hasattr(type(one), "model_fields"):
        return _models(one, other)
    if hasattr(type(one), "__dataclass_fields__"):
        names = type(one).__dataclass_fields__
        missing = object()
        return [(getattr(one, n, missing), getattr(other, n, missing), f".{n}") for n in names]
    if hasattr(one, "fold"):
        is_same = (one.fold, str(one), one.tzinfo) == (other.fold, str(other), other.tzinfo)
        return [] if is_same else None
    if hasattr(one, "as_tuple"):
        return [] if one.as_tuple() == other.as_tuple() else None
    return [] if one == other or _state(one) == _state(other) else None


def _mapping(one: dict[Any, Any], other: dict[Any, Any]) -> list[tuple[Any, Any, str]] | None:
    if len(one) != len(other):
        return None
    pairs: list[tuple[Any, Any, str]] = []
    for (key, value), (other_key, other_value) in zip(one.items(), other.items(), strict=True):
        step = f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"
        pairs += [(key, other_key, step), (value, other_value, step)]
    return pairs


def _types(values: Any) -> list[str]:
    return sorted(f"{type(value).__qualname__}:{value!r}" for value in values)


def _arrays(one: Any, other: Any) -> list[tuple[Any, Any, str]] | None:
    is_same = one.dtype == other.dtype and one.shape == other.shape
    return [] if is_same and one.tobytes() == other.tobytes() else None


def _models(one: Any, other: Any) -> list[tuple[Any, Any, str]]:
    def parts(model: Any) -> dict[str, Any]:
        names = [name for name in type(model).model_fields if name not in _CLIENTS]
        fields = {name: model.__dict__[name] for name in names if name in model.__dict__}
        return {
            **fields,
            "model_extra": model.__pydantic_extra__,
            "private": model.__pydantic_private__,
        }

    return [(parts(one), parts(other), "")]


def _state(value: Any) -> object:
    return getattr(value, "__dict__", None) or value
