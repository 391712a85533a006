"""Azurite: Azure Blob Storage on this machine, from npm."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from servers import Server, free_ports

MAIN = Path(__file__).with_name("node_modules") / "azurite/dist/src/blob/main.js"
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The account that Azurite's documentation publishes."""


@dataclass
class Azurite:
    """A server, and what clients say to reach it."""

    server: Server
    endpoint: str

    def variables(self, key: str = KEY) -> dict[str, str]:
        """The environment of a client."""
        return {
            "AZURE_STORAGE_CONNECTION_STRING": f"DefaultEndpointsProtocol=http;"
            f"AccountName={ACCOUNT};AccountKey={key};BlobEndpoint={self.endpoint};"
        }

    def make_bucket(self, name: str) -> None:
        """Make a container, unless it is there."""
        # Not at the top: tests that need no server run before scripts/servers.sh, too.
        from azure.storage.blob import BlobServiceClient

        connection = self.variables()["AZURE_STORAGE_CONNECTION_STRING"]
        with (
            BlobServiceClient.from_connection_string(connection) as client,
            client.get_container_client(name) as container,
        ):
            if not container.exists():
                container.create_container()


def azurite(folder: Path) -> Azurite:
    """A server that keeps its data in this folder; not started yet."""
    node = shutil.which("node")
    if node is None or not MAIN.exists():
        pytest.fail("these tests need Azurite: run scripts/servers.sh")
    (port,) = free_ports(1)
    command = [
        node,
        str(MAIN),
        "--blobHost",
        "127.0.0.1",
        "--blobPort",
        str(port),
        "--location",
        str(folder),
        "--silent",
        "--skipApiVersionCheck",
        "--disableTelemetry",
    ]
    endpoint = f"http://127.0.0.1:{port}"
    return Azurite(Server(command, endpoint, folder / "log.txt"), f"{endpoint}/{ACCOUNT}")
