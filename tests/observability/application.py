"""A service that saves, reads and checks snapshots until it is killed; some are bad.

Usage: python application.py FOLDER
"""

import contextlib
import sys
import time
from pathlib import Path

import persist

folder = Path(sys.argv[1])
damaged = folder.parent / "damaged.json.gz"
damaged.write_bytes(b"not gzip")
for number in range(10**9):
    for name in ("a.json.gz", "a.json.zst"):
        with contextlib.suppress(persist.PersistError):
            persist.snapshot({"turns": number, "text": "hello " * 500}, folder / name)
            persist.restore(folder / name)
    with contextlib.suppress(persist.PersistError):
        persist.restore(folder / "missing.json.gz")
    with contextlib.suppress(persist.PersistError):
        persist.verify_snapshot(damaged)
    time.sleep(0.2)
