"""What makes two graphs the same: class, nodes, models, prompts, tools and their schemas."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from persist.adapters._common import class_name, is_model, model_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def fingerprint(graph: Any) -> dict[str, object]:
    """Return what `restore` compares.

    Args:
        graph: A compiled graph.

    Returns:
        The graph's class and name, its nodes, its channels, the models that nodes were made
        with, and a hash of each system prompt and of each tool's schema.
    """
    return {
        "class": class_name(graph),
        "name": graph.get_name(),
        "nodes": sorted(graph.nodes),
        "channels": sorted(name for name in graph.channels if not name.startswith("branch:")),
        "models": _models(graph),
        "prompts": _prompts(graph),
        "tools": _tools(graph),
    }


def _models(graph: Any) -> dict[str, str]:
    """The models of each node whose function holds some, as those of `create_agent` do."""
    return _by_node(graph, lambda held: [_shown(value) for value in held if is_model(value)])


def _prompts(graph: Any) -> dict[str, str]:
    """A hash of the system prompt of each node whose function holds one."""
    return _by_node(
        graph,
        lambda held: [_hash(_text(value)) for value in _flat(held) if _is_system_message(value)],
    )


def _by_node(graph: Any, shown: Callable[[list[Any]], list[str]]) -> dict[str, str]:
    found = {
        name: ", ".join(shown(_held(getattr(node, "bound", None))))
        for name, node in graph.nodes.items()
    }
    return {name: text for name, text in found.items() if text}


def _held(runnable: Any) -> list[Any]:
    """What the function of a runnable holds."""
    cells = getattr(getattr(runnable, "func", None), "__closure__", None) or ()
    return list(map(_content, cells))


def _flat(held: list[Any]) -> Iterator[Any]:
    """The same, with what the functions in a sequence hold: there `create_react_agent` has it."""
    for value in held:
        yield value
        for step in value.steps if _is_sequence(value) else ():
            yield from _held(step)


def _is_sequence(value: Any) -> bool:
    return class_name(value) == "langchain_core.runnables.base.RunnableSequence"


def _is_system_message(value: Any) -> bool:
    return class_name(value) == "langchain_core.messages.system.SystemMessage"


def _text(prompt: Any) -> str:
    return json.dumps(prompt.content, sort_keys=True, default=str)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _shown(model: Any) -> str:
    """The class without its module: a script's own is another one when it is imported."""
    return " ".join(filter(None, (type(model).__qualname__, model_name(model))))


def _tools(graph: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in graph.nodes.values():
        tools = getattr(getattr(node, "bound", None), "tools_by_name", {})
        found.update({name: _schema_hash(tool) for name, tool in tools.items()})
    return dict(sorted(found.items()))


def _schema_hash(tool: Any) -> str:
    schema = tool.tool_call_schema
    if not isinstance(schema, dict):  # tools of MCP servers have plain JSON
        schema = schema.model_json_schema()
    return _hash(json.dumps(schema, sort_keys=True, default=str))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
