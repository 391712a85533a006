"""A service that serves its metrics, and questions to those who watch it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import sysconfig
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING

from servers import Server, free_ports
from servers.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = Path(sysconfig.get_path("scripts")) / "persist"
APPLICATION = Path(__file__).with_name("application.py")


def ask(url: str) -> tuple[int, str]:
    """The status and the text that a server answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()


def query(prometheus: str, expression: str) -> list[dict]:
    """The samples that Prometheus answers to PromQL, without those that are no number."""
    asked = urllib.parse.urlencode({"query": expression})
    answer = json.loads(ask(f"{prometheus}/api/v1/query?{asked}")[1])
    return [sample for sample in answer["data"]["result"] if sample["value"][1] != "NaN"]


def until(found, seconds=90):
    """What `found` returns, as soon as it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = found()
        if result:
            return result
        time.sleep(0.2)
    message = f"still nothing after {seconds} s"
    raise AssertionError(message)


def take_away(store: Path) -> None:
    """Put a file where the folder of a store is, though somebody writes to it meanwhile."""

    def is_a_file():
        # Who writes would make the folder again.
        with contextlib.suppress(OSError):
            store.rename(store.with_name(f"gone-{time.monotonic_ns()}"))
            store.write_text("no folder any more")
        return store.is_file()

    until(is_a_file)


def alerts_of(messages: list[dict], name: str) -> list[dict]:
    """The alerts of this name in the messages of an Alertmanager, or of `persist watch`."""
    alerts = [alert for message in messages for alert in message["alerts"]]
    return [alert for alert in alerts if alert["labels"]["alertname"] == name]


@contextlib.contextmanager
def receiver(refused: int = 0) -> Iterator[tuple[str, list[dict]]]:
    """A webhook that refuses its first messages: its URL, and the messages that it took."""
    asked, taken = [], []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(message)
            is_taken = len(asked) > refused
            if is_taken:
                taken.append(message)
            self.send_response(200 if is_taken else 503)
            self.end_headers()

        def log_message(self, *_):
            pass

    with serving(Receiver) as url:
        yield f"{url}/secret", taken


@dataclass
class Service:
    """A process that serves metrics at `host:port`, and the store of its snapshots."""

    server: Server
    address: str
    store: str

    def wait(self) -> None:
        """Wait until it has saved, and failed, for the first time."""
        counted = re.compile(r"^persist_verify_failures_total\S* [1-9]", re.MULTILINE)
        until(lambda: counted.search(ask(f"http://{self.address}/metrics")[1]))


def service_in(folder: Path, store: str | None = None, **variables: str) -> Service:
    """The application, with its snapshots in this store, or below the folder; not started yet."""
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    if store is None:
        (folder / "snapshots").mkdir()
        store = str(folder / "snapshots")
    env = {
        **os.environ,
        "PERSIST_METRICS_ENABLED": "true",
        "PERSIST_METRICS_ADDR": address,
        "PERSIST_HEALTH_URL": store,
        **variables,
    }
    command = [sys.executable, str(APPLICATION), store, str(folder / "damaged.json.gz")]
    url = f"http://{address}/healthz"
    return Service(Server(command, url, folder / "service.log", env), address, store)
