"""The `persist` command, as the wheel installs it."""

from __future__ import annotations

import signal
import sys

from persist import _persist


def main() -> int:
    """Run the command with the arguments of this process.

    Returns:
        The exit code: 0 ok, 1 not found, 2 usage, 3 integrity, 4 format or
        limit, 5 key, 6 storage, 7 conflict, 8 no space.
    """
    # Rust does the work without the interpreter, which would hold Ctrl-C back until the end.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _persist.run_cli(sys.argv)
