"""Work that would block an event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from persist import _persist

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def in_thread(work: Callable[..., T], *arguments: Any, **options: Any) -> T:
    """Run work on a thread, and wait without blocking the event loop.

    When the waiting task is cancelled, what the work does on a cloud's store is
    ended; the task ends when the work has.

    Args:
        work: What to do.
        *arguments: What it is given.
        **options: What it is given by name.

    Returns:
        What the work returned.
    """
    import asyncio  # whoever awaits has it; for others it is a third of the start

    cancel = _persist.Cancel()

    def run() -> T:
        cancel.enter()
        try:
            return work(*arguments, **options)
        finally:
            _persist.Cancel.leave()

    running = asyncio.ensure_future(asyncio.to_thread(run))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        cancel.cancel()
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # the work was told to end: that it failed is no news
        raise
