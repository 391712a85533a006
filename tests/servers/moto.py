"""moto: Amazon's S3 in memory, with every option of a write; it checks no credentials."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from servers import Server, free_ports


@dataclass
class Moto:
    """A server, and what clients say to reach it."""

    server: Server
    endpoint: str

    def variables(self) -> dict[str, str]:
        """The environment of a client."""
        return {
            "AWS_ACCESS_KEY_ID": "anything",
            "AWS_SECRET_ACCESS_KEY": "anything",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.endpoint,
        }


def moto(folder: Path) -> Moto:
    """A server that keeps its log in this folder; not started yet."""
    (port,) = free_ports(1)
    program = Path(sys.executable).with_name("moto_server")
    endpoint = f"http://127.0.0.1:{port}"
    command = [str(program), "-H", "127.0.0.1", "-p", str(port)]
    return Moto(Server(command, f"{endpoint}/moto-api/", folder / "moto.log"), endpoint)
