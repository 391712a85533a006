"""How much a value becomes where what is shared is written each time it is met.

A few lines of a file can make a list of lists that are one list, 2^30 times over; most serializers
of checkpoints write all of it.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

from persist.exceptions import LimitExceededError

_NODE: Final = 64
_SMALL: Final = 8 << 20
"""What any value may become, in about as many bytes."""
_TIMES: Final = 32
"""What a value may become, as a multiple of what it is."""
_SCALARS = (str, bytes, bytearray, int, float, type(None))


def check(serde: Any, value: object, path: str) -> None:
    """Refuse a value that a serializer would make many times as large.

    Args:
        serde: The serializer.
        value: The value; it may come from anybody.
        path: What errors call it.

    Raises:
        LimitExceededError: It would.
    """
    once, unfolded = _sizes(value)
    if unfolded > max(_SMALL, _TIMES * once) and _unfolds(serde):
        message = (
            f"{path} is {unfolded // once} times as large where what it shares is written twice"
        )
        hint = "restore it with a serializer (serde=) that keeps what is shared"
        raise LimitExceededError(message, hint=hint)


def _unfolds(serde: Any) -> bool:
    """Whether a serializer writes a list again each time that it meets it."""
    value: list[Any] = []
    for _ in range(10):
        value = [value, value]
    try:
        return len(serde.dumps_typed(value)[1]) > 1 << 10
    except Exception:  # noqa: BLE001 - whatever a serializer raises
        return True


def _sizes(value: object) -> tuple[int, int]:
    """How large a value is, and how large it is when what is shared counts each time."""
    once = 0
    unfolded: dict[int, int] = {}
    pending: list[tuple[Any, Any]] = [(value, None)]
    while pending:
        item, children = pending.pop()
        if children is not None:
            own = _NODE * (1 + len(children))
            once += own
            unfolded[id(item)] = own + sum(unfolded[id(child)] for child in children)
        elif id(item) not in unfolded:
            unfolded[id(item)] = _length(item)  # what contains itself ends there
            once += _length(item)
            if not isinstance(item, _SCALARS):
                children = list(_children(item))
                pending.append((item, children))
                pending.extend((child, None) for child in children)
    return once, unfolded[id(value)]


def _length(value: object) -> int:
    return len(value) if isinstance(value, (str, bytes, bytearray)) else 0


def _children(value: Any) -> Any:
    if isinstance(value, dict):
        return [*value, *value.values()] if _has_odd_key(value) else value.values()
    if isinstance(value, (list, tuple, set, frozenset)):
        return value
    held = getattr(value, "__dict__", None)
    if held is not None:
        extra = getattr(value, "__pydantic_extra__", None)
        return [*held.values(), extra] if extra else held.values()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name, None) for field in dataclasses.fields(value)]
    return ()


def _has_odd_key(value: dict[Any, Any]) -> bool:
    return any(type(key) is not str for key in value)
