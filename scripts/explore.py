"""A plug-in of pytest: the tests of hypothesis take more examples, and at random.

usage: pytest -p explore --hypothesis-profile=default   (see scripts/explore.sh)
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("TIMES", "10"))


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Give each test of a property its own settings, but for the number of examples."""
    seen: set[int] = set()
    for item in items:
        function = getattr(item, "obj", None)
        function = getattr(function, "__func__", function)
        if hasattr(function, "hypothesis") and id(function) not in seen:
            seen.add(id(function))
            # The decorator keeps them here; hypothesis has no call that changes them afterwards.
            name = "_hypothesis_internal_use_settings"
            setattr(function, name, _more(getattr(function, name)))
        machine = getattr(item, "cls", None)
        if hasattr(machine, "settings") and id(machine) not in seen:
            seen.add(id(machine))
            machine.settings = _more(machine.settings)


def _more(given: settings) -> settings:
    return settings(
        given,
        max_examples=given.max_examples * TIMES,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
