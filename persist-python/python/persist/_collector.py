"""Python's cyclic collector, kept from looking at values that are being made in thousands."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def paused() -> Iterator[None]:
    """Keep the collector from running; it costs a fifth of the time and finds nothing here."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        _call_old()
        gc.enable()


def _call_old() -> None:
    """Move what was made to the oldest generation, where the next look at the young ones ends."""
    if not gc.get_freeze_count():
        gc.freeze()
        gc.unfreeze()
