"""Each cloud's store, one after the other, reached as the environment says."""

import uuid
from dataclasses import dataclass

import persist
import pytest

VARIABLES = ("AWS_", "AZURE_", "AZURITE_", "GOOGLE_", "STORAGE_EMULATOR_HOST")


@dataclass(frozen=True)
class Store:
    """A bucket on a server of this machine."""

    mode: str
    scheme: str
    bucket_argument: str
    error: type[persist.StorageError]
    variables: dict[str, str]
    prefix: str
    server: object

    def url(self, name: str) -> str:
        """The URL of an object that this test alone knows."""
        return f"{self.scheme}://bucket/{self.prefix}/{name}"

    def keys(self) -> list[str]:
        """Every object of this test, also those that are no snapshots."""
        return self.server.keys("bucket", self.prefix)

    def double(self, name: str) -> type[persist.PersistError]:
        """The exception that is this cloud's and of this kind."""
        return getattr(persist, self.error.__name__.replace("Error", name))


KINDS = {
    "s3": ("s3", "s3_bucket", persist.S3Error),
    "azure": ("az", "azure_container", persist.AzureError),
    "gcs": ("gs", "gcs_bucket", persist.GCSError),
}


@pytest.fixture(autouse=True)
def no_cloud_variables(monkeypatch):
    """Nothing of the environment reaches a test that did not ask for it."""
    import os

    for name in list(os.environ):
        if name.startswith(VARIABLES):
            monkeypatch.delenv(name)
    # A test never asks the network of this machine for credentials.
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", "/nonexistent")


@pytest.fixture(params=KINDS)
def store(request, monkeypatch):
    """Each store, with its variables set."""
    server = request.getfixturevalue(request.param)
    scheme, argument, error = KINDS[request.param]
    for name, value in server.variables().items():
        monkeypatch.setenv(name, value)
    prefix = f"tests/{uuid.uuid4().hex}"
    return Store(request.param, scheme, argument, error, server.variables(), prefix, server)


@pytest.fixture
def on_s3(s3, monkeypatch):
    """S3 alone."""
    for name, value in s3.variables().items():
        monkeypatch.setenv(name, value)
    prefix = f"tests/{uuid.uuid4().hex}"
    return Store("s3", "s3", "s3_bucket", persist.S3Error, s3.variables(), prefix, s3)
