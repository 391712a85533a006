"""Measures one way to do one thing with one state, in a process of its own.

usage: python cell.py OPERATION WAY SIZE REPEAT
       python cell.py spans WAY SIZE 1

Prints one JSON object: CPU and wall seconds of each repetition, CPU seconds in the kernel of one,
how far the resident set was at its peak above what it is at the end, in bytes, and the length of
the file; of spans, the milliseconds in each kind of span of one snapshot, and of one restore. Linux
only.
"""

from __future__ import annotations

import ctypes
import gc
import gzip
import hashlib
import json
import os
import pickle
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
import deflate
import joblib
import persist
import states
import zstandard
from langchain_core.load import dumps, loads
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

if TYPE_CHECKING:
    from collections.abc import Callable

SHORTEST = 0.3  # seconds of repetitions, so that a median of microseconds means something
BLOCK = 1024 * 1024  # bytes of a state that are packed together
MOST = 1000  # repetitions, so that their times are no memory to speak of
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


def _cloudpickle_save(state: Any, path: Path) -> None:
    path.write_bytes(zstandard.ZstdCompressor(3).compress(cloudpickle.dumps(state, 5)))


def _joblib_save(state: Any, path: Path) -> None:
    joblib.dump(state, path, compress=("zlib", 6))


def _msgpack_save(state: Any, path: Path) -> None:
    path.write_bytes(zlib.compress(JsonPlusSerializer().dumps_typed(state)[1], 6))


def _msgpack_load(path: Path) -> Any:
    return JsonPlusSerializer().loads_typed(("msgpack", zlib.decompress(path.read_bytes())))


_THREAD: Any = {"configurable": {"thread_id": "1", "checkpoint_ns": ""}}


def _sqlite_save(state: Any, path: Path) -> None:
    path.unlink(missing_ok=True)
    checkpoint = empty_checkpoint()
    checkpoint["channel_values"] = {"messages": state}
    with closing(sqlite3.connect(path)) as connection:
        SqliteSaver(connection).put(_THREAD, checkpoint, {}, {})


def _sqlite_load(path: Path) -> Any:
    with closing(sqlite3.connect(path)) as connection:
        return SqliteSaver(connection).get_tuple(_THREAD)


def _renamed_bytes(state: bytes, path: Path) -> None:
    """What the operating system asks of anybody who wants the old bytes or the new ones."""
    temporary = path.with_suffix(".new")
    with temporary.open("xb") as file:
        file.write(state)
    temporary.rename(path)


def _durable_bytes(state: bytes, path: Path) -> None:
    """What it asks of anybody who wants the bytes to stay."""
    temporary = path.with_suffix(".new")
    with temporary.open("xb") as file:
        file.write(state)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _packed_text(pack: Callable[[bytes], bytes]) -> Way:
    """What the format asks of anybody who has the text: its blocks packed, two digests of all."""

    def save(text: bytes, path: Path) -> None:
        whole = hashlib.sha256()
        with path.open("wb") as file:
            for start in range(0, len(text), BLOCK):
                block = text[start : start + BLOCK]
                whole.update(block)
                hashlib.sha256(block).digest()
                file.write(pack(block))

    return save, Path.read_bytes


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
    "cloudpickle + zstd -3": (_cloudpickle_save, _zstd_load),
    "joblib, zlib 6": (_joblib_save, joblib.load),
    "JsonPlusSerializer + zlib 6": (_msgpack_save, _msgpack_load),
    "SqliteSaver.put": (_sqlite_save, _sqlite_load),
    "text, libdeflate 4": _packed_text(lambda block: deflate.deflate_compress(block, 4)),
    "text, zstd -3": _packed_text(zstandard.ZstdCompressor(3).compress),
    "write + rename": (_renamed_bytes, Path.read_bytes),
    "write + fsync + rename + fsync": (_durable_bytes, Path.read_bytes),
}
READERS: dict[str, Callable[[Path], Any]] = {
    "verify": persist.verify_snapshot,
    "metadata": persist.get_metadata,
    "gunzip + sha256": lambda path: hashlib.sha256(gzip.decompress(path.read_bytes())).digest(),
    "gunzip + json": lambda path: json.loads(gzip.decompress(path.read_bytes()))["metadata"],
    "read 4 KiB + json": _head_by_hand,
}
LISTERS: dict[str, Callable[[Path], Any]] = {
    "persist list": lambda folder: subprocess.run(
        ["persist", "list", folder], check=True, stdout=subprocess.DEVNULL
    ),
    "get_metadata": lambda folder: [persist.get_metadata(path) for path in folder.iterdir()],
    "read 4 KiB + json": lambda folder: [_head_by_hand(path) for path in folder.iterdir()],
}
STARTS = {
    "python": "",
    "python, import persist": "import persist, sys; assert 'langchain_core' not in sys.modules",
    "python, import persist, dumps": "import persist; persist.dumps({})",
    "python, import langchain_core.load": "import langchain_core.load",
}


def work(operation: str, way: str, state: Any, path: Path) -> Callable[[], Any]:
    """What is repeated; the file is there when it is read."""
    if operation == "start":
        compiled = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        return lambda: subprocess.run([sys.executable, "-c", STARTS[way]], check=True, env=compiled)
    if operation == "list":
        return lambda: LISTERS[way](_folder_of_many(path))
    if operation == "read":
        persist.snapshot(state, path, compression="gzip")
        return lambda: READERS[way](path)
    save, load = WAYS[way]
    if way.startswith("write"):
        state = persist.dumps(state)
    if way.startswith("text"):
        state = persist.dumps(state, compression="none")
    if operation == "snapshot":
        return lambda: save(state, path)
    save(state, path)
    return lambda: load(path)


def _folder_of_many(path: Path) -> Path:
    """A folder of snapshots: one that is there under many names."""
    folder = path.with_name("many")
    if not folder.exists():
        folder.mkdir()
        persist.snapshot({"turns": 3}, path)
        for number in range(states.MANY):
            os.link(path, folder / f"{number:05}.json.gz")
    return folder


def spans(way: str, size: str, path: Path) -> dict[str, dict[str, float]]:
    """Milliseconds in each kind of span of one call, on whatever thread they were."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    state = states.messages(states.SIZES[size])
    save, load = WAYS[way]
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    calls = {"snapshot": lambda: save(state, path), "restore": lambda: load(path)}
    found: dict[str, dict[str, float]] = {}
    for operation, call in calls.items():
        call()
        exporter.clear()
        call()
        took = found[operation] = {}
        for span in exporter.get_finished_spans():
            lasted = ((span.end_time or 0) - (span.start_time or 0)) / 1e6
            took[span.name] = took.get(span.name, 0.0) + lasted
    return found


def main(operation: str, way: str, size: str, repeat: int) -> None:
    """Measure, and print what was found."""
    warnings.simplefilter("ignore")
    suffix = ".zst" if "zstd" in way else ".gz"
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        path = Path(folder, f"state.json{suffix}")
        if operation == "spans":
            print(json.dumps(spans(way, size, path)))
            return
        state = states.messages(states.SIZES[size]) if size in states.SIZES else None
        run = work(operation, way, state, path)
        run()
        _settle()
        found: dict[str, list[float]] = {"cpu": [], "wall": []}
        made: Any = None
        kernel = _in_kernel()
        while _wants_more(found["wall"], repeat):
            del made  # so that the next one finds its memory free
            wall, cpu = time.perf_counter(), _cpu()
            made = run()
            found["cpu"].append(_cpu() - cpu)
            found["wall"].append(time.perf_counter() - wall)
        kernel = (_in_kernel() - kernel) / len(found["wall"])
        peak = _status("VmHWM")
        _settle()
        memory = peak - _status("VmRSS")
        length = path.stat().st_size if path.exists() else None
        print(json.dumps({**found, "kernel": kernel, "memory": max(memory, 0), "bytes": length}))


def _wants_more(walls: list[float], repeat: int) -> bool:
    return len(walls) < repeat or (sum(walls) < SHORTEST and len(walls) < MOST)


def _cpu() -> float:
    """Seconds of all threads, and of the processes that were waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _in_kernel() -> float:
    """Of those seconds, what the kernel took; by its ticks, so that only many of them are exact."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(resource.getrusage(who).ru_stime for who in whose)


def _settle() -> None:
    """Give back what is free, and forget the peak."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
