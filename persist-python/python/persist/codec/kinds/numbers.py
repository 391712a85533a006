"""Numbers beyond int and float, and identifiers."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath
from uuid import UUID

from persist.codec._types import Child
from persist.codec.kinds._simple import Simple

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
        lambda n, r: Fraction(r.child(n[0], ".numerator"), r.child(n[1], ".denominator")),
    ),
    Simple("uuid", "uuid.UUID", str, lambda n, _: UUID(n)),
    Simple("path", f"{Path.__module__}.{type(Path()).__name__}", str, lambda n, _: Path(n)),
    Simple(
        "posixpath",
        f"{PurePosixPath.__module__}.PurePosixPath",
        str,
        lambda n, _: PurePosixPath(n),
    ),
    Simple(
        "windowspath",
        f"{PureWindowsPath.__module__}.PureWindowsPath",
        str,
        lambda n, _: PureWindowsPath(n),
    ),
)
