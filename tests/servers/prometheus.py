"""Prometheus and Alertmanager, as Debian packages them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from servers import Server, free_ports, installed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass
class Service:
    """A server, and its URL."""

    server: Server
    url: str


def prometheus(
    folder: Path, targets: Sequence[str], rules: Sequence[Path] = (), alertmanager: str = ""
) -> Service:
    """A Prometheus that scrapes `host:port` targets each second; not started yet.

    Alerts of the rules go to the `host:port` of an Alertmanager, where one is given.
    """
    managers = [{"static_configs": [{"targets": [alertmanager]}]}] if alertmanager else []
    scrape = {"job_name": "persist", "static_configs": [{"targets": list(targets)}]}
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rule.resolve()) for rule in rules],
        "alerting": {"alertmanagers": managers},
        "scrape_configs": [scrape],
    }
    storage = f"--storage.tsdb.path={folder / 'tsdb'}"
    return _service(folder, "prometheus", config, storage)


def alertmanager(folder: Path, webhook: str) -> Service:
    """An Alertmanager that sends every alert to a URL at once; not started yet."""
    config = {
        "route": {"receiver": "hook", "group_wait": "0s", "group_interval": "1s"},
        "receivers": [{"name": "hook", "webhook_configs": [{"url": webhook}]}],
    }
    storage = [f"--storage.path={folder}", "--cluster.listen-address="]
    return _service(folder, "prometheus-alertmanager", config, *storage)


def promtool() -> str:
    """The program that checks rules and metrics."""
    return installed("promtool")


def _service(folder: Path, name: str, config: object, *arguments: str) -> Service:
    (port,) = free_ports(1)
    # JSON is YAML, too.
    path = folder / f"{name}.yml"
    path.write_text(json.dumps(config))
    url = f"http://127.0.0.1:{port}"
    listen = f"--web.listen-address=127.0.0.1:{port}"
    command = [installed(name), f"--config.file={path}", listen, *arguments]
    return Service(Server(command, f"{url}/-/ready", folder / f"{name}.log"), url)
