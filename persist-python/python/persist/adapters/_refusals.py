"""What adapters refuse: raised, or gathered for `persist.inspect`."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from persist.exceptions import CaptureError

_gathered: ContextVar[list[CaptureError] | None] = ContextVar("gathered", default=None)


@contextmanager
def gathering() -> Iterator[list[CaptureError]]:
    """Gather what is refused in this context, instead of raising the first."""
    found: list[CaptureError] = []
    token = _gathered.set(found)
    try:
        yield found
    finally:
        _gathered.reset(token)


def refuse(error: CaptureError) -> None:
    """Raise an error, unless all that are refused are gathered: then go on behind it.

    Args:
        error: What cannot be captured, and why.

    Raises:
        CaptureError: This one.
    """
    found = _gathered.get()
    if found is None:
        raise error
    found.append(error)
