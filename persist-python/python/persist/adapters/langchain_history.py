"""RunnableWithMessageHistory: the state is the caller's store of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from persist.adapters._common import class_name, needs, reading
from persist.adapters._run import installed_versions
from persist.adapters._types import Captured
from persist.exceptions import RestoreConflictError, StateNotOnAgentError, UnserializableStateError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from persist.adapters._types import CaptureOptions, RestoreContext

_HISTORY = "langchain_core.chat_history.InMemoryChatMessageHistory"


class HistoryAdapter:
    """A chain whose messages live in a dict of histories, by session."""

    id = "langchain-history"
    version = 1
    distributions: tuple[str, ...] = ("langchain-core",)
    classes: tuple[str, ...] = ()
    takes: tuple[str, ...] = ("session",)

    def matches(self, names: Sequence[str]) -> int:
        """Fit RunnableWithMessageHistory and its subclasses."""
        return 10 * ("langchain_core.runnables.history.RunnableWithMessageHistory" in names)

    def capture(self, agent: Any, options: CaptureOptions) -> Captured:
        """Return the messages of every session in the store."""
        if not isinstance(options.session, dict):
            message = f"a {class_name(agent)} keeps its messages in a store of yours"
            hint = "pass session=store, the dict that get_session_history looks in"
            raise StateNotOnAgentError(message, hint=hint)
        sessions = {name: _messages(name, history) for name, history in options.session.items()}
        return Captured(
            adapter=self.id,
            version=self.version,
            state={"sessions": sessions},
            class_name=class_name(agent),
            framework=installed_versions(self.distributions),
            requires=("session",),
        )

    def restore(self, document: Mapping[str, Any], context: RestoreContext) -> Any:
        """Fill the store; return the chain that was given, else the store."""
        from langchain_core.chat_history import InMemoryChatMessageHistory

        agent, store = context.agent(), context.session
        if agent is None and store is None:
            store = {}
        if not isinstance(store, dict):
            raise needs(document, "persist.restore(path, into=chain, session=store)")
        with reading(document):
            sessions = {
                name: InMemoryChatMessageHistory(messages=list(messages))
                for name, messages in document["state"]["sessions"].items()
            }
        if context.on_existing == "error":
            _check_free(store, sessions)
        store.update(sessions)
        return store if agent is None else agent


def _check_free(store: Mapping[Any, Any], sessions: Mapping[Any, Any]) -> None:
    """A session that is there already may be the beginning of the saved one, no other."""
    for name, saved in sessions.items():
        there = list(store[name].messages) if name in store else []
        if saved.messages[: len(there)] != there:
            message = f"the session {name!r} exists already in the store, with other messages"
            hint = 'pass on_existing="replace" to go back, or restore into another store'
            raise RestoreConflictError(message, hint=hint)


def _messages(name: Any, history: Any) -> list[Any]:
    if class_name(history) == _HISTORY:
        return list(history.messages)
    message = f"could not capture the session {name!r}: its history is a {class_name(history)}"
    raise UnserializableStateError(
        message,
        path=f"$.sessions[{name!r}]",
        type_name=class_name(history),
        hint="histories outside the process stay where they are; snapshot those in memory",
    )


adapter: Final = HistoryAdapter()
