"""LangGraph's checkpoints as records, and back as calls of a checkpointer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Writes = list[tuple[str, list[tuple[str, Any]], str]]


@dataclass(frozen=True)
class Put:
    """One checkpoint to be put, with the writes that are pending on it."""

    namespace: str
    parent: str | None
    checkpoint: dict[str, Any]
    metadata: dict[str, Any]
    versions: dict[str, Any]
    writes: Writes

    def config(self, thread_id: str) -> dict[str, Any]:
        """Return the config that `put` takes: its checkpoint id is the parent's."""
        place = {"thread_id": thread_id, "checkpoint_ns": self.namespace}
        if self.parent is not None:
            place["checkpoint_id"] = self.parent
        return {"configurable": place}


def chosen(tuples: Iterable[Any], granularity: str) -> list[Any]:
    """Return the checkpoints to capture, oldest first.

    Args:
        tuples: All of a thread, newest first, as a checkpointer lists them.
        granularity: `thread` for the newest of each namespace, `history` for all.

    Returns:
        Checkpoint tuples.
    """
    heads: dict[Any, Any] = {}
    for item in tuples:
        place = item.config["configurable"]
        key = place.get("checkpoint_ns", "")
        heads.setdefault((key, place["checkpoint_id"]) if granularity == "history" else key, item)
    return sorted(heads.values(), key=lambda item: str(item.checkpoint["id"]))


def identity(tuples: list[Any]) -> list[tuple[str, str, int]]:
    """Return what changes when a thread moves on: ids, and how many writes are pending."""
    return [
        (
            item.config["configurable"].get("checkpoint_ns", ""),
            item.checkpoint["id"],
            len(item.pending_writes or ()),
        )
        for item in tuples
    ]


def record(graph: Any, item: Any) -> dict[str, Any]:
    """Return one checkpoint as data.

    Args:
        graph: The graph, which knows channels that a checkpoint leaves out.
        item: The checkpoint tuple.

    Returns:
        Namespace, parent, checkpoint, metadata and pending writes.
    """
    parent = item.parent_config or {}
    namespace = item.config["configurable"].get("checkpoint_ns", "")
    checkpoint = dict(item.checkpoint)
    whole = _whole_values(graph, item.config) if namespace == "" else {}
    checkpoint["channel_values"] = {**checkpoint["channel_values"], **whole}
    return {
        "namespace": namespace,
        "parent": parent.get("configurable", {}).get("checkpoint_id"),
        "checkpoint": checkpoint,
        "metadata": dict(item.metadata),
        "writes": [list(write) for write in item.pending_writes or ()],
    }


def _whole_values(graph: Any, config: dict[str, Any]) -> dict[str, Any]:
    """The values of delta channels, which a checkpoint alone would restore as empty."""
    names = [name for name, ch in graph.channels.items() if type(ch).__name__ == "DeltaChannel"]
    if not names:
        return {}
    from langgraph.checkpoint.serde.types import _DeltaSnapshot

    values = graph.get_state(config).values
    return {name: _DeltaSnapshot(values[name]) for name in names if name in values}


def puts(records: list[dict[str, Any]]) -> list[Put]:
    """Return the calls that write records, oldest first.

    Args:
        records: What `record` returned.

    Returns:
        One call for each checkpoint.
    """
    ids = {(item["namespace"], item["checkpoint"]["id"]) for item in records}
    seen: set[tuple[str, str, Any]] = set()
    made = []
    for item in records:
        namespace, checkpoint = item["namespace"], item["checkpoint"]
        new = {
            channel: version
            for channel, version in checkpoint["channel_versions"].items()
            if (namespace, channel, version) not in seen
        }
        seen.update((namespace, channel, version) for channel, version in new.items())
        parent = item["parent"] if (namespace, item["parent"]) in ids else None
        made.append(
            Put(namespace, parent, checkpoint, item["metadata"], new, _grouped(item["writes"]))
        )
    return made


def puts_of(tuples: list[Any]) -> list[Put]:
    """Return the calls that write a checkpointer's own tuples again.

    Args:
        tuples: All of a thread, as the checkpointer listed them.

    Returns:
        One call for each checkpoint.
    """
    records = [
        {
            "namespace": item.config["configurable"].get("checkpoint_ns", ""),
            "parent": (item.parent_config or {}).get("configurable", {}).get("checkpoint_id"),
            "checkpoint": item.checkpoint,
            "metadata": item.metadata,
            "writes": item.pending_writes or (),
        }
        for item in chosen(tuples, "history")
    ]
    return puts(records)


def _grouped(writes: Iterable[Any]) -> Writes:
    """Writes by task, in order; the public tuples have lost the path that orders tasks."""
    tasks: dict[str, list[tuple[str, Any]]] = {}
    for task_id, channel, value in writes:
        tasks.setdefault(task_id, []).append((channel, value))
    return [(task, list(items), f"{n:08}") for n, (task, items) in enumerate(tasks.items())]
