"""The page that Prometheus reads, served when the environment asks for it."""

from __future__ import annotations

import logging
import os
import socket
import threading
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from persist import _persist
from persist._observability import METRICS_ADDRESS, MULTIPROCESS
from persist._readiness import Readiness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DEFAULT_ADDRESS = "127.0.0.1:9090"

_REQUEST_SECONDS = 10
# Nobody shuts it down: there is nothing to look for between two requests.
_IDLE_SECONDS = 3600

_log = logging.getLogger("persist.metrics")


class _Server(ThreadingMixIn, WSGIServer):
    """Answers on threads of its own."""

    daemon_threads = True
    # With it, some versions of Python let a second process take the port of the first.
    allow_reuse_port = False

    def __init__(self, host: str, port: int) -> None:
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server for this machine's name, as the base does."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", int(self.server_address[1])
        self.setup_environ()


class _Handler(WSGIRequestHandler):
    timeout = _REQUEST_SECONDS

    def log_message(self, *_: object) -> None:
        """Write no line for each scrape."""


class _Page:
    """The WSGI application: `/metrics`, `/healthz` and `/readyz`."""

    def __init__(self, health_url: str | None) -> None:
        self._readiness = Readiness(health_url) if health_url else None

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., object]
    ) -> Iterable[bytes]:
        status, kind, body = self._answer(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _answer(self, method: str, path: str) -> tuple[str, str, bytes]:
        if method not in {"GET", "HEAD"}:
            return "405 Method Not Allowed", "text/plain", b"ask with GET\n"
        if path == "/metrics":
            text = _persist.render_metrics().encode()
            return "200 OK", "text/plain; version=0.0.4; charset=utf-8", text
        if path == "/healthz":
            return "200 OK", "application/json", b'{"healthy":true}'
        if path == "/readyz":
            is_healthy, body = (
                self._readiness.answer() if self._readiness else (True, b'{"healthy":true}')
            )
            status = "200 OK" if is_healthy else "503 Service Unavailable"
            return status, "application/json", body
        return "404 Not Found", "text/plain", b"see /metrics, /healthz and /readyz\n"


_serving: _Server | None = None


def start(address: str | None, health_url: str | None) -> None:
    """Serve the page; an address that cannot be had is logged.

    Args:
        address: HOST:PORT; None for the default.
        health_url: The store that `/readyz` checks; None for none.
    """
    global _serving  # noqa: PLW0603 - one server for each process
    address = address or DEFAULT_ADDRESS
    try:
        host, _, port = address.rpartition(":")
        server = _Server(host.strip("[]"), int(port))
        server.set_app(_Page(health_url))
        name, arguments = "persist-metrics", (_IDLE_SECONDS,)
        thread = threading.Thread(
            target=server.serve_forever, args=arguments, name=name, daemon=True
        )
        thread.start()
    except (OSError, ValueError, OverflowError, RuntimeError) as error:
        _log.warning(
            "could not serve metrics at %r: %s; set %s to a free HOST:PORT (9090 is also the port "
            "of Prometheus itself), or %s where several processes count",
            address,
            error,
            METRICS_ADDRESS,
            MULTIPROCESS,
        )
        return
    _serving = server
    _log.info("metrics are served at http://%s:%s/metrics", *server.server_address[:2])


def _in_child() -> None:
    """Let go of the socket of the parent."""
    global _serving  # noqa: PLW0603 - one server for each process
    if _serving is not None:
        _serving.socket.close()
        _serving = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
