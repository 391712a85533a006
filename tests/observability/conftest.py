"""A service that runs, shared by the tests that only look at it."""

import pytest
from observability.support import service_in


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service that runs."""
    made = service_in(tmp_path_factory.mktemp("service"))
    with made.server.running():
        made.wait()
        yield made
