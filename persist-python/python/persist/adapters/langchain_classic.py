"""langchain-classic: ConversationChain, and the memories that keep messages in the process."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

from persist import codec
from persist.adapters._common import class_name, compare, needs, reading
from persist.adapters._run import installed_versions
from persist.adapters._types import Captured
from persist.exceptions import (
    CaptureError,
    MissingSecretError,
    RestoreError,
    UnserializableStateError,
    UnsupportedAgentError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from persist.adapters._types import CaptureOptions, RestoreContext

_CHAIN = "langchain_classic.chains.conversation.base.ConversationChain"
_HISTORY = "langchain_core.chat_history.InMemoryChatMessageHistory"
_CHAT_FIELDS = ("output_key", "input_key", "return_messages")
_PREFIXES = ("human_prefix", "ai_prefix", "memory_key")

# The memories that are known: module, class, and the fields beside the messages.
_MEMORIES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    f"langchain_classic.memory.{module}.{name}": (
        f"langchain_classic.memory.{module}",
        name,
        (*_CHAT_FIELDS, *_PREFIXES, *more),
    )
    for module, name, more in (
        ("buffer", "ConversationBufferMemory", ()),
        ("buffer_window", "ConversationBufferWindowMemory", ("k",)),
    )
}
_CHAIN_FIELDS = ("input_key", "output_key", "return_final_only", "verbose", "tags", "metadata")


class ConversationAdapter:
    """A ConversationChain, or a memory by itself."""

    id = "langchain-classic"
    version = 1
    distributions: tuple[str, ...] = ("langchain-classic", "langchain-core")
    classes: tuple[str, ...] = ()

    def matches(self, names: Sequence[str]) -> int:
        """Fit every chain and memory of langchain-classic; `capture` names those it refuses."""
        bases = ("langchain_classic.chains.base.Chain", "langchain_classic.base_memory.BaseMemory")
        return 10 * any(base in names for base in bases)

    def capture(self, agent: Any, options: CaptureOptions) -> Captured:
        """Return prompt, memory, settings, and the model where that can be rebuilt."""
        del options
        name = class_name(agent)
        if name in _MEMORIES:
            return self._captured(agent, {"memory": _memory(agent, "$.memory")}, {}, ())
        if name != _CHAIN:
            message = f"{name} is not a chain or memory that this release captures"
            hint = "snapshot its memory, or give a subclass of yours __persist_capture__"
            raise UnsupportedAgentError(message, hint=hint)
        model, requires = _model(agent.llm)
        state = {
            "memory": _memory(agent.memory, "$.memory"),
            "prompt": agent.prompt,
            "settings": {field: getattr(agent, field) for field in _CHAIN_FIELDS},
            "llm": model,
        }
        return self._captured(agent, state, _fingerprint(agent), requires)

    def _captured(
        self,
        agent: Any,
        state: dict[str, Any],
        fingerprint: dict[str, object],
        requires: tuple[str, ...],
    ) -> Captured:
        return Captured(
            adapter=self.id,
            version=self.version,
            state=state,
            class_name=class_name(agent),
            framework=installed_versions(self.distributions),
            fingerprint=fingerprint,
            requires=requires,
        )

    def restore(self, document: Mapping[str, Any], context: RestoreContext) -> Any:
        """Load the memory into the chain that was given, or build the chain again."""
        state = document["state"]
        with reading(document):
            memory = _build_memory(state["memory"])
            if "prompt" not in state:
                return memory
        chain = context.agent()
        if chain is None:
            return _build_chain(document, memory, context)
        compare(document["fingerprint"], _fingerprint(chain), context)
        chain.memory = memory
        return chain


def _fingerprint(chain: Any) -> dict[str, object]:
    return {
        "class": class_name(chain),
        "memory": class_name(chain.memory),
        "model": class_name(chain.llm),
        "prompt": chain.prompt.model_dump_json(include={"template", "input_variables"}),
    }


def _memory(memory: Any, path: str) -> dict[str, Any]:
    name, history = class_name(memory), memory.chat_memory
    if name not in _MEMORIES:
        raise _refused(path, name, "this release captures the buffer and the window memory")
    if class_name(history) != _HISTORY:
        hint = "histories outside the process stay where they are"
        raise _refused(f"{path}.chat_memory", class_name(history), hint)
    fields = {field: getattr(memory, field) for field in _MEMORIES[name][2]}
    return {"class": name, "fields": fields, "messages": list(history.messages)}


def _refused(path: str, type_name: str, hint: str) -> UnserializableStateError:
    message = f"could not capture {path} ({type_name}): its type is not one that comes back"
    return UnserializableStateError(message, path=path, type_name=type_name, hint=hint)


def _model(llm: Any) -> tuple[codec.Lazy | None, tuple[str, ...]]:
    """The model, when anybody can build it again; else its name in `requires`."""
    try:
        codec.decode(codec.encode(llm, path="$.llm").data)
    except MissingSecretError:
        return codec.Lazy(lambda: llm), ()
    except (CaptureError, RestoreError):
        return None, (f"llm ({class_name(llm)})",)
    return codec.Lazy(lambda: llm), ()


def _build_memory(state: Mapping[str, Any]) -> Any:
    from importlib import import_module

    from langchain_core.chat_history import InMemoryChatMessageHistory

    module, name, _ = _MEMORIES[state["class"]]
    memory_class = getattr(import_module(module), name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        history = InMemoryChatMessageHistory(messages=list(state["messages"]))
        return memory_class(chat_memory=history, **state["fields"])


def _build_chain(document: Mapping[str, Any], memory: Any, context: RestoreContext) -> Any:
    state = document["state"]
    if context.llm is None and state.get("llm") is None:
        raise needs(document, "persist.restore(path, llm=model)")
    from langchain_classic.chains import ConversationChain

    with reading(document), warnings.catch_warnings():
        llm = context.llm if context.llm is not None else state["llm"].get()
        warnings.simplefilter("ignore", DeprecationWarning)
        return ConversationChain(
            llm=llm, prompt=state["prompt"], memory=memory, **state["settings"]
        )


adapter: Final = ConversationAdapter()
