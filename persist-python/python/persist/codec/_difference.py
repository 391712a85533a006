"""Compares two values by type and value, where `==` would be too kind."""

from __future__ import annotations

import dataclasses
import struct
from collections import deque
from typing import TYPE_CHECKING, Any
from uuid import UUID

from persist.codec._models import row_of, settings
from persist.codec._types import Lazy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Pairs = list[tuple[Any, Any, str]]
_SCALARS = (str, bytes, int, bool, type(None))
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
    return next((path for path, _, _ in differences(a, b)), None)


def differences(a: object, b: object) -> Iterator[tuple[str, object, object]]:
    """Find every place where two values differ, as `difference` finds the first.

    Args:
        a: A value.
        b: Another one.

    Yields:
        The path, and what is there in each.
    """
    twins: dict[int, tuple[object, object]] = {}
    pending: Pairs = [(a, b, "")]
    while pending:
        one, other, path = pending.pop()
        if isinstance(one, _SCALARS) and type(one) in _SCALARS and type(one) is type(other):
            is_same = one == other
        elif type(one) is not type(other) and not _is_alias(one, other):
            is_same = False
        elif type(one) is float:
            is_same = _bits(one) == _bits(other)
        elif id(one) in twins:
            is_same = twins[id(one)][1] is other or isinstance(one, (tuple, frozenset))
        else:
            twins[id(one)] = (one, other)
            children = _children(one, other)
            is_same = children is not None
            pending.extend((x, y, path + step) for x, y, step in reversed(children or ()))
        if not is_same:
            yield path, one, other


def _is_alias(one: object, other: object) -> bool:
    """Say whether both are langchain-core's, and LangChain gives them the same id."""
    kinds: list[Any] = [type(one), type(other)]
    is_core = all(kind.__module__.startswith("langchain_core.") for kind in kinds)
    if not is_core or not all(hasattr(kind, "lc_id") for kind in kinds):
        return False
    return bool(kinds[0].lc_id() == kinds[1].lc_id())


def _bits(number: float) -> bytes:
    return struct.pack("d", number)


def _children(one: Any, other: Any) -> Pairs | None:
    """The pairs of values inside two of the same type; None when they differ at once."""
    for fits, pairs in _RULES:
        if fits(one):
            return pairs(one, other)
    return [] if one == other or _state(one) == _state(other) else None


def _mapping(one: dict[Any, Any], other: dict[Any, Any]) -> Pairs | None:
    factories = (getattr(value, "default_factory", None) for value in (one, other))
    if len(one) != len(other) or len(set(factories)) > 1:
        return None
    pairs: Pairs = []
    for (key, value), (other_key, other_value) in zip(one.items(), other.items(), strict=True):
        step = f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"
        pairs += [(key, other_key, step), (value, other_value, step)]
    return pairs


def _sequence(one: Any, other: Any) -> Pairs | None:
    if len(one) != len(other) or getattr(one, "maxlen", 0) != getattr(other, "maxlen", 0):
        return None
    return [(x, y, f"[{i}]") for i, (x, y) in enumerate(zip(one, other, strict=True))]


def _sets(one: Any, other: Any) -> Pairs | None:
    """Equal elements are twins; what equals nothing, as NaN, is paired by how it shows."""
    if len(one) != len(other):
        return None
    twins = {element: element for element in other}
    pairs = [(element, twins.pop(element), "{}") for element in one if element in twins]
    strangers = (element for element in one if element not in other)
    lonely = zip(sorted(strangers, key=_shown), sorted(twins, key=_shown), strict=True)
    return pairs + [(x, y, "{}") for x, y in lonely]


def _clocks(one: Any, other: Any) -> Pairs | None:
    is_same = (one.fold, str(one), one.tzinfo) == (other.fold, str(other), other.tzinfo)
    return [] if is_same else None


def _dataclasses(one: Any, other: Any) -> Pairs:
    absent = object()
    names = [field.name for field in dataclasses.fields(one)]
    return [(getattr(one, n, absent), getattr(other, n, absent), f".{n}") for n in names]


def _shown(value: object) -> str:
    """How a value sorts among those that equal nothing, whatever its address is."""
    if isinstance(value, complex):
        value = (value.real, value.imag)
    if isinstance(value, (tuple, frozenset)):
        return f"{type(value).__qualname__}:{sorted(map(_shown, value))}"
    bits = _bits(value).hex() if isinstance(value, float) else ""
    return f"{type(value).__qualname__}:{value!r}:{bits}"


def _of_uuid(value: UUID) -> tuple[int, object]:
    return value.int, value.is_safe


def _complex(one: complex, other: complex) -> Pairs:
    return [(one.real, other.real, ".real"), (one.imag, other.imag, ".imag")]


def _slices(one: Any, other: Any) -> Pairs:
    return [(getattr(one, n), getattr(other, n), f".{n}") for n in ("start", "stop", "step")]


def _is_frame(value: Any) -> bool:
    names = ("DataFrame", "Series")
    return type(value).__module__.startswith("pandas") and type(value).__name__ in names


def _frames(one: Any, other: Any) -> Pairs:
    from persist.codec.kinds import pandas

    return [(pandas.parts(one), pandas.parts(other), "")]


def _arrays(one: Any, other: Any) -> Pairs | None:
    if one.dtype != other.dtype or one.shape != other.shape:
        return None
    if one.dtype.names:
        return [(one[name], other[name], f".{name}") for name in one.dtype.names]
    return [] if one.tobytes() == other.tobytes() else None


def _of_the_table(one: Any, other: Any) -> Pairs | None:
    row = row_of(one)
    return [(settings(row, one), settings(row, other), "")] if row else None


def _models(one: Any, other: Any) -> Pairs:
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


_RULES: tuple[tuple[Callable[[Any], bool], Callable[[Any, Any], Pairs | None]], ...] = (
    (lambda v: isinstance(v, complex), _complex),
    # What is safe is no part of `==`.
    (lambda v: type(v) is UUID, lambda a, b: [] if _of_uuid(a) == _of_uuid(b) else None),
    (lambda v: type(v) in (slice, range), _slices),
    (lambda v: isinstance(v, dict), _mapping),
    (lambda v: isinstance(v, (list, tuple, deque)), _sequence),
    (lambda v: isinstance(v, (set, frozenset)), _sets),
    # Keys are never written: they come back from elsewhere.
    (lambda v: type(v).__name__ in ("SecretStr", "SecretBytes"), lambda _one, _other: []),
    (
        lambda v: hasattr(type(v), "__persist_capture__"),
        lambda one, other: [(one.__persist_capture__(), other.__persist_capture__(), "")],
    ),
    (lambda v: type(v) is Lazy, lambda one, other: [(one.get(), other.get(), "")]),
    (_is_frame, _frames),
    (lambda v: hasattr(v, "dtype"), _arrays),
    (lambda v: row_of(v) is not None, _of_the_table),
    (lambda v: hasattr(type(v), "model_fields"), _models),
    (lambda v: hasattr(type(v), "__dataclass_fields__"), _dataclasses),
    (lambda v: hasattr(v, "fold"), _clocks),
    (lambda v: hasattr(v, "as_tuple"), lambda a, b: [] if a.as_tuple() == b.as_tuple() else None),
)
