"""LangGraph: the state of a thread, from whatever checkpointer keeps it, and the in-memory store.

The newest checkpoint of every namespace is captured with its pending writes, so that a run which
stopped at an interrupt goes on from there. The graph's code comes from the caller of `restore`. The
checkpoints are written through the public calls of the checkpointer that the other graph has, which
may be of another kind.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from persist import codec
from persist.adapters import _checkpoints as checkpoints
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
        "langgraph.checkpoint.serde.types._DeltaSnapshot",
    )

    def matches(self, names: Sequence[str]) -> int:
        """Fit every compiled graph."""
        return 10 * ("langgraph.pregel.main.Pregel" in names)

    def capture(self, agent: Any, options: CaptureOptions) -> Captured:
        """Return the thread's checkpoints; read twice, so that a moving thread shows."""
        saver = _saver_of(agent)
        _refuse_if_async_only(saver)
        thread_id = options.thread_id or _only_thread(saver.list(None))
        found = checkpoints.chosen(saver.list(_config(thread_id)), options.granularity)
        again = checkpoints.chosen(saver.list(_config(thread_id)), options.granularity)
        return self._captured(agent, thread_id, found, again, options)

    async def acapture(self, agent: Any, options: CaptureOptions) -> Captured:
        """Do what `capture` does, with the checkpointer's asynchronous calls."""
        saver = _saver_of(agent)
        if not _is_async(saver):
            return self.capture(agent, options)
        thread_id = options.thread_id or _only_thread([t async for t in saver.alist(None)])
        first = [item async for item in saver.alist(_config(thread_id))]
        second = [item async for item in saver.alist(_config(thread_id))]
        found = checkpoints.chosen(first, options.granularity)
        again = checkpoints.chosen(second, options.granularity)
        return self._captured(agent, thread_id, found, again, options)

    def _captured(
        self,
        agent: Any,
        thread_id: str,
        found: list[Any],
        again: list[Any],
        options: CaptureOptions,
    ) -> Captured:
        if not found:
            message = f"the checkpointer has no thread {thread_id!r}"
            hint = "run the agent first, or pass the thread_id that it ran with"
            raise StateNotOnAgentError(message, hint=hint)
        if checkpoints.identity(found) != checkpoints.identity(again):
            message = f"the thread {thread_id!r} moved on while it was captured"
            hint = "snapshot it between runs, or try again"
            raise ConcurrentMutationError(message, hint=hint, retryable=True)
        state = {
            "thread_id": thread_id,
            "granularity": options.granularity,
            "checkpoints": [checkpoints.record(agent, item) for item in found],
            "store": stores.capture(agent),
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
        thread_id, puts = _read(document, context)
        before = list(saver.list(_config(thread_id)))
        store = _check_free(graph, thread_id, before, document, context)
        try:
            if before:
                saver.delete_thread(thread_id)
            _put(saver, thread_id, puts)
            store.run()
        except BaseException:
            store.undo()
            saver.delete_thread(thread_id)
            _put(saver, thread_id, checkpoints.puts_of(before))
            raise
        return graph

    async def arestore(self, document: Mapping[str, Any], context: RestoreContext) -> Any:
        """Do what `restore` does, with the checkpointer's asynchronous calls."""
        graph, saver = _target(document, context)
        if not _is_async(saver):
            return await asyncio.to_thread(self.restore, document, context)
        thread_id, puts = _read(document, context)
        before = [item async for item in saver.alist(_config(thread_id))]
        store = _check_free(graph, thread_id, before, document, context)
        try:
            if before:
                await saver.adelete_thread(thread_id)
            await _aput(saver, thread_id, puts)
            store.run()
        except BaseException:
            store.undo()
            await saver.adelete_thread(thread_id)
            await _aput(saver, thread_id, checkpoints.puts_of(before))
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
    from langgraph.checkpoint.base import BaseCheckpointSaver

    has_own = type(saver).alist is not BaseCheckpointSaver.alist
    return has_own and class_name(saver) != "langgraph.checkpoint.sqlite.SqliteSaver"


def _refuse_if_async_only(saver: Any) -> None:
    loop = getattr(saver, "loop", None)
    try:
        is_inside = loop is not None and asyncio.get_running_loop() is loop
    except RuntimeError:
        is_inside = False
    if is_inside:
        message = f"{class_name(saver)} answers asynchronous calls alone inside its event loop"
        hint = "await persist.asnapshot(...) or persist.arestore(...) instead"
        raise NeedsContextError(message, hint=hint)


def _only_thread(tuples: Any) -> str:
    threads = {item.config["configurable"]["thread_id"] for item in tuples}
    if len(threads) == 1:
        return str(threads.pop())
    known = ", ".join(sorted(map(repr, threads))[:5])
    message = f"the checkpointer has {len(threads)} threads" + (f": {known}" if known else "")
    raise StateNotOnAgentError(message, hint="pass thread_id=, as in the agent's config")


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
    document: Mapping[str, Any], context: RestoreContext
) -> tuple[str, list[checkpoints.Put]]:
    """The thread to write, and the calls that write it."""
    with reading(document):
        state = document["state"]
        return context.thread_id or state["thread_id"], checkpoints.puts(state["checkpoints"])


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
    for put in puts:
        config = saver.put(put.config(thread_id), put.checkpoint, put.metadata, put.versions)
        for task_id, writes, task_path in put.writes:
            saver.put_writes(config, writes, task_id, task_path)


async def _aput(saver: Any, thread_id: str, puts: list[checkpoints.Put]) -> None:
    for put in puts:
        config = await saver.aput(put.config(thread_id), put.checkpoint, put.metadata, put.versions)
        for task_id, writes, task_path in put.writes:
            await saver.aput_writes(config, writes, task_id, task_path)


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
