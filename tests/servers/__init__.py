"""Real servers on free ports of this machine, started and stopped by the tests that need them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

PATIENCE = 200
"""Seconds that a server may take to answer on a machine with much to do."""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, at this moment."""
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in listeners]


def installed(program: str, *folders: Path) -> str:
    """The path of a program that scripts/servers.sh installs, here, beside Python or in PATH."""
    places = [*folders, Path(sys.executable).parent, os.environ.get("PATH", "")]
    found = shutil.which(program, path=os.pathsep.join(map(str, places)))
    if found is None:
        message = f"these tests need {program}: run scripts/servers.sh"
        raise RuntimeError(message)
    return found


@dataclass
class Server:
    """A program that serves until it is stopped; it can be killed and started again."""

    command: list[str]
    ready: str
    log: Path
    env: dict[str, str] | None = None
    context: ssl.SSLContext | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it, and wait until it answers; fail with its log when it ends before that."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command, stdout=log, stderr=log, env=self.env, start_new_session=True
            )
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            if _answers(self.ready, self.context):
                return
            time.sleep(0.05)
        self.kill()
        message = f"{self.command[0]} does not answer:\n{self.log.read_text()[-3000:]}"
        raise RuntimeError(message)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Kill it and what it started at once, as a power cut would."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
        self._process.wait(timeout=30)
        self._process = None

    @contextlib.contextmanager
    def running(self) -> Iterator[Server]:
        """Run it for the length of a block."""
        self.start()
        try:
            yield self
        finally:
            self.kill()


def _answers(url: str, context: ssl.SSLContext | None) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2, context=context):
            return True
    except urllib.error.HTTPError as answer:
        # A server that refuses an unsigned request is up; one that is not ready says 5xx.
        return answer.code < 500
    except OSError:
        return False
