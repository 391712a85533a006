"""Measures one way to do one thing with one state, in a process of its own.

usage: python cell.py OPERATION WAY SIZE REPEAT

Prints one JSON object: CPU and wall seconds of each repetition, the growth of the resident set in
bytes, and the length of the file.
"""

from __future__ import annotations

import gc
import gzip
import hashlib
import json
import os
import pickle
import resource
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import persist
import states
import zstandard
from langchain_core.load import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Callable

Way = tuple["Callable[[Any, Path], Any]", "Callable[[Path], Any]"]


def _persist(compression: Any, *, durable: bool = True) -> Way:
    def save(state: Any, path: Path) -> None:
        persist.snapshot(state, path, compression=compression, durable=durable)

    return save, persist.restore


def _langchain_save(state: Any, path: Path) -> None:
    path.write_bytes(gzip.compress(dumps(state).encode(), 6))


def _langchain_load(path: Path) -> Any:
    return loads(gzip.decompress(path.read_bytes()).decode(), allowed_objects="messages")


def _pickle_save(state: Any, path: Path) -> None:
    path.write_bytes(gzip.compress(pickle.dumps(state, 5), 6))


def _pickle_load(path: Path) -> Any:
    return pickle.loads(gzip.decompress(path.read_bytes()))


def _zstd_save(state: Any, path: Path) -> None:
    path.write_bytes(zstandard.ZstdCompressor(3).compress(pickle.dumps(state, 5)))


def _zstd_load(path: Path) -> Any:
    return pickle.loads(zstandard.ZstdDecompressor().decompress(path.read_bytes()))


def _durable_bytes(state: bytes, path: Path) -> None:
    """What the operating system asks of anybody who wants the bytes to stay."""
    temporary = path.with_suffix(".new")
    with temporary.open("xb") as file:
        file.write(state)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _head_by_hand(path: Path) -> Any:
    with path.open("rb") as file:
        head = file.read(4096)
    text = head[head.index(b'{"metadata":') :]
    return json.JSONDecoder().raw_decode(text.decode("latin-1"), len('{"metadata":'))[0]


WAYS: dict[str, Way] = {
    "persist gzip": _persist("gzip"),
    "persist zstd": _persist("zstd"),
    "persist gzip, not durable": _persist("gzip", durable=False),
    "langchain dumps + gzip -6": (_langchain_save, _langchain_load),
    "pickle + gzip -6": (_pickle_save, _pickle_load),
    "pickle + zstd -3": (_zstd_save, _zstd_load),
    "write + fsync + rename + fsync": (_durable_bytes, Path.read_bytes),
}
READERS: dict[str, Callable[[Path], Any]] = {
    "verify": persist.verify_snapshot,
    "metadata": persist.get_metadata,
    "gunzip + sha256": lambda path: hashlib.sha256(gzip.decompress(path.read_bytes())).digest(),
    "read 4 KiB + json": _head_by_hand,
}


def work(operation: str, way: str, state: Any, path: Path) -> Callable[[], Any]:
    """What is repeated; the file is there when it is read."""
    if operation == "read":
        persist.snapshot(state, path, compression="gzip")
        return lambda: READERS[way](path)
    save, load = WAYS[way]
    if way.startswith("write"):
        state = persist.dumps(state)
    if operation == "snapshot":
        return lambda: save(state, path)
    save(state, path)
    return lambda: load(path)


def main(operation: str, way: str, size: str, repeat: int) -> None:
    """Measure, and print what was found."""
    warnings.simplefilter("ignore")
    suffix = ".zst" if "zstd" in way else ".gz"
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        path = Path(folder, f"state.json{suffix}")
        run = work(operation, way, states.messages(states.SIZES[size]), path)
        run()
        gc.collect()
        before = _resident()
        found: dict[str, list[float]] = {"cpu": [], "wall": []}
        for _ in range(repeat):
            wall, cpu = time.perf_counter(), time.process_time()
            run()
            found["cpu"].append(time.process_time() - cpu)
            found["wall"].append(time.perf_counter() - wall)
        print(json.dumps({**found, "memory": _peak() - before, "bytes": path.stat().st_size}))


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
