"""RunnableWithMessageHistory: the state is the caller's store of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from persist.adapters._common import class_name, needs, reading
from persist.adapters._run import installed_versions
from persist.adapters._types import Captured
from persist.exceptions import StateNotOnAgentError, UnserializableStateError

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

        agent = context.agent()
        if agent is not None and not isinstance(context.session, dict):
            raise needs(document, "persist.restore(path, into=chain, session=store)")
        store = {} if context.session is None else context.session
        with reading(document):
            sessions = {
                name: InMemoryChatMessageHistory(messages=list(messages))
                for name, messages in document["state"]["sessions"].items()
            }
        store.update(sessions)
        return store if agent is None else agent


def _messages(name: str, history: Any) -> list[Any]:
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
