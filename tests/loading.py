"""What tests import that is in no package: programs, and what several folders share."""

import importlib.util
import sys


def load(path):
    """A new module of what is at this path, which classes find again under the file's name."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module
