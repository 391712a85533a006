"""Python's cyclic collector, kept from looking at values that are being made in thousands."""

from __future__ import annotations

import functools
import gc
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class paused:  # noqa: N801 - read as a word: `with paused():`, `@paused()`
    """Keep the collector from running; it costs a fifth of the time and finds nothing here."""

    _was_running = False

    def __enter__(self) -> None:
        """Stop it, if it runs."""
        self._was_running = gc.isenabled()
        if self._was_running:
            gc.disable()

    def __exit__(self, *_: object) -> None:
        """Let it run again."""
        if self._was_running:
            _call_old()
            gc.enable()

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        """Make a function that runs without it."""

        @functools.wraps(function)
        def without(*args: P.args, **kwargs: P.kwargs) -> T:
            with paused():
                return function(*args, **kwargs)

        return without


def _call_old() -> None:
    """Move what was made to the oldest generation, where the next look at the young ones ends."""
    if not gc.get_freeze_count():
        gc.freeze()
        gc.unfreeze()
