"""The faults need tools; in CI a missing one is a failure."""

import importlib.util
import shutil
import sys
from pathlib import Path

TOOLS = ("strace", "mount")
_spec = importlib.util.spec_from_file_location("support", Path(__file__).with_name("support.py"))
support = importlib.util.module_from_spec(_spec)
sys.modules["support"] = support
_spec.loader.exec_module(support)


def pytest_configure():
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        message = f"the fault tests need {', '.join(missing)}: run scripts/bootstrap.sh as root"
        raise RuntimeError(message)
