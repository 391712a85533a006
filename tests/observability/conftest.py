"""What several of these tests start."""

import subprocess

import pytest
from observability.support import COMMAND, receiver, service_in


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service that runs, shared by the tests that only look at it."""
    made = service_in(tmp_path_factory.mktemp("service"))
    with made.server.running():
        made.wait()
        yield made


@pytest.fixture
def webhook():
    """The URL of a receiver of messages, and what it has received."""
    with receiver() as made:
        yield made


@pytest.fixture
def watch():
    """Starts `persist watch`, and ends it after the test."""
    started = []

    def start(*arguments):
        command = [COMMAND, "watch", *map(str, arguments)]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))

    yield start
    for process in started:
        process.kill()
        process.wait()
