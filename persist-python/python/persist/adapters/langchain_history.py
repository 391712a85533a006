"""RunnableWithMessageHistory: the state is the caller's store of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from persist.adapters import _parts as parts
from persist.adapters._common import class_name, needs, reading
from persist.adapters._migrations import register_migration
from persist.adapters._refusals import refuse
from persist.adapters._run import installed_versions
from persist.adapters._types import Captured
from persist.exceptions import (
    NeedsContextError,
    RestoreConflictError,
    StateNotOnAgentError,
    UnserializableStateError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from persist.adapters._types import CaptureOptions, RestoreContext

_HISTORY = "langchain_core.chat_history.InMemoryChatMessageHistory"


class HistoryAdapter:
    """A chain whose messages live in a dict of histories, by session."""

    id = "langchain-history"
    version = 2
    distributions: tuple[str, ...] = ("langchain-core",)
    classes: tuple[str, ...] = ()
    takes: tuple[str, ...] = ("session",)

    def matches(self, names: Sequence[str]) -> int:
        """Fit RunnableWithMessageHistory and its subclasses."""
        return 10 * ("langchain_core.runnables.history.RunnableWithMessageHistory" in names)

    def capture(self, agent: Any, options: CaptureOptions) -> Captured:
        """Return the messages of every session in the store, or where they are kept."""
        if not isinstance(options.session, dict):
            message = f"a {class_name(agent)} keeps its messages in a store of yours"
            hint = "pass session=store, the dict that get_session_history looks in"
            raise StateNotOnAgentError(message, hint=hint)
        sessions = {name: _session(name, history) for name, history in options.session.items()}
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
        agent, store = context.agent(), context.session
        if agent is None and store is None:
            store = {}
        if not isinstance(store, dict):
            raise needs(document, "persist.restore(path, into=chain, session=store)")
        with reading(document):
            sessions = _read(document["state"]["sessions"], store)
        if context.on_existing == "error":
            _check_free(store, sessions)
        store.update(sessions)
        return store if agent is None else agent


def _read(saved: Mapping[Any, Any], store: Mapping[Any, Any]) -> dict[Any, Any]:
    """The histories of sessions; one that is kept elsewhere must be in the store already."""
    from langchain_core.chat_history import InMemoryChatMessageHistory

    sessions = {}
    for name, session in saved.items():
        if not isinstance(session, dict):
            sessions[name] = InMemoryChatMessageHistory(messages=list(session))
        elif name not in store or not parts.is_same_place(session, store[name]):
            message = f"the session {name!r} is kept in a {session['class']}: {session['outside']}"
            raise NeedsContextError(message, hint="put that history into the store first")
    return sessions


def _check_free(store: Mapping[Any, Any], sessions: Mapping[Any, Any]) -> None:
    """A session that is there already may be the beginning of the saved one, no other."""
    for name, saved in sessions.items():
        there = list(store[name].messages) if name in store else []
        if saved.messages[: len(there)] != there:
            message = f"the session {name!r} exists already in the store, with other messages"
            hint = 'pass on_existing="replace" to go back, or restore into another store'
            raise RestoreConflictError(message, hint=hint)


def _session(name: Any, history: Any) -> Any:
    path = f"$.sessions[{name!r}]"
    if parts.is_outside(history):
        return parts.reference(history, path)
    if class_name(history) == _HISTORY:
        return list(history.messages)
    refuse(
        UnserializableStateError(
            f"could not capture the session {name!r}: its history is a {class_name(history)}",
            path=path,
            type_name=class_name(history),
            hint="a history of an unknown class cannot come back; copy its messages into memory",
        )
    )
    return None


register_migration("langchain-history", 1, lambda state: state)
adapter: Final = HistoryAdapter()
