"""Makes the root's pyproject.toml from persist-python's, so that `pip install .` works from both.

usage: python scripts/gen_root_pyproject.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTE = "# Generated from persist-python/pyproject.toml by scripts/gen_root_pyproject.py.\n"
MOVED = {
    'manifest-path = "Cargo.toml"': 'manifest-path = "persist-python/Cargo.toml"',
    'python-source = "python"': 'python-source = "persist-python/python"',
    'testpaths = ["tests"]': 'testpaths = ["persist-python/tests", "tests"]',
}


def generated() -> str:
    """Return the root's file: the same, with the paths as seen from there."""
    text = (ROOT / "persist-python/pyproject.toml").read_text()
    for below, above in MOVED.items():
        if text.count(below) != 1:
            message = f"persist-python/pyproject.toml does not hold {below!r} once"
            raise SystemExit(message)
        text = text.replace(below, above)
    return NOTE + text


def main() -> None:
    """Write the file, or say whether it is up to date."""
    path = ROOT / "pyproject.toml"
    if "--check" not in sys.argv:
        path.write_text(generated())
    elif path.read_text() != generated():
        raise SystemExit("error: pyproject.toml is not up to date; run `make gen`")


if __name__ == "__main__":
    main()
