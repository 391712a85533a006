"""LangGraph's checkpoints as records, and back as calls of a checkpointer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Writes = list[tuple[str, list[tuple[str, Any]], str]]

_SHAPE: dict[str, type] = {
    "namespace": str,
    "metadata": dict,
    "v": int,
    "id": str,
    "ts": str,
    "channel_values": dict,
    "channel_versions": dict,
    "versions_seen": dict,
}


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
        Checkpoint tuples; all of a subgraph's when its newest leaves out a delta channel, since
        that channel's value is in what came before.
    """
    kept: dict[tuple[str, str | None], Any] = {}
    is_whole: dict[str, bool] = {}
    for item in tuples:
        namespace = namespace_of(item)
        left_out = namespace != "" and bool(item.metadata.get("counters_since_delta_snapshot"))
        if is_whole.setdefault(namespace, granularity == "history" or left_out):
            kept[namespace, item.checkpoint["id"]] = item
        else:
            kept.setdefault((namespace, None), item)
    return oldest_first(kept.values())


def namespace_of(item: Any) -> str:
    """Return the namespace of a checkpoint tuple; the graph's own is empty."""
    return str(item.config["configurable"].get("checkpoint_ns", ""))


def oldest_first(tuples: Iterable[Any]) -> list[Any]:
    """Return checkpoint tuples in the order in which they were made."""
    return sorted(tuples, key=lambda item: str(item.checkpoint["id"]))


def identity(tuples: list[Any]) -> list[tuple[str, str, int]]:
    """Return what changes when a thread moves on: ids, and how many writes are pending."""
    return [
        (
            namespace_of(item),
            item.checkpoint["id"],
            len(item.pending_writes or ()),
        )
        for item in tuples
    ]


def record(
    item: Any, paths: Mapping[str, str], values: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return one checkpoint as data.

    Args:
        item: The checkpoint tuple.
        paths: The paths of tasks, where they are known.
        values: What the checkpoint leaves out.

    Returns:
        Namespace, parent, checkpoint, metadata and pending writes.
    """
    parent = item.parent_config or {}
    whole = {**item.checkpoint["channel_values"], **(values or {})}
    writes = [list(write) for write in item.pending_writes or ()]
    known = {task_id: paths[task_id] for task_id, *_ in writes if task_id in paths}
    return {
        "namespace": namespace_of(item),
        "parent": parent.get("configurable", {}).get("checkpoint_id"),
        "checkpoint": {**item.checkpoint, "channel_values": whole},
        "metadata": dict(item.metadata),
        "writes": writes,
        **({"paths": known} if known else {}),
    }


def left_out(graph: Any, item: Any) -> list[str]:
    """Return the delta channels that have a value which a checkpoint of the graph leaves out."""
    checkpoint = item.checkpoint
    return [
        name
        for name in _deltas(graph)
        if name in checkpoint["channel_versions"] and name not in checkpoint["channel_values"]
    ]


def _deltas(graph: Any) -> list[str]:
    channels = graph.channels.items()
    return [name for name, channel in channels if type(channel).__name__ == "DeltaChannel"]


def replayed(graph: Any, history: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of delta channels as the checkpoint of a graph can hold them.

    Args:
        graph: The graph.
        history: What came before the checkpoint, by channel, as the checkpointer tells it.

    Returns:
        Values by channel.
    """
    if not history:
        return {}
    from langgraph.checkpoint.serde.types import _DeltaSnapshot

    values = {}
    for name, before in history.items():
        channel = graph.channels[name].from_checkpoint(before.get("seed"))
        channel.replay_writes(before["writes"])
        values[name] = _DeltaSnapshot(channel.get())
    return values


def unfinished(graph: Any, tuples: list[Any]) -> list[Any]:
    """Return the heads on which writes wait whose order a delta channel will keep.

    Args:
        graph: The graph.
        tuples: Checkpoint tuples, oldest first.
    """
    heads = {namespace_of(item): item for item in tuples}
    return [item for item in heads.values() if _has_order(graph, item)]


def _has_order(graph: Any, item: Any) -> bool:
    counted = item.metadata.get("counters_since_delta_snapshot") or ()
    names = {*counted, *([] if namespace_of(item) else _deltas(graph))}
    return any(channel in names for _, channel, _ in item.pending_writes or ())


def paths(states: Iterable[Any]) -> dict[str, str]:
    """Return the paths of tasks, by which checkpointers sort their writes.

    Args:
        states: What the graph says of checkpoints; the checkpointer does not tell paths.

    Returns:
        Path by the task's id.
    """
    return {task.id: _path_text(task.path) for state in states for task in state.tasks}


def _path_text(path: Any) -> str:
    """The path of a task as LangGraph writes it for checkpointers."""
    if isinstance(path, (tuple, list)):
        return f"~{', '.join(map(_path_text, path))}"
    return f"{path:010d}" if isinstance(path, int) else str(path)


def puts(records: list[dict[str, Any]]) -> list[Put]:
    """Return the calls that write records, oldest first.

    Args:
        records: What `record` returned; they may come from anybody.

    Returns:
        One call for each checkpoint.

    Raises:
        TypeError, LookupError: They have another shape.
    """
    for item in records:
        _check_shape(item)
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
        made.append(Put(namespace, parent, checkpoint, item["metadata"], new, _grouped(item)))
    return made


def _check_shape(item: dict[str, Any]) -> None:
    """Refuse what a checkpointer would take and LangGraph could not go on from."""
    found = {**item["checkpoint"], "namespace": item["namespace"], "metadata": item["metadata"]}
    for name, kind in _SHAPE.items():
        if not isinstance(found[name], kind):
            message = f"{name} of a checkpoint is a {type(found[name]).__name__}"
            raise TypeError(message)


def puts_of(tuples: list[Any], paths: Mapping[str, str]) -> list[Put]:
    """Return the calls that write a checkpointer's own tuples again.

    Args:
        tuples: All of a thread, oldest first.
        paths: The paths of tasks, where they are known.

    Returns:
        One call for each checkpoint.
    """
    return puts([record(item, paths) for item in tuples])


def _grouped(item: Mapping[str, Any]) -> Writes:
    """Writes by task, in order; where the path that orders tasks is not known, their number is."""
    tasks: dict[str, list[tuple[str, Any]]] = {}
    for task_id, channel, value in item["writes"]:
        tasks.setdefault(task_id, []).append((channel, value))
    paths = item.get("paths", {})
    return [
        (task, list(items), paths.get(task, f"{n:08}"))
        for n, (task, items) in enumerate(tasks.items())
    ]
