"""Gives credentials, as the services of the clouds do that a program asks for its own."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, ClassVar

from servers.serving import serving
from servers.spoiling import Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from servers.certificates import Certificate


@dataclass
class Giving:
    """A server that answers each request with the text that a function makes of it."""

    answer: Callable[[str, str, dict[str, str], bytes], str]
    certificate: Certificate | None = None
    requests: list[Seen] = field(default_factory=list)
    url: str = ""

    @contextlib.contextmanager
    def running(self) -> Iterator[Giving]:
        """Run it for the length of a block; with a certificate, by HTTPS."""
        with serving(type("Bound", (_Handler,), {"giving": self}), self.certificate) as self.url:
            yield self


class _Handler(BaseHTTPRequestHandler):
    giving: ClassVar[Giving]

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.giving.requests.append(Seen(self.command, self.path, headers, body))
        text = self.giving.answer(self.command, self.path, headers, body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_PUT = do_POST = _handle

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""
