"""The faults need tools; in CI a missing one is a failure."""

import shutil
from pathlib import Path

from loading import load

TOOLS = ("strace", "mount")
support = load(Path(__file__).with_name("support.py"))


def pytest_configure():
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        message = f"the fault tests need {', '.join(missing)}: run scripts/bootstrap.sh as root"
        raise RuntimeError(message)
