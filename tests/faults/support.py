"""Runs a snapshot in a process of its own, under faults."""

import os
import subprocess
import sys
from pathlib import Path

# The interpreter itself: a launcher's own system calls would be counted too.
PYTHON = os.path.realpath(sys.executable)
PATHS = os.pathsep.join(path for path in sys.path if path)
NOBODY = 65534
# What root may do says nothing; what is imported when it is needed may be closed to others.
LEAVE_ROOT = (
    "import os, persist\n"
    "persist.loads(persist.dumps(1))\n"
    f"os.setgroups([]), os.setgid({NOBODY}), os.setuid({NOBODY})\n"
)
WRITE = (
    "import sys, persist\n"
    "path, text = sys.argv[1:3]\n"
    "try:\n"
    "    persist.snapshot([text] * 400, path, level=1)\n"
    "except persist.PersistError as error:\n"
    "    print(error.kind, type(error).__name__, error.retryable)\n"
    "    sys.exit(3)\n"
)
READ = (
    "import sys, persist\n"
    "try: print(persist.restore(sys.argv[1]))\n"
    "except PermissionError as error: print(error.kind)\n"
)


def environment():
    return {**os.environ, "PYTHONPATH": PATHS, "PYTHONDONTWRITEBYTECODE": "1"}


def write(path, text, *, before=(), as_nobody=False):
    """Snapshot a text; `before` is the command that the process runs under."""
    return run(WRITE, path, text, before=before, as_nobody=as_nobody)


def run(script, *arguments, before=(), as_nobody=False):
    """Run a script in a fresh process."""
    script = LEAVE_ROOT + script if as_nobody else script
    command = [*before, PYTHON, "-c", script, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment(), timeout=60
    )


def under_strace(calls, injection):
    """The command that injects a fault into some system calls."""
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", injection]


def leftovers(folder):
    return [path.name for path in Path(folder).iterdir() if path.name.startswith(".persist-")]


def only(folder, *names):
    return sorted(path.name for path in Path(folder).iterdir()) == sorted(names)
