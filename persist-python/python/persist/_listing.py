"""The snapshots below a prefix."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from persist import _persist
from persist._location import location
from persist._threads import in_thread
from persist._tracing import span

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from typing_extensions import Unpack

    from persist._location import Path, Store

_ENDINGS = (".json.gz", ".json.zst", ".json")
_AT_ONCE = 1000


@dataclass(frozen=True)
class StoredSnapshot:
    """A snapshot file, as a listing names it; it was not read.

    Attributes:
        path: Where it is: a path or a URL, as every verb takes it.
        size: The length of the file in bytes.
        modified: When it was written, where the store says so.
        e_tag: Which version it is, for `if_match`, where the store says so.
    """

    path: str
    size: int
    modified: datetime | None
    e_tag: str | None


def list_snapshots(path: Path, **store: Unpack[Store]) -> Iterator[StoredSnapshot]:
    """Name the snapshot files below a folder or prefix, in the order of their names.

    Files are told by their ending: `.json.gz`, `.json.zst` or `.json`. They are
    not read; `get_metadata` says what is in one. However many there are, about
    two thousand are in memory.

    Args:
        path: The folder or prefix: a path or a URL; a bucket alone is all of it.
        **store: How the store is reached; see `persist.options`.

    Yields:
        Each snapshot file.

    Raises:
        NotFoundError: There is no such folder or bucket.
        AccessDeniedError, StorageError: The store failed.

    Example:
        >>> metadata = persist.snapshot([1], "snapshots/agent.json.gz")
        >>> [found.path for found in persist.list_snapshots("snapshots")]
        ['snapshots/agent.json.gz']
    """
    listing = _begun(path, store)
    while rows := listing.take(_AT_ONCE):
        yield from _snapshots(rows)


async def alist_snapshots(path: Path, **store: Unpack[Store]) -> AsyncIterator[StoredSnapshot]:
    """Do what `list_snapshots` does, without blocking the event loop.

    Args:
        path: See `list_snapshots`.
        **store: See `list_snapshots`.

    Yields:
        Each snapshot file.

    Raises:
        PersistError: As `list_snapshots` raises.
    """
    listing = _begun(path, store)
    while rows := await in_thread(listing.take, _AT_ONCE):
        for found in _snapshots(rows):
            yield found


def _begun(path: Path, store: Store) -> _persist.Listing:
    # What is fetched later is below this span, which does not wait for who iterates.
    with span("persist.list_snapshots"):
        return _persist.list_objects(location(path, **store))


def _snapshots(rows: list[tuple[str, int, str | None, str | None]]) -> Iterator[StoredSnapshot]:
    for path, size, modified, e_tag in rows:
        if path.endswith(_ENDINGS):
            when = datetime.fromisoformat(modified.replace("Z", "+00:00")) if modified else None
            yield StoredSnapshot(path, size, when, e_tag)
