"""Whether a store can be used, as the last check of it found."""

from __future__ import annotations

import json
import threading
import time

from persist import _persist

FRESH_SECONDS = 10
"""How long a check stands."""
OLD_SECONDS = 60
"""A check that has taken this long is as good as failed."""
PATIENCE_SECONDS = 0.8
"""How long who asks waits for a check; a probe of Kubernetes gives up after a second."""


class Readiness:
    """Checks a store when somebody asks, one check at a time.

    Args:
        url: The folder: a path or a URL.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._idle = threading.Event()
        self._idle.set()
        self._begun = float("-inf")
        self._last = (False, b'{"healthy":false,"error":"the first check has not ended"}')

    def answer(self) -> tuple[bool, bytes]:
        """Return whether the store is well, and what was found as JSON.

        Returns:
            What the last check found; a check that takes long goes on meanwhile.
        """
        with self._lock:
            is_old = time.monotonic() - self._begun > FRESH_SECONDS
            if is_old and self._idle.is_set():
                self._begun = time.monotonic()
                self._idle.clear()
                threading.Thread(target=self._check, name="persist-health", daemon=True).start()
        self._idle.wait(PATIENCE_SECONDS)
        waiting = time.monotonic() - self._begun
        if not self._idle.is_set() and waiting > OLD_SECONDS:
            text = f"the store has not answered for {waiting:.0f} s"
            return False, json.dumps({"healthy": False, "error": text}).encode()
        return self._last

    def _check(self) -> None:
        try:
            report = _persist.health((self._url, []), with_agents=False)
            self._last = json.loads(report)["healthy"], report.encode()
        except Exception as error:  # noqa: BLE001 - a probe is answered, whatever is wrong
            self._last = False, json.dumps({"healthy": False, "error": str(error)}).encode()
        finally:
            self._idle.set()
