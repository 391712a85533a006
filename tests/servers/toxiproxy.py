"""Toxiproxy: stands between a client and a server, and spoils what passes."""

from __future__ import annotations

import contextlib
import json
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from servers import Server, free_ports, installed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Toxiproxy:
    """A proxy before one server."""

    server: Server
    control: str
    address: str
    upstream: str

    @contextlib.contextmanager
    def running(self) -> Iterator[Toxiproxy]:
        """Run it for the length of a block; nothing is spoiled yet."""
        with self.server.running():
            self._ask("POST", "/proxies", name="p", listen=self.address, upstream=self.upstream)
            yield self

    @contextlib.contextmanager
    def toxic(self, kind: str, stream: str = "downstream", **attributes: int) -> Iterator[None]:
        """Spoil what passes within a block: `downstream` is what the server answers."""
        self._ask("POST", "/proxies/p/toxics", type=kind, stream=stream, attributes=attributes)
        try:
            yield
        finally:
            self._ask("POST", "/reset")

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Break every connection and take no other, within a block."""
        self._ask("POST", "/proxies/p", enabled=False)
        try:
            yield
        finally:
            self._ask("POST", "/reset")

    def _ask(self, method: str, path: str, **body: Any) -> None:
        # The proxy refuses the user agents of browsers, and of requests that name none.
        headers = {"User-Agent": "persist-tests", "Content-Type": "application/json"}
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.control + path, data, headers, method=method)
        urllib.request.urlopen(request, timeout=30).close()


def toxiproxy(folder: Path, upstream: str) -> Toxiproxy:
    """A proxy before `host:port`; not started yet."""
    control, port = free_ports(2)
    command = [installed("toxiproxy-server"), "-host=127.0.0.1", f"-port={control}"]
    url = f"http://127.0.0.1:{control}"
    server = Server(command, f"{url}/version", folder / "toxiproxy.log")
    return Toxiproxy(server, url, f"127.0.0.1:{port}", upstream)
