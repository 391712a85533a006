"""A proxy before a real store that spoils one request after the other, as it is told."""

from __future__ import annotations

import contextlib
import http.client
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, ClassVar

from servers.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

DROPPED = {"connection", "transfer-encoding", "keep-alive"}


LATE = 1
ALTERED = 100
"""The byte of an answer that `altered` changes: in a snapshot, one of the agent's name."""


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Spoiling:
    """The proxy: each request takes the next fault; what is beyond the last passes.

    Faults: a number is an answer with this status instead of the store's; `lost` passes the request
    on and breaks the connection instead of answering; `changed` passes the request on with another
    body; `short` cuts the answer's body, `cut` does so and says that it is all, and `altered`
    changes a byte of it; `error in 200` answers 200 with an error in the body; `late` answers after
    a second, and `slow` not before the client has gone; `pass` passes.
    """

    upstream: str
    faults: deque[int | str] = field(default_factory=deque)
    seen: list[str] = field(default_factory=list)
    requests: list[Seen] = field(default_factory=list)
    url: str = ""

    @contextlib.contextmanager
    def running(self) -> Iterator[Spoiling]:
        """Run it for the length of a block."""
        with serving(type("Bound", (_Handler,), {"proxy": self})) as self.url:
            yield self


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: ClassVar[Spoiling]

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        fault = self.proxy.faults.popleft() if self.proxy.faults else "pass"
        self.proxy.seen.append(f"{self.command} {self.path}")
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.proxy.requests.append(Seen(self.command, self.path, headers, body))
        if isinstance(fault, int):
            return self._answer(fault, {}, b"<Error><Code>SlowDown</Code></Error>")
        if fault == "error in 200":
            return self._answer(200, {}, b"<Error><Code>InternalError</Code></Error>")
        if fault == "changed":
            body = bytes([body[0] ^ 1]) + body[1:]
        status, headers, answer = self._ask(body)
        if fault == "lost":
            self.close_connection = True
            return None
        if fault == "late":
            time.sleep(LATE)
        if fault == "slow":
            self.connection.recv(1)
            self.close_connection = True
            return None
        if fault == "cut":
            answer = answer[: len(answer) // 2]
        if fault == "altered":
            changed = answer[ALTERED] ^ 1
            answer = answer[:ALTERED] + bytes([changed]) + answer[ALTERED + 1 :]
        return self._answer(status, headers, answer, is_short=fault == "short")

    def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        host = self.proxy.upstream.partition("://")[2]
        with contextlib.closing(http.client.HTTPConnection(host, timeout=30)) as upstream:
            # The signature covers the name of the host that the client asked.
            headers = {k: v for k, v in self.headers.items() if k.lower() not in DROPPED}
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def _answer(
        self, status: int, headers: dict[str, str], body: bytes, *, is_short: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in DROPPED | {"content-length"}:
                self.send_header(name, value)
        length = headers.get("Content-Length") if self.command == "HEAD" else len(body)
        self.send_header("Content-Length", str(length or 0))
        self.end_headers()
        self.close_connection = is_short
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if is_short else body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _handle

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""
