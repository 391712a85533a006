"""The page that Prometheus reads, served when the environment asks for it."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from persist import _persist
from persist._observability import METRICS_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DEFAULT_ADDRESS = "127.0.0.1:9090"

_HEALTH_SECONDS = 10
_UPKEEP_SECONDS = 5

_log = logging.getLogger("persist.metrics")


class _Server(ThreadingMixIn, WSGIServer):
    """Answers on threads of its own, and keeps the counts small when nobody asks."""

    daemon_threads = True

    def service_actions(self) -> None:
        _persist.render_metrics()

    def server_bind(self) -> None:
        """Bind without asking a name server for this machine's name, as the base does."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", int(self.server_address[1])
        self.setup_environ()


class _Handler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Write no line for each scrape."""


class _Page:
    """The WSGI application: `/metrics`, `/healthz` and `/readyz`."""

    def __init__(self, health_url: str | None) -> None:
        self._health_url = health_url
        self._lock = threading.Lock()
        self._health: tuple[float, bytes, bool] | None = None

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., object]
    ) -> Iterable[bytes]:
        status, kind, body = self._answer(environ["PATH_INFO"])
        start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    def _answer(self, path: str) -> tuple[str, str, bytes]:
        if path == "/metrics":
            text = _persist.render_metrics().encode()
            return "200 OK", "text/plain; version=0.0.4; charset=utf-8", text
        if path == "/healthz":
            return "200 OK", "application/json", b'{"healthy":true}'
        if path == "/readyz":
            body, is_healthy = self._ready()
            status = "200 OK" if is_healthy else "503 Service Unavailable"
            return status, "application/json", body
        return "404 Not Found", "text/plain", b"see /metrics, /healthz and /readyz\n"

    def _ready(self) -> tuple[bytes, bool]:
        if self._health_url is None:
            return b'{"healthy":true}', True
        with self._lock:
            if self._health is None or time.monotonic() - self._health[0] > _HEALTH_SECONDS:
                self._health = (time.monotonic(), *_checked(self._health_url))
            return self._health[1:]


def _checked(url: str) -> tuple[bytes, bool]:
    try:
        report = _persist.health(url)
    except Exception as error:  # noqa: BLE001 - a probe is answered, whatever is wrong
        return json.dumps({"healthy": False, "error": str(error)}).encode(), False
    return report.encode(), json.loads(report)["healthy"]


_serving: _Server | None = None


def start(address: str | None, health_url: str | None) -> None:
    """Begin to count, and serve the page; an address that cannot be had is logged.

    Args:
        address: HOST:PORT; None for the default.
        health_url: The store that `/readyz` checks; None for none.
    """
    global _serving  # noqa: PLW0603 - one server for each process
    address = address or DEFAULT_ADDRESS
    _persist.start_metrics()
    try:
        host, _, port = address.rpartition(":")
        server = _Server((host.strip("[]"), int(port)), _Handler)
    except (OSError, ValueError, OverflowError) as error:
        _log.warning(
            "could not serve metrics at %r: %s; set %s to a free HOST:PORT (9090 is also "
            "the port of Prometheus itself)",
            address,
            error,
            METRICS_ADDRESS,
        )
        return
    server.set_app(_Page(health_url or None))
    _serving = server
    name, arguments = "persist-metrics", (_UPKEEP_SECONDS,)
    threading.Thread(target=server.serve_forever, args=arguments, name=name, daemon=True).start()
    _log.info("metrics are served at http://%s:%s/metrics", *server.server_address[:2])


def _in_child() -> None:
    """Let go of the socket of the parent."""
    global _serving  # noqa: PLW0603 - one server for each process
    if _serving is not None:
        _serving.socket.close()
        _serving = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
