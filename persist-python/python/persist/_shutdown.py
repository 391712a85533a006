"""Saves an agent when its process is told to stop."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

from persist import _api
from persist.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType

_log = logging.getLogger("persist.shutdown")


def shutdown_hook(
    agent: object,
    path: str | bytes | os.PathLike[str],
    *,
    signals: Iterable[signal.Signals] = (signal.SIGTERM,),
    **options: Any,
) -> ShutdownHook:
    """Save the agent on SIGTERM and when the interpreter exits.

    The handler that was there before is called after the save; where there was
    none, the process ends by the signal as it would have. A child that is
    forked later does not save: call this again in the child.

    Args:
        agent: What is saved, as `persist.snapshot` takes it.
        path: Where it is saved.
        signals: The signals to save on; they are handled in the main thread.
        **options: Anything else that `persist.snapshot` takes.

    Returns:
        The hook; `cancel()` takes it away again.

    Raises:
        ConfigurationError: It is not called from the main thread, or an option is wrong.

    Example:
        >>> hook = persist.shutdown_hook(["hello"], "agent.json.gz", agent_id="bot")
        >>> hook.cancel()
    """
    if threading.current_thread() is not threading.main_thread():
        message = "could not install the shutdown hook: this is not the main thread"
        raise ConfigurationError(message, hint="call persist.shutdown_hook when the process starts")
    # When the process stops it is too late to be told.
    _api.check_options(path, options)  # type: ignore[arg-type]
    return ShutdownHook(lambda: _api.snapshot(agent, path, **options), tuple(signals))


class ShutdownHook:
    """A save that is due when the process stops; made by `shutdown_hook`."""

    def __init__(self, save: Callable[[], object], signals: tuple[signal.Signals, ...]) -> None:
        self._save = save
        self._pid = os.getpid()
        self._cancelled = False
        self._previous = {number: signal.signal(number, self._on_signal) for number in signals}
        atexit.register(self._run)

    def cancel(self) -> None:
        """Do not save any more, and put the earlier signal handlers back."""
        self._cancelled = True
        atexit.unregister(self._run)
        for number, previous in self._previous.items():
            # A handler that was installed after ours stays; it finds ours cancelled.
            if signal.getsignal(number) == self._on_signal:
                signal.signal(number, signal.SIG_DFL if previous is None else previous)

    def _run(self) -> None:
        if self._cancelled or os.getpid() != self._pid:
            return
        try:
            self._save()
        except Exception:  # noqa: BLE001 - the process is stopping: every failure is logged
            _log.exception("could not save the agent at shutdown")

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._run()
        previous = self._previous[signal.Signals(number)]
        if callable(previous):
            previous(number, frame)
        elif previous != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
