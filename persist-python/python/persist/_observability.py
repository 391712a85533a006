"""What the environment asks for, looked up at the first use of a store."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from persist import _persist
from persist.exceptions import PersistError

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@contextmanager
def refusals() -> Iterator[None]:
    """Count what is refused in this block as a snapshot that failed.

    The core counts what fails later.

    Yields:
        Nothing.
    """
    start_if_asked()
    try:
        yield
    except PersistError as error:
        _persist.count_refusal(error.kind)
        raise
