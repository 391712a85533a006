"""A service that serves its metrics, and questions to those who watch it."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from servers import Server, free_ports

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


@dataclass
class Service:
    """A process that serves metrics at `host:port`, and the folder of its snapshots."""

    server: Server
    address: str
    folder: Path

    def wait(self) -> None:
        """Wait until it has saved, and failed, for the first time."""
        counted = re.compile(r"^persist_verify_failures_total\S* [1-9]", re.MULTILINE)
        until(lambda: counted.search(ask(f"http://{self.address}/metrics")[1]))


def service_in(folder: Path) -> Service:
    """The application, with its snapshots below this folder; not started yet."""
    (port,) = free_ports(1)
    address, snapshots = f"127.0.0.1:{port}", folder / "snapshots"
    snapshots.mkdir()
    env = {
        **os.environ,
        "PERSIST_METRICS_ENABLED": "true",
        "PERSIST_METRICS_ADDR": address,
        "PERSIST_HEALTH_URL": str(snapshots),
    }
    command = [sys.executable, str(APPLICATION), str(snapshots)]
    return Service(
        Server(command, f"http://{address}/healthz", folder / "service.log", env),
        address,
        snapshots,
    )
