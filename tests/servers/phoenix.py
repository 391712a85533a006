"""Arize Phoenix: takes traces by OTLP and gives them back, as developers of agents use it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from servers import Server, free_ports, installed


@dataclass
class Phoenix:
    """A server, and where it takes traces: `/v1/traces` of the URL, and gRPC at `grpc`."""

    server: Server
    url: str
    grpc: str

    @property
    def spans(self) -> str:
        """Where every span is read back, as OTLP in JSON."""
        return f"{self.url}/v1/projects/default/spans/otlpv1"


def phoenix(folder: Path) -> Phoenix:
    """A server that keeps its data in this folder; not started yet."""
    port, grpc = free_ports(2)
    own = Path(sys.executable).parents[1] / "phoenix/bin"
    env = os.environ | {
        "PHOENIX_WORKING_DIR": str(folder),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(grpc),
        "PHOENIX_SQL_DATABASE_URL": "sqlite:///:memory:",
        "PHOENIX_LOG_MIGRATIONS": "false",
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
    }
    url = f"http://127.0.0.1:{port}"
    command = [installed("phoenix", own), "serve"]
    server = Server(command, f"{url}/healthz", folder / "phoenix.log", env)
    return Phoenix(server, url, f"http://127.0.0.1:{grpc}")
