"""Azurite: Azure Blob Storage on this machine, from npm."""

from __future__ import annotations

import shutil
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from servers import Server, free_ports

if TYPE_CHECKING:
    from servers.certificates import Certificate

MAIN = Path(__file__).with_name("node_modules") / "azurite/dist/src/blob/main.js"
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The account that Azurite's documentation publishes."""


@dataclass
class Azurite:
    """A server, and what clients say to reach it."""

    server: Server
    endpoint: str
    authority: Path | None = None

    def variables(self, key: str = KEY) -> dict[str, str]:
        """The environment of a client."""
        return {
            "AZURE_STORAGE_CONNECTION_STRING": f"DefaultEndpointsProtocol=http;"
            f"AccountName={ACCOUNT};AccountKey={key};BlobEndpoint={self.endpoint};"
        }

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """The names of a few blobs."""
        from azure.storage.blob import ContainerClient

        connection = self.variables()["AZURE_STORAGE_CONNECTION_STRING"]
        with ContainerClient.from_connection_string(connection, bucket) as container:
            return list(container.list_blob_names(name_starts_with=prefix))

    def make_bucket(self, name: str) -> None:
        """Make a container, unless it is there."""
        # Not at the top: tests that need no server run before scripts/servers.sh, too.
        from azure.storage.blob import BlobServiceClient

        connection = self.variables()["AZURE_STORAGE_CONNECTION_STRING"]
        with (
            BlobServiceClient.from_connection_string(
                connection, connection_verify=str(self.authority) if self.authority else True
            ) as client,
            client.get_container_client(name) as container,
        ):
            if not container.exists():
                container.create_container()


def azurite(folder: Path, certificate: Certificate | None = None) -> Azurite:
    """A server that keeps its data in this folder; not started yet.

    With a certificate it speaks HTTPS, and takes the tokens of Microsoft Entra as well; it looks at
    all of them but their signature.
    """
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
    scheme, context = "http", None
    if certificate is not None:
        scheme, context = "https", ssl.create_default_context(cafile=certificate.authority)
        command += ["--oauth", "basic"]
        command += ["--cert", str(certificate.certificate), "--key", str(certificate.key)]
    endpoint = f"{scheme}://127.0.0.1:{port}"
    server = Server(command, endpoint, folder / "log.txt", context=context)
    authority = certificate and certificate.authority
    return Azurite(server, f"{endpoint}/{ACCOUNT}", authority)
