"""What makes two graphs the same: class, nodes, tools and their schemas."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from persist.adapters._common import class_name


def fingerprint(graph: Any) -> dict[str, object]:
    """Return what `restore` compares.

    Args:
        graph: A compiled graph.

    Returns:
        The graph's class and name, its nodes, its channels, and a hash of each
        tool's schema.
    """
    return {
        "class": class_name(graph),
        "name": graph.get_name(),
        "nodes": sorted(graph.nodes),
        "channels": sorted(name for name in graph.channels if not name.startswith("branch:")),
        "tools": _tools(graph),
    }


def _tools(graph: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in graph.nodes.values():
        tools = getattr(getattr(node, "bound", None), "tools_by_name", {})
        found.update({name: _schema_hash(tool) for name, tool in tools.items()})
    return dict(sorted(found.items()))


def _schema_hash(tool: Any) -> str:
    text = json.dumps(tool.tool_call_schema.model_json_schema(), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
