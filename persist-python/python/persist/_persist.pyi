"""
The Rust core of Persist.
"""

from _typeshed import Incomplete, SupportsGetItem
from typing import Any, SupportsIndex

__all__ = ["count_refusal", "decode", "delete", "encode", "error_kinds", "exists", "forget_metrics", "health", "load", "metrics_table", "read_metadata", "render_metrics", "run_cli", "save", "start_metrics", "verify"]

def count_refusal(kind: str) -> None:
    """
    Counts a snapshot that was refused before it came to the core.
    """

def decode(bytes: bytes | bytearray, reads_tags: bool) -> tuple[str, Any, bool]:
    """
    Reads a snapshot from memory, as `load` does.
    """

def delete(location: str) -> None:
    """
    Deletes a snapshot.
    """

def encode(state: bytes | bytearray, marks: SupportsGetItem[int, SupportsIndex], options: Incomplete) -> bytes:
    """
    Writes a snapshot into memory and returns its bytes.
    """

def error_kinds() -> list[str]:
    """
    Returns the codes of every kind of error that the core knows.
    """

def exists(location: str) -> bool:
    """
    Returns whether there is a snapshot at this place.
    """

def forget_metrics() -> None:
    """
    Forgets, in a forked child, what its parent had counted.
    """

def health(location: str, with_agents: bool) -> str:
    """
    Checks a store and returns what was found as JSON; the age of snapshots only when asked for.
    """

def load(location: str, reads_tags: bool) -> tuple[str, Any, bool]:
    """
    Loads a snapshot: its metadata as JSON, its state, and whether that is still a tree.
    """

def metrics_table() -> list[tuple[str, str, list[str], str]]:
    """
    Returns name, kind, labels and meaning of each metric.
    """

def read_metadata(location: str) -> str:
    """
    Returns the metadata as JSON, from one small read.
    """

def render_metrics() -> str:
    """
    Returns the metrics of this process in Prometheus' text format.
    """

def run_cli(arguments: SupportsGetItem[int, str]) -> int:
    """
    Runs the `persist` command with these arguments and returns its exit code.
    """

def save(state: bytes | bytearray, marks: SupportsGetItem[int, SupportsIndex], location: str, options: Incomplete) -> str:
    """
    Saves a state and returns the metadata as JSON.
    """

def start_metrics(refusals: SupportsGetItem[int, str]) -> None:
    """
    Begins to count, unless it began before; `refusals` are the kinds of refused snapshots.
    """

def verify(location: str) -> bool:
    """
    Checks all of a snapshot; returns whether its metadata is protected as well.
    """
