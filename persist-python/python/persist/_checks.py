"""What a caller says of a snapshot, checked before the core takes it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from persist.exceptions import ConfigurationError

_TEXTS = ("agent_id", "session_id", "description", "parent", "compression")
_MOST = 2**63


def check_description(given: Mapping[str, Any]) -> None:
    """Refuse what metadata cannot hold.

    Args:
        given: The arguments of `snapshot` that describe the snapshot.

    Raises:
        ConfigurationError: One of them is of another type, or no text of UTF-8.
    """
    for name in _TEXTS:
        if given.get(name) is not None and not _is_text(given[name]):
            raise _wrong(name, given[name], "pass a text of valid Unicode")
    index = given.get("snapshot_index", 0)
    if type(index) is not int or not 0 <= index < _MOST:
        raise _wrong("snapshot_index", index, "number snapshots from 0")
    tags = given.get("tags") or {}
    if not isinstance(tags, Mapping) or not all(_is_text(x) for pair in tags.items() for x in pair):
        raise _wrong("tags", tags, "pass a dict of names and texts")
    if given.get("parent") is not None and not _is_id(given["parent"]):
        raise _wrong("parent", given["parent"], "pass the snapshot_id of another snapshot")


def names(given: object) -> frozenset[str]:
    """Return the names of fields in a list.

    Args:
        given: What the caller gave as `redact`.

    Raises:
        ConfigurationError: It is one text, whose letters would be the names, or holds none.
    """
    if isinstance(given, (str, bytes)) or not hasattr(given, "__iter__"):
        raise _wrong("redact", given, 'pass a list of names, as ["owner"]')
    return frozenset(given)


def _is_text(value: object) -> bool:
    if not isinstance(value, str):
        return False
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_id(value: str) -> bool:
    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True


def _wrong(name: str, value: object, hint: str) -> ConfigurationError:
    return ConfigurationError(f"{name} cannot be {value!r:.80}", hint=hint)
