"""The servers that tests of several rooms share, each started once."""

import urllib.request

import pytest
from servers.azurite import azurite as new_azurite
from servers.gcs import fake_gcs
from servers.moto import moto as new_moto
from servers.phoenix import phoenix as new_phoenix
from servers.seaweedfs import seaweedfs


@pytest.fixture(scope="session")
def s3(tmp_path_factory):
    """An S3 server with a bucket named `bucket`."""
    server = seaweedfs(tmp_path_factory.mktemp("seaweedfs"))
    with server.server.running():
        server.make_bucket("bucket")
        yield server


@pytest.fixture(scope="session")
def azure(tmp_path_factory):
    """An Azure server with a container named `bucket`."""
    server = new_azurite(tmp_path_factory.mktemp("azurite"))
    with server.server.running():
        server.make_bucket("bucket")
        yield server


@pytest.fixture(scope="session")
def gcs(tmp_path_factory):
    """A Google server with a bucket named `bucket`."""
    server = fake_gcs(tmp_path_factory.mktemp("gcs"))
    with server.running():
        server.make_bucket("bucket")
        yield server


@pytest.fixture(scope="session")
def moto(tmp_path_factory):
    """An S3 server in memory with a bucket named `bucket`."""
    server = new_moto(tmp_path_factory.mktemp("moto"))
    with server.server.running():
        request = urllib.request.Request(f"{server.endpoint}/bucket", method="PUT")
        urllib.request.urlopen(request).close()
        yield server


@pytest.fixture(scope="session")
def phoenix(tmp_path_factory):
    """A server that takes traces and gives them back."""
    server = new_phoenix(tmp_path_factory.mktemp("phoenix"))
    with server.server.running():
        yield server
