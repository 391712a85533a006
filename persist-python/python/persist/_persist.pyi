"""
The Rust core of Persist.
"""

from _typeshed import Incomplete, SupportsGetItem
from typing import Any, SupportsFloat, SupportsIndex, final

__all__ = ["Cancel", "Listing", "Saving", "Span", "begin", "copy", "count_refusal", "decode", "delete", "encode", "error_kinds", "exists", "finish_telemetry", "flush_telemetry", "forget_metrics", "health", "list_objects", "load", "metrics_table", "pushes_metrics", "read_metadata", "record_spans", "render_metrics", "renew_telemetry", "run_cli", "save", "spans_table", "start_metrics", "start_telemetry", "tracing_settings", "variables_table", "verify", "walk"]

@final
class Cancel:
    """
    Ends the operations that a thread begins while it is inside; `cancel` comes from another thread.
    """
    def __new__(cls, /) -> Cancel: ...
    def cancel(self, /) -> None:
        """
        Ends what runs; what begins later ends at once.
        """
    def enter(self, /) -> None:
        """
        Makes this the token of the running thread.
        """
    @staticmethod
    def leave() -> None:
        """
        Takes the token of the running thread away.
        """

@final
class Listing:
    """
    A listing that goes on; it holds no more than a page.
    """
    def take(self, /, most: SupportsIndex) -> list[tuple[str, int, str | None, str | None]]:
        """
        Returns the next objects, at most this many; none when all were listed.
        """

@final
class Saving:
    """
    A snapshot whose state is written; leaving it saves nothing.
    """
    def finish(self, /) -> tuple[Any, str | None]:
        """
        Saves what is left; returns the metadata, and the tag of the object.
        """

@final
class Span:
    """
    A span in Persist's own pipeline.
    """
    def __new__(cls, /, name: str, attributes: dict[str, bool | SupportsIndex | SupportsFloat | str], above: tuple[SupportsIndex, SupportsIndex, bool] | None) -> Span:
        """
        Begins a span below the one with these ids, or a new trace.
        """
    def end(self, /) -> None:
        """
        Ends it.
        """
    def fail(self, /, kind: str, message: str) -> None:
        """
        Marks it as failed.
        """
    @property
    def ids(self, /) -> tuple[int, int, bool]:
        """
        The ids: trace, span, and whether it is recorded.
        """

def begin(value: Any, wishes: Incomplete, place: tuple[str, SupportsGetItem[int, tuple[str, str]]], options: Incomplete) -> Saving | None:
    """
    Writes a value as it is walked, and begins to save it; `None` where the codec in Python has to
    write it.
    """

def copy(source: tuple[str, SupportsGetItem[int, tuple[str, str]]], target: tuple[str, SupportsGetItem[int, tuple[str, str]]], overwrite: bool, if_match: str | None) -> tuple[Any, str | None]:
    """
    Checks a snapshot and copies it; returns its metadata, and the tag of the copy.
    """

def count_refusal(kind: str) -> None:
    """
    Counts a snapshot that was refused before it came to the core.
    """

def decode(bytes: bytes | bytearray, reads_tags: bool) -> tuple[Any, Any, bool]:
    """
    Reads a snapshot from memory, as `load` does.
    """

def delete(place: tuple[str, SupportsGetItem[int, tuple[str, str]]]) -> None:
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

def exists(place: tuple[str, SupportsGetItem[int, tuple[str, str]]]) -> bool:
    """
    Returns whether there is a snapshot at this place.
    """

def finish_telemetry() -> None:
    """
    Sends what is left, in a few seconds at most, and hands over the last records.
    """

def flush_telemetry(patience: SupportsIndex) -> bool:
    """
    Sends what waits to be sent; returns whether all of it was, in so many milliseconds.
    """

def forget_metrics() -> None:
    """
    Forgets, in a forked child, what its parent had counted.
    """

def health(place: tuple[str, SupportsGetItem[int, tuple[str, str]]], with_agents: bool) -> str:
    """
    Checks a store and returns what was found as JSON; the age of snapshots only when asked for.
    """

def list_objects(place: tuple[str, SupportsGetItem[int, tuple[str, str]]]) -> Listing:
    """
    Lists the objects below a prefix.
    """

def load(place: tuple[str, SupportsGetItem[int, tuple[str, str]]], reads_tags: bool) -> tuple[Any, Any, bool]:
    """
    Loads a snapshot: its metadata, its state, and whether that is still a tree.
    """

def metrics_table() -> list[tuple[str, str, list[str], str]]:
    """
    Returns name, kind, labels and meaning of each metric.
    """

def pushes_metrics() -> bool:
    """
    Returns whether the environment asks to count in order to push.
    """

def read_metadata(place: tuple[str, SupportsGetItem[int, tuple[str, str]]]) -> tuple[Any, str | None]:
    """
    Returns the metadata, from one small read, and the tag of the object.
    """

def record_spans() -> None:
    """
    Records spans from now on, for the application's own pipeline.
    """

def render_metrics() -> str:
    """
    Returns the metrics of this process in Prometheus' text format.
    """

def renew_telemetry() -> None:
    """
    Begins anew in a forked child.
    """

def run_cli(arguments: SupportsGetItem[int, str]) -> int:
    """
    Runs the `persist` command with these arguments and returns its exit code.
    """

def save(state: bytes | bytearray, marks: SupportsGetItem[int, SupportsIndex], place: tuple[str, SupportsGetItem[int, tuple[str, str]]], options: Incomplete) -> tuple[Any, str | None]:
    """
    Saves a state and returns the metadata, and the tag of the object.
    """

def spans_table() -> list[tuple[str, str]]:
    """
    Returns name and meaning of each span of the core.
    """

def start_metrics(refusals: SupportsGetItem[int, str]) -> None:
    """
    Begins to count, unless it began before; `refusals` are the kinds of refused snapshots.
    """

def start_telemetry(variables: dict[str, str]) -> None:
    """
    Installs what the variables ask for, once; returns whether logging takes the records.
    """

def tracing_settings() -> tuple[bool, bool]:
    """
    Returns whether this process exports spans, and whether the environment forbids them.
    """

def variables_table() -> list[tuple[str, str, str]]:
    """
    Returns name, default and meaning of each variable that logs, traces and metrics read.
    """

def verify(place: tuple[str, SupportsGetItem[int, tuple[str, str]]]) -> bool:
    """
    Checks all of a snapshot; returns whether its metadata is protected as well.
    """

def walk(value: Any, wishes: Incomplete) -> tuple[bytes, list[int], bool, int] | None:
    """
    Writes a value: its text, the marks, whether that is to be read again and compared, and what it
    weighs; `None` where the codec in Python has to do it.
    """
