"""What makes two graphs the same: class, nodes, models, tools and their schemas."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from persist.adapters._common import class_name, is_model, model_name


def fingerprint(graph: Any) -> dict[str, object]:
    """Return what `restore` compares.

    Args:
        graph: A compiled graph.

    Returns:
        The graph's class and name, its nodes, its channels, the models that nodes were made
        with, and a hash of each tool's schema.
    """
    return {
        "class": class_name(graph),
        "name": graph.get_name(),
        "nodes": sorted(graph.nodes),
        "channels": sorted(name for name in graph.channels if not name.startswith("branch:")),
        "models": _models(graph),
        "tools": _tools(graph),
    }


def _models(graph: Any) -> dict[str, str]:
    """The models of each node whose function holds some, as those of `create_agent` do."""
    found: dict[str, str] = {}
    for name, node in graph.nodes.items():
        bound = getattr(node, "bound", None)
        cells = getattr(getattr(bound, "func", None), "__closure__", None) or ()
        models = [value for value in map(_content, cells) if is_model(value)]
        if models:
            found[name] = ", ".join(map(_shown, models))
    return found


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
    text = json.dumps(schema, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
