"""What waits to be sent, sent now."""

from __future__ import annotations

from persist import _persist


def force_flush(timeout_millis: int = 30_000) -> bool:
    """Send the traces and metrics that wait, where Persist exports them itself.

    Call it at the end of each call of a serverless function, which may be frozen
    until the next one. A process that ends sends what waits by itself, and an
    application with a provider of its own calls that one's `force_flush`.

    Args:
        timeout_millis: How long to wait for it, in milliseconds.

    Returns:
        Whether all of it was sent in this time; True when nothing waits.

    Example:
        >>> persist.force_flush()
        True
    """
    return _persist.flush_telemetry(max(timeout_millis, 0))
