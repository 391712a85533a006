"""langchain-classic: chains and agents with the memories and stores below them, and memories alone.

State is loaded into a living agent part by part. A memory, and a chain of prompts and models, can
also be built again from the snapshot: the model comes from `llm=`, or from the snapshot when it is
one of the table.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

from persist.adapters import _parts as parts
from persist.adapters._common import class_name, compare, model_name, needs, reading
from persist.adapters._migrations import register_migration
from persist.adapters._run import installed_versions
from persist.adapters._types import Captured
from persist.codec._models import is_harmless_call
from persist.exceptions import StateNotOnAgentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from persist.adapters._types import CaptureOptions, RestoreContext

_CHAINS = "langchain_classic.chains."
_SETTINGS = ("verbose", "tags", "metadata", "name")
_LLM_SETTINGS = (*_SETTINGS, "output_key", "return_final_only", "llm_kwargs")

# The chains that can be built again, and their settings.
_RECIPES: dict[str, tuple[str, ...]] = {
    f"{_CHAINS}conversation.base.ConversationChain": ("prompt", "input_key", *_LLM_SETTINGS),
    f"{_CHAINS}llm.LLMChain": ("prompt", *_LLM_SETTINGS),
    f"{_CHAINS}sequential.SequentialChain": (
        "input_variables",
        "output_variables",
        "return_all",
        *_SETTINGS,
    ),
    f"{_CHAINS}sequential.SimpleSequentialChain": (
        "strip_outputs",
        "input_key",
        "output_key",
        *_SETTINGS,
    ),
}
_DEFAULT_PARSER = "langchain_core.output_parsers.string.StrOutputParser"


class ClassicAdapter:
    """A chain, an AgentExecutor, or a memory by itself."""

    id = "langchain-classic"
    version = 2
    distributions: tuple[str, ...] = ("langchain-classic", "langchain-core")
    classes: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()

    def matches(self, names: Sequence[str]) -> int:
        """Fit chains, memories, and histories kept elsewhere; `capture` names those it refuses."""
        bases = ("langchain_classic.chains.base.Chain", "langchain_classic.base_memory.BaseMemory")
        return 10 * (any(base in names for base in bases) or names[0] in parts.OUTSIDE)

    def capture(self, agent: Any, options: CaptureOptions) -> Captured:
        """Return the parts that hold state, and how to build the agent where that is known."""
        del options
        requires: list[str] = []
        state = {"parts": parts.capture(agent), "recipe": _recipe(agent, "$", requires)}
        if not state["parts"] and requires:
            message = f"this {class_name(agent)} has no memory and no store, so it keeps no state"
            hint = "give it a memory, or snapshot the list of messages that you keep"
            raise StateNotOnAgentError(message, hint=hint)
        return Captured(
            adapter=self.id,
            version=self.version,
            state=state,
            class_name=class_name(agent),
            framework=installed_versions(self.distributions),
            fingerprint=_fingerprint(agent),
            requires=tuple(requires),
        )

    def restore(self, document: Mapping[str, Any], context: RestoreContext) -> Any:
        """Load the parts into the agent that was given, or build it again."""
        agent = context.agent()
        if agent is None:
            return _build(document, context)
        compare(document["fingerprint"], _fingerprint(agent), context)
        with reading(document):
            records = dict(document["state"]["parts"])
            parts.load(records, agent)
        return agent


def _fingerprint(agent: Any) -> dict[str, object]:
    shown: dict[str, object] = {"class": class_name(agent)}
    if getattr(agent, "memory", None) is not None:
        shown["memory"] = class_name(agent.memory)
    if hasattr(agent, "llm"):
        shown["model"] = class_name(agent.llm)
        shown["model_name"] = model_name(agent.llm)
    if hasattr(agent, "prompt"):
        fields = {"template", "input_variables"}
        shown["prompt"] = agent.prompt.model_dump_json(include=fields)
        shown["messages"] = [_message(each) for each in getattr(agent.prompt, "messages", ())]
    if hasattr(agent, "tools"):
        shown["tools"] = sorted(tool.name for tool in agent.tools)
    return shown


def _message(message: Any) -> str:
    """A message of a chat prompt: a template, a placeholder, or a message as it is."""
    prompts = getattr(message, "prompt", ())
    templates = [getattr(prompt, "template", None) for prompt in _listed(prompts)]
    texts = [*templates, getattr(message, "variable_name", None), getattr(message, "content", None)]
    return f"{type(message).__name__}: {[text for text in texts if text is not None]}"


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else (value,)


def _recipe(chain: Any, path: str, requires: list[str]) -> dict[str, Any] | None:
    """How to build a chain again; None, and a line in `requires`, when it takes code."""
    name = class_name(chain)
    if not hasattr(chain, "callbacks"):
        return {"class": name}  # a memory: its parts say all
    if name not in _RECIPES:
        requires.append(f"into or factory ({name})")
        return None
    code = _code_of(chain)
    if code:
        requires.append(f"into or factory ({path} has {code})")
        return None
    recipe: dict[str, Any] = {
        "class": name,
        "settings": {field: getattr(chain, field) for field in _RECIPES[name]},
        "memory": chain.memory is not None,
    }
    if hasattr(chain, "chains"):
        inner = enumerate(chain.chains)
        recipe["chains"] = [_recipe(each, f"{path}.chains[{n}]", requires) for n, each in inner]
        return None if None in recipe["chains"] else recipe
    recipe["llm"] = parts.model(chain.llm, f"{path}.llm")
    if recipe["llm"] is None:
        requires.append(f"llm ({class_name(chain.llm)})")
    return recipe


def _code_of(chain: Any) -> str | None:
    """The field of a chain that holds code of the user, or steers the calls of its model."""
    if chain.callbacks:
        return "callbacks"
    if not is_harmless_call(getattr(chain, "llm_kwargs", {})):
        return "llm_kwargs"
    parser = getattr(chain, "output_parser", None)
    return None if parser is None or class_name(parser) == _DEFAULT_PARSER else "an output_parser"


def _build(document: Mapping[str, Any], context: RestoreContext) -> Any:
    with reading(document), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        state = document["state"]
        if state["recipe"] is None:
            raise needs(document, "persist.restore(path, into=agent)")
        return _build_chain(state["recipe"], "$", document, context)


def _build_chain(
    recipe: Mapping[str, Any], path: str, document: Mapping[str, Any], context: RestoreContext
) -> Any:
    records = document["state"]["parts"]
    if recipe["class"] not in _RECIPES:
        return parts.build(records, path, context.llm)
    from langchain_classic import chains

    arguments = {field: recipe["settings"][field] for field in _RECIPES[recipe["class"]]}
    if not is_harmless_call(arguments.get("llm_kwargs", {})):
        raise needs(document, "persist.restore(path, into=agent)")
    if recipe["memory"]:
        arguments["memory"] = parts.build(records, f"{path}.memory", context.llm)
    if "chains" in recipe:
        arguments["chains"] = [
            _build_chain(each, f"{path}.chains[{n}]", document, context)
            for n, each in enumerate(recipe["chains"])
        ]
    elif context.llm is not None:
        arguments["llm"] = context.llm
    elif recipe["llm"] is None:
        raise needs(document, "persist.restore(path, llm=model)")
    else:
        arguments["llm"] = recipe["llm"].get()
    return getattr(chains, recipe["class"].rpartition(".")[2])(**arguments)


def _of_version_1(state: Mapping[str, Any]) -> dict[str, Any]:
    """Version 1 knew a ConversationChain, or a memory alone."""
    if "prompt" not in state:
        name = state["memory"]["class"]
        return {"parts": parts.memory_of_version_1(state["memory"], "$"), "recipe": {"class": name}}
    settings = {"name": None, "llm_kwargs": {}, "prompt": state["prompt"], **state["settings"]}
    return {
        "parts": parts.memory_of_version_1(state["memory"], "$.memory"),
        "recipe": {
            "class": f"{_CHAINS}conversation.base.ConversationChain",
            "settings": settings,
            "memory": True,
            "llm": state["llm"],
        },
    }


register_migration("langchain-classic", 1, _of_version_1)
adapter: Final = ClassicAdapter()
