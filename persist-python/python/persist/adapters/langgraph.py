"""LangGraph: the state of a thread, from whatever checkpointer keeps it, and the in-memory store.

The newest checkpoint of every namespace is captured with its pending writes, so that a run which
stopped at an interrupt goes on from there. The graph's code comes from the caller of `restore`. The
checkpoints are written through the public calls of the checkpointer that the other graph has, which
may be of another kind.
"""

from __future__ import annotations

import asyncio
import inspect
import uuid
from typing import TYPE_CHECKING, Any, Final

from persist import codec
from persist._threads import in_thread
from persist._warning import warn
from persist.adapters import _checkpoints as checkpoints
from persist.adapters import _repeats as repeats
from persist.adapters import _serializer as serializer
from persist.adapters import _stores as stores
from persist.adapters._common import class_name, compare, needs, reading
from persist.adapters._fingerprint import fingerprint
from persist.adapters._migrations import register_migration
from persist.adapters._run import installed_versions
from persist.adapters._types import Captured
from persist.exceptions import (
    ConcurrentMutationError,
    NeedsContextError,
    RestoreConflictError,
    StateNotOnAgentError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from persist.adapters._types import CaptureOptions, RestoreContext

_CALL = "persist.restore(path, into=graph) or persist.restore(path, factory=build_graph)"


class LangGraphAdapter:
    """A compiled graph, `create_agent`'s included, with a checkpointer."""

    id = "langgraph"
    version = 2
    distributions: tuple[str, ...] = (
        "langgraph",
        "langgraph-checkpoint",
        "langchain",
        "langchain-core",
    )
    classes: tuple[str, ...] = (
        "langgraph.types.Interrupt",
        "langgraph.types.Command",
        "langgraph.types.Overwrite",
        "langgraph.checkpoint.serde.types._DeltaSnapshot",
    )
    takes: tuple[str, ...] = ("thread_id",)

    def matches(self, names: Sequence[str]) -> int:
        """Fit every compiled graph."""
        return 10 * ("langgraph.pregel.main.Pregel" in names)

    def capture(self, agent: Any, options: CaptureOptions) -> Captured:
        """Return the thread's checkpoints; read twice, so that a moving thread shows."""
        saver = _saver_of(agent)
        _refuse_if_async_only(saver)
        thread_id = _named(options.thread_id) or _only_thread(saver.list(None))
        found = checkpoints.chosen(saver.list(_config(thread_id)), options.granularity)
        again = checkpoints.chosen(saver.list(_config(thread_id)), options.granularity)
        _check_still(thread_id, found, again)
        paths = _paths(agent, found)
        records = [
            checkpoints.record(item, paths, _left_out(agent, saver, item, options))
            for item in found
        ]
        return self._captured(agent, thread_id, records, options)

    async def acapture(self, agent: Any, options: CaptureOptions) -> Captured:
        """Do what `capture` does, with the checkpointer's asynchronous calls."""
        saver = _saver_of(agent)
        if not _is_async(saver):
            return self.capture(agent, options)
        named = _named(options.thread_id)
        thread_id = named or _only_thread([t async for t in saver.alist(None)])
        first = [item async for item in saver.alist(_config(thread_id))]
        second = [item async for item in saver.alist(_config(thread_id))]
        found = checkpoints.chosen(first, options.granularity)
        again = checkpoints.chosen(second, options.granularity)
        _check_still(thread_id, found, again)
        paths = await _apaths(agent, found)
        records = [
            checkpoints.record(item, paths, await _aleft_out(agent, saver, item, options))
            for item in found
        ]
        return self._captured(agent, thread_id, records, options)

    def _captured(
        self, agent: Any, thread_id: str, records: list[dict[str, Any]], options: CaptureOptions
    ) -> Captured:
        state = {
            "thread_id": thread_id,
            "granularity": options.granularity,
            "checkpoints": records,
            "store": stores.capture(agent),
            "serializer": serializer.identity(agent.checkpointer, records),
        }
        return Captured(
            adapter=self.id,
            version=self.version,
            state=state,
            class_name=class_name(agent),
            framework=installed_versions(self.distributions),
            fingerprint=fingerprint(agent),
            requires=("into or factory",),
        )

    def restore(self, document: Mapping[str, Any], context: RestoreContext) -> Any:
        """Put the checkpoints into the graph's checkpointer; return the graph."""
        graph, saver = _target(document, context)
        _refuse_if_async_only(saver)
        thread_id, puts = _read(document, context, saver)
        before = checkpoints.oldest_first(saver.list(_config(thread_id)))
        store = _check_free(graph, thread_id, before, document, context)
        undo = checkpoints.puts_of(before, _paths(graph, before))
        changes = serializer.check(saver, document["state"], puts, strict=context.strict)
        if changes:
            warn(changes)
        if before:
            _rehearse(saver, puts)
        try:
            if before:
                saver.delete_thread(thread_id)
            _put(saver, thread_id, puts)
            store.run()
        except BaseException:
            store.undo()
            saver.delete_thread(thread_id)
            _put(saver, thread_id, undo)
            raise
        return graph

    async def arestore(self, document: Mapping[str, Any], context: RestoreContext) -> Any:
        """Do what `restore` does, with the checkpointer's asynchronous calls."""
        graph, saver = _target(document, context)
        if not _is_async(saver):
            return await in_thread(self.restore, document, context)
        thread_id, puts = _read(document, context, saver)
        there = [item async for item in saver.alist(_config(thread_id))]
        before = checkpoints.oldest_first(there)
        store = _check_free(graph, thread_id, before, document, context)
        undo = checkpoints.puts_of(before, await _apaths(graph, before))
        check = serializer.check
        changes = await in_thread(check, saver, document["state"], puts, strict=context.strict)
        if changes:
            warn(changes)
        if before:
            await _arehearse(saver, puts)
        try:
            if before:
                await saver.adelete_thread(thread_id)
            await _aput(saver, thread_id, puts)
            store.run()
        except BaseException:
            store.undo()
            await saver.adelete_thread(thread_id)
            await _aput(saver, thread_id, undo)
            raise
        return graph


def _config(thread_id: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread_id}}


def _saver_of(agent: Any) -> Any:
    saver = getattr(agent, "checkpointer", None)
    if saver is not None and not isinstance(saver, bool):
        return saver
    message = f"this {class_name(agent)} has no checkpointer, so it keeps no state"
    hint = "give it a checkpointer, or snapshot the list of messages that you keep"
    raise StateNotOnAgentError(message, hint=hint)


def _is_async(saver: Any) -> bool:
    """Whether the checkpointer answers asynchronous calls itself."""
    return type(saver).alist.__qualname__ not in ("BaseCheckpointSaver.alist", "SqliteSaver.alist")


def _refuse_if_async_only(saver: Any) -> None:
    """A synchronous call would fail, wait for itself, or wait for ever."""
    loop = getattr(saver, "loop", None)
    is_without = type(saver).list.__qualname__ == "BaseCheckpointSaver.list"
    if is_without or (loop is not None and (loop is _running_loop() or not loop.is_running())):
        message = f"{class_name(saver)} answers asynchronous calls alone, inside its event loop"
        hint = (
            "await persist.asnapshot(...), persist.arestore(...) or persist.ainspect(...) instead"
        )
        raise NeedsContextError(message, hint=hint)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _named(thread_id: Any) -> str | None:
    """A thread's name as LangGraph writes it, which may be given as a number or a UUID."""
    return None if thread_id is None else str(thread_id)


def _only_thread(tuples: Any) -> str:
    threads = {item.config["configurable"]["thread_id"] for item in tuples}
    if len(threads) == 1:
        return str(threads.pop())
    known = ", ".join(sorted(map(repr, threads))[:5])
    message = f"the checkpointer has {len(threads)} threads" + (f": {known}" if known else "")
    hint = "pass thread_id=, as in the agent's config" if threads else "run the agent first"
    raise StateNotOnAgentError(message, hint=hint)


def _check_still(thread_id: str, found: list[Any], again: list[Any]) -> None:
    """There is a thread, and it stands still."""
    if not found:
        message = f"the checkpointer has no thread {thread_id!r}"
        hint = "run the agent first, or pass the thread_id that it ran with"
        raise StateNotOnAgentError(message, hint=hint)
    if checkpoints.identity(found) != checkpoints.identity(again):
        message = f"the thread {thread_id!r} moved on while it was captured"
        hint = "snapshot it between runs, or try again"
        raise ConcurrentMutationError(message, hint=hint, retryable=True)


def _paths(graph: Any, tuples: list[Any]) -> dict[str, str]:
    waiting = checkpoints.unfinished(graph, tuples)
    return checkpoints.paths(graph.get_state(item.config) for item in waiting)


async def _apaths(graph: Any, tuples: list[Any]) -> dict[str, str]:
    waiting = checkpoints.unfinished(graph, tuples)
    return checkpoints.paths([await graph.aget_state(item.config) for item in waiting])


def _left_out(graph: Any, saver: Any, item: Any, options: CaptureOptions) -> dict[str, Any]:
    """What a checkpoint leaves out; a history holds it in the checkpoints before."""
    if checkpoints.namespace_of(item) or options.granularity == "history":
        return {}
    names = checkpoints.left_out(graph, item)
    if not names:
        return {}
    history = saver.get_delta_channel_history(config=item.config, channels=names)
    return checkpoints.replayed(graph, history)


async def _aleft_out(graph: Any, saver: Any, item: Any, options: CaptureOptions) -> dict[str, Any]:
    if checkpoints.namespace_of(item) or options.granularity == "history":
        return {}
    names = checkpoints.left_out(graph, item)
    if not names:
        return {}
    history = await saver.aget_delta_channel_history(config=item.config, channels=names)
    return checkpoints.replayed(graph, history)


def _target(document: Mapping[str, Any], context: RestoreContext) -> tuple[Any, Any]:
    graph = context.agent()
    if graph is None:
        raise needs(document, _CALL)
    saver = getattr(graph, "checkpointer", None)
    if saver is None or isinstance(saver, bool):
        message = f"this {class_name(graph)} has no checkpointer to restore into"
        raise NeedsContextError(message, hint="compile it with a checkpointer")
    compare(document["fingerprint"], fingerprint(graph), context)
    return graph, saver


def _read(
    document: Mapping[str, Any], context: RestoreContext, saver: Any
) -> tuple[str, list[checkpoints.Put]]:
    """The thread to write, and the calls that write it."""
    with reading(document):
        state = document["state"]
        if document.get("is_shared"):
            repeats.check(
                getattr(saver, "serde", None), state["checkpoints"], "$.state.checkpoints"
            )
        thread_id = _named(context.thread_id) or str(state["thread_id"])
        return thread_id, checkpoints.puts(state["checkpoints"])


def _check_free(
    graph: Any,
    thread_id: str,
    before: list[Any],
    document: Mapping[str, Any],
    context: RestoreContext,
) -> stores.Loading:
    """LangGraph would go on from the newest checkpoint, whatever was put beside it."""
    if before and context.on_existing == "error":
        message = f"the thread {thread_id!r} exists already in the target's checkpointer"
        hint = 'pass on_existing="replace" to go back, or thread_id="another" to keep both'
        raise RestoreConflictError(message, hint=hint)
    with reading(document):
        return stores.Loading(graph, document["state"]["store"], context.on_existing)


def _put(saver: Any, thread_id: str, puts: list[checkpoints.Put]) -> None:
    takes_path = _takes_path(saver.put_writes)
    for put in puts:
        config = saver.put(put.config(thread_id), put.checkpoint, put.metadata, put.versions)
        for task_id, writes, task_path in put.writes:
            saver.put_writes(config, writes, task_id, *([task_path] if takes_path else []))


async def _aput(saver: Any, thread_id: str, puts: list[checkpoints.Put]) -> None:
    takes_path = _takes_path(saver.aput_writes)
    for put in puts:
        config = await saver.aput(put.config(thread_id), put.checkpoint, put.metadata, put.versions)
        for task_id, writes, task_path in put.writes:
            await saver.aput_writes(config, writes, task_id, *([task_path] if takes_path else []))


def _rehearse(saver: Any, puts: list[checkpoints.Put]) -> None:
    """Write under another name first: what fails always then fails before the thread is gone."""
    name = f"persist-{uuid.uuid4()}"
    try:
        _put(saver, name, puts)
    finally:
        saver.delete_thread(name)


async def _arehearse(saver: Any, puts: list[checkpoints.Put]) -> None:
    name = f"persist-{uuid.uuid4()}"
    try:
        await _aput(saver, name, puts)
    finally:
        await saver.adelete_thread(name)


def _takes_path(put_writes: Callable[..., Any]) -> bool:
    """Checkpointers from before the parameter do not; LangGraph asks them the same way."""
    return "task_path" in inspect.signature(put_writes).parameters


class _Send:
    """A packet for a node, waiting in a checkpoint."""

    name = "langgraph.send"

    def matches(self, names: Sequence[str]) -> bool:
        """Say whether the class is Send exactly."""
        return names[0] == "langgraph.types.Send"

    def encode(self, value: Any, refuse: Callable[[str, str], Exception]) -> object:
        """Return node and argument."""
        if getattr(value, "timeout", None) is not None:
            raise refuse("it has a timeout", "send it without one")
        return {"node": value.node, "arg": codec.Child(value.arg, ".arg")}

    def decode(self, node: Any, read: codec.Read) -> object:
        """Build the packet."""
        if read.is_plain:
            return {"node": node["node"], "arg": read.child(node["arg"], ".arg")}
        from langgraph.types import Send

        return Send(node["node"], read.child(node["arg"], ".arg"))


codec.register_kind(_Send())
register_migration("langgraph", 1, lambda state: {**state, "store": []})
adapter: Final = LangGraphAdapter()
