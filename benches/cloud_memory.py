"""Measures what a store of the cloud takes of memory, beyond what the local disk takes.

usage: python cloud_memory.py [--megabytes 500]

A state of random text is saved and restored, each in a process of its own: on the local disk, and
on an S3 server of this machine. What S3 adds to the highest memory of the process is compared with
the promise.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROMISED = 64
TEXT = 64 << 10
"""Bytes of one text of the state; half as many after compression."""


def highest() -> int:
    """The most memory that this process had, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) << 10
    raise RuntimeError


def measure(verb: str, url: str, megabytes: int) -> None:
    """Do one thing, and print how much memory it took."""
    import persist

    if verb == "snapshot":
        state = [os.urandom(TEXT // 2).hex() for _ in range((megabytes << 20) // TEXT)]
        persist.snapshot(state, url, verify=False)
    else:
        persist.restore(url)
    print(highest())


def cell(verb: str, url: str, megabytes: int, env: dict[str, str]) -> int:
    """One measurement, in a process of its own."""
    command = [sys.executable, __file__, "--cell", verb, url, "--megabytes", str(megabytes)]
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    return int(done.stdout)


def main() -> int:
    """Measure, print, and say by the exit code whether the promise is kept."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--cell", nargs=2, metavar=("VERB", "URL"))
    arguments = parser.parse_args()
    if arguments.cell:
        measure(*arguments.cell, arguments.megabytes)
        return 0
    sys.path.insert(0, str(HERE.parent / "tests"))
    from servers.seaweedfs import seaweedfs

    most = 0.0
    with tempfile.TemporaryDirectory() as folder:
        server = seaweedfs(Path(folder))
        with server.server.running():
            server.make_bucket("bucket")
            env = {**os.environ, **server.variables()}
            for verb in ("snapshot", "restore"):
                local, cloud = (
                    cell(verb, url, arguments.megabytes, env) / (1 << 20)
                    for url in (f"{folder}/state.json.gz", "s3://bucket/state.json.gz")
                )
                most = max(most, cloud - local)
                print(
                    f"{verb}: {local:.0f} MiB local, {cloud:.0f} MiB S3: {cloud - local:+.0f} MiB"
                )
    print(f"promised: at most {PROMISED} MiB more")
    return int(most > PROMISED)


if __name__ == "__main__":
    sys.exit(main())
