"""Numbers beyond int and float, and identifiers."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any
from uuid import UUID, SafeUUID

from persist.codec._types import Child
from persist.codec.kinds._simple import Simple
from persist.exceptions import FormatError

if TYPE_CHECKING:
    from persist.codec._types import Read


def _fraction(node: Any, read: Read) -> Fraction:
    parts = read.child(node[0], ".numerator"), read.child(node[1], ".denominator")
    if [type(part) for part in parts] != [int, int]:
        # A text could stand for a number that fills memory, as "1e999999999".
        message = f"{read.path} is not a fraction of integers"
        raise FormatError(message)
    return Fraction(*parts)


def _uuid(value: UUID) -> object:
    """Its text, and whether it was made safely between processes, where that is known."""
    is_known = type(value.is_safe) is SafeUUID and value.is_safe is not SafeUUID.unknown
    return [str(value), value.is_safe.name] if is_known else str(value)


def _read_uuid(node: Any, _: Read) -> UUID:
    if type(node) is not list:
        return UUID(node)
    text, is_safe = node
    return UUID(text, is_safe=SafeUUID[is_safe])


def _path(name: str, cls: type[PurePath]) -> Simple:
    """Paths of one class; bytes that are no text stand in them as lone surrogates."""
    return Simple(
        name,
        f"{cls.__module__}.{cls.__name__}",
        lambda v: Child(str(v), ""),
        lambda n, r: cls(r.child(n, "")),
    )


KINDS = (
    Simple(
        "complex",
        "builtins.complex",
        lambda v: [Child(v.real, ".real"), Child(v.imag, ".imag")],
        lambda n, r: complex(r.child(n[0], ".real"), r.child(n[1], ".imag")),
    ),
    Simple("decimal", "decimal.Decimal", str, lambda n, _: Decimal(n)),
    Simple(
        "fraction",
        "fractions.Fraction",
        lambda v: [Child(v.numerator, ".numerator"), Child(v.denominator, ".denominator")],
        _fraction,
    ),
    Simple("uuid", "uuid.UUID", _uuid, _read_uuid),
    _path("path", type(Path())),
    _path("posixpath", PurePosixPath),
    _path("windowspath", PureWindowsPath),
)
