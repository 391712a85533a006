"""The items of a graph's in-memory store; a store in a database keeps its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from persist.exceptions import NeedsContextError, RestoreConflictError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_IN_MEMORY = "langgraph.store.memory.InMemoryStore"


def _is_in_memory(store: Any) -> bool:
    """Whether the items live in this process, as those of a class derived from LangGraph's do."""
    return any(
        f"{base.__module__}.{base.__qualname__}" == _IN_MEMORY for base in type(store).__mro__
    )


def _tables(store: Any) -> tuple[Any, Any]:
    """Items and vectors by namespace and key; no public call gives the vectors."""
    return store._data, store._vectors  # noqa: SLF001


def capture(graph: Any) -> list[dict[str, Any]]:
    """Return the items of the graph's store, with their times and vectors.

    Args:
        graph: A compiled graph.

    Returns:
        Records; none for a graph without a store, or with one that lives in a database.
    """
    store = getattr(graph, "store", None)
    if not _is_in_memory(store):
        return []
    data, vectors = _tables(store)
    return [
        {
            "namespace": namespace,
            "key": key,
            "value": item.value,
            "created_at": item.created_at,
            "updated_at": item.updated_at,
            "vectors": dict(vectors.get(namespace, {}).get(key, {})),
        }
        for namespace, items in list(data.items())
        for key, item in list(items.items())
    ]


class Loading:
    """Puts records into the store of a graph, and takes them out again when asked.

    Args:
        graph: The graph to restore into.
        records: What `capture` returned.
        on_existing: What to do with an item that is there already and differs.

    Raises:
        NeedsContextError: The graph has no in-memory store to put them into.
        RestoreConflictError: An item is there already, with another value.
    """

    def __init__(self, graph: Any, records: Sequence[Mapping[str, Any]], on_existing: str) -> None:
        self._store = getattr(graph, "store", None)
        self._records = [(tuple(r["namespace"]), r["key"], r) for r in records]
        self._before: list[tuple[tuple[str, ...], str, Any, Any]] = []
        if not records:
            return
        if not _is_in_memory(self._store):
            message = f"the snapshot holds {len(records)} items of a store; this graph has none"
            raise NeedsContextError(message, hint="compile it with store=InMemoryStore()")
        if on_existing == "error":
            self._check_free()

    def _check_free(self) -> None:
        data, _ = _tables(self._store)
        for namespace, key, record in self._records:
            there = data.get(namespace, {}).get(key)
            if there is not None and there.value != record["value"]:
                message = f"the store has another item {key!r} in {namespace!r} already"
                hint = 'pass on_existing="replace" to take the one of the snapshot'
                raise RestoreConflictError(message, hint=hint)

    def run(self) -> None:
        """Put the items, as they were."""
        if not self._records:
            return
        from langgraph.store.base import Item

        data, vectors = _tables(self._store)
        for namespace, key, record in self._records:
            self._before.append(
                (namespace, key, data[namespace].get(key), vectors[namespace].get(key))
            )
            data[namespace][key] = Item(
                value=record["value"],
                key=key,
                namespace=namespace,
                created_at=record["created_at"],
                updated_at=record["updated_at"],
            )
            vectors[namespace][key] = dict(record["vectors"])

    def undo(self) -> None:
        """Leave the store as it was before `run`."""
        for namespace, key, item, vector in reversed(self._before):
            for table, value in zip(_tables(self._store), (item, vector), strict=True):
                if value is None:
                    table[namespace].pop(key, None)
                else:
                    table[namespace][key] = value
