"""What the environment asks for, looked up at the first use of a store."""

from __future__ import annotations

import os

METRICS_ENABLED = "PERSIST_METRICS_ENABLED"
METRICS_ADDRESS = "PERSIST_METRICS_ADDR"
HEALTH_URL = "PERSIST_HEALTH_URL"

VARIABLES = {
    METRICS_ENABLED: "`true` (or `1`, `yes`, `on`): serve `/metrics`, `/healthz` and `/readyz`",
    METRICS_ADDRESS: "`HOST:PORT` of that page; `127.0.0.1:9090` by default",
    HEALTH_URL: "the folder that `/readyz` checks, at most every 10 seconds; none by default",
}
"""What is read of the environment, and what it means."""

_YES = {"1", "true", "yes", "on"}
_started_by: int | None = None


def start_if_asked() -> None:
    """Serve the metrics of this process, once, when PERSIST_METRICS_ENABLED says so.

    An address that cannot be had is logged as a warning, never raised.
    """
    global _started_by  # noqa: PLW0603 - once for each process
    if _started_by == os.getpid():
        return
    if os.environ.get(METRICS_ENABLED, "").strip().lower() not in _YES:
        return
    _started_by = os.getpid()
    from persist import _metrics_server  # an HTTP server is much to import for who needs none

    _metrics_server.start(os.environ.get(METRICS_ADDRESS), os.environ.get(HEALTH_URL))
