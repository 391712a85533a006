"""Agents to state and back: one adapter for each family of agents.

An adapter says what an agent holds (`capture`), loads that into an agent again
(`restore`), and says what must be the same on both sides (`fingerprint`). It
is found by the names in `type(agent).__mro__`; no framework is imported to
find it. Code (tools, models of your own, graphs) is never captured: it comes
from the caller of `restore`.

An adapter of your own is an `Adapter`, made known with `register_adapter` or
by an entry point in the group `persist.adapters`.
"""

from persist.adapters._migrations import register_migration
from persist.adapters._registry import find, load, register_adapter
from persist.adapters._run import acapture, arestore, capture, restore
from persist.adapters._types import Adapter, Captured, CaptureOptions, RestoreContext

__all__ = [
    "Adapter",
    "CaptureOptions",
    "Captured",
    "RestoreContext",
    "acapture",
    "arestore",
    "capture",
    "find",
    "load",
    "register_adapter",
    "register_migration",
    "restore",
]
