"""Work that would block an event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def in_thread(work: Callable[..., T], *arguments: Any) -> T:
    """Run work on a thread, and wait without blocking the event loop.

    Args:
        work: What to do.
        *arguments: What it is given.

    Returns:
        What the work returned.
    """
    import asyncio  # whoever awaits has it; for others it is a third of the start

    return await asyncio.to_thread(work, *arguments)
