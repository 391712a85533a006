"""What the environment asks for, looked up at the first use of a store."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from persist import _persist, _tracing, exceptions
from persist.exceptions import PersistError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import TracebackType

METRICS_ENABLED = "PERSIST_METRICS_ENABLED"
METRICS_ADDRESS = "PERSIST_METRICS_ADDR"
HEALTH_URL = "PERSIST_HEALTH_URL"
MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"

VARIABLES = {
    METRICS_ENABLED: (
        "`false`",
        "`true` (or `1`, `yes`, `on`): serve `/metrics`, `/healthz` and `/readyz`.",
    ),
    METRICS_ADDRESS: ("`127.0.0.1:9090`", "`HOST:PORT` of that page."),
    HEALTH_URL: ("none", "The folder that `/readyz` checks, at most every 10 seconds."),
    MULTIPROCESS: (
        "none",
        "The folder of `prometheus_client`'s multiprocess mode: counts go there instead of a page.",
    ),
}
"""What is read of the environment: the default, and what it means."""

_YES = {"1", "true", "yes", "on"}
_OTHER = "other"
_KINDS = {error.kind for error in vars(exceptions).values() if hasattr(error, "kind")}

_is_started = False
_counting = False
_lock = threading.Lock()


def start_counting() -> None:
    """Begin to count in this process, and go on in those that it forks.

    Raises:
        ConfigurationError: Something else records metrics in Persist's core.
    """
    global _counting  # noqa: PLW0603 - once for each process
    _tracing.start()
    _persist.start_metrics(sorted({*_KINDS, _OTHER}))
    _counting = True


def start_if_asked() -> None:
    """Publish the metrics of this process when the environment says so, at the first call.

    What cannot be had is logged as a warning, never raised.
    """
    global _is_started  # noqa: PLW0603 - once for each process
    if _is_started:
        return
    with _lock:
        if not _is_started:
            _is_started = True
            _start()


def _start() -> None:
    _tracing.start()
    is_served = os.environ.get(METRICS_ENABLED, "").strip().lower() in _YES
    if is_served or _persist.pushes_metrics():
        start_counting()
    if not is_served:
        return
    # Both are much to import for who needs none.
    if os.environ.get(MULTIPROCESS):
        from persist import _multiprocess

        _multiprocess.start()
    else:
        from persist import _metrics_server

        _metrics_server.start(os.environ.get(METRICS_ADDRESS), os.environ.get(HEALTH_URL))


class _Refusals:
    """Counts an error of this kind that ends the block as a snapshot that failed."""

    def __init__(self, counted: type[PersistError]) -> None:
        self._counted = counted

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if _counting and isinstance(error, self._counted):
            _persist.count_refusal(error.kind if error.kind in _KINDS else _OTHER)


def refusals(kind: type[PersistError]) -> AbstractContextManager[None]:
    """Count what is refused in a block as a snapshot that failed.

    Args:
        kind: The errors that the core does not count itself.

    Returns:
        What the block is entered with.
    """
    return _Refusals(kind) if _counting else _tracing.NOTHING


class _Capturing(_Refusals):
    """Does so inside a span."""

    def __init__(self, name: str) -> None:
        super().__init__(PersistError)
        self._span = _tracing.part(name)

    def __enter__(self) -> None:
        self._span.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        self._span.__exit__(kind, error, trace)


def capturing(name: str) -> AbstractContextManager[None]:
    """Measure a part of a snapshot, and count what is refused in it.

    Args:
        name: The name of its span.

    Returns:
        What the block is entered with.
    """
    is_observed = _counting or _tracing.is_heard()
    return _Capturing(name) if is_observed else _tracing.NOTHING


def _in_child() -> None:
    """Count from zero: what a thread of the parent held would never be let go."""
    global _lock, _is_started
    _lock, _is_started = threading.Lock(), False
    if _counting:
        _persist.forget_metrics()
        start_counting()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
