"""A service that saves, reads and checks snapshots until it is killed; some are bad.

Usage: python application.py STORE DAMAGED
"""

import contextlib
import sys
import time
from pathlib import Path

import persist
from persist.options import AzureOptions, GCSOptions, S3Options

store, damaged = sys.argv[1:]
Path(damaged).write_bytes(b"not gzip")
clouds = {"s3": S3Options, "az": AzureOptions, "gs": GCSOptions}
cloud = clouds.get(store.partition("://")[0])
options = {"storage_options": cloud(deadline=2)} if cloud else {}
for number in range(10**9):
    for name in ("a.json.gz", "a.json.zst"):
        with contextlib.suppress(persist.PersistError):
            persist.snapshot(
                {"turns": number, "text": "hello " * 500}, f"{store}/{name}", **options
            )
            persist.restore(f"{store}/{name}", **options)
    with contextlib.suppress(persist.PersistError):
        persist.restore(f"{store}/missing.json.gz", **options)
    with contextlib.suppress(persist.PersistError):
        persist.verify_snapshot(damaged)
    time.sleep(0.2)
