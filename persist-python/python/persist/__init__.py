"""Snapshot an AI agent and restore it later, elsewhere, with nothing lost.

::

    import persist

    persist.snapshot(agent, "agent.json.gz", agent_id="support_bot")
    agent = persist.restore("agent.json.gz")

What an agent holds is captured by an adapter, written as typed JSON by the
codec, and kept in one file that is checked to the byte when it is read:

    agent ─ adapters ─ codec ─ (Rust) ─ file

What cannot come back exactly is refused by `snapshot`, with its path and type.
Restoring runs no code that the file names. No framework is imported before an
agent of that framework is met.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from persist import exceptions
from persist._version import __version__
from persist.exceptions import *  # noqa: F403 - the tree is public as a whole

if TYPE_CHECKING:
    from persist import metrics, options
    from persist._api import (
        acopy_snapshot,
        adelete_snapshot,
        adumps,
        aget_metadata,
        ainspect,
        aload_state,
        aloads,
        arestore,
        asnapshot,
        asnapshot_exists,
        averify_snapshot,
        copy_snapshot,
        delete_snapshot,
        dumps,
        get_metadata,
        inspect,
        load_state,
        loads,
        restore,
        snapshot,
        snapshot_exists,
        verify_snapshot,
    )
    from persist._flush import force_flush
    from persist._health import Check, Health, Newest, health
    from persist._inspection import Inspection
    from persist._listing import StoredSnapshot, alist_snapshots, list_snapshots
    from persist._metadata import Metadata
    from persist._shutdown import ShutdownHook, shutdown_hook
    from persist.adapters import register_adapter, register_migration
    from persist.codec import register, register_kind

__all__ = [
    "Check",
    "Health",
    "Inspection",
    "Metadata",
    "Newest",
    "ShutdownHook",
    "StoredSnapshot",
    "__version__",
    "acopy_snapshot",
    "adelete_snapshot",
    "adumps",
    "aget_metadata",
    "ainspect",
    "alist_snapshots",
    "aload_state",
    "aloads",
    "arestore",
    "asnapshot",
    "asnapshot_exists",
    "averify_snapshot",
    "copy_snapshot",
    "delete_snapshot",
    "dumps",
    "exceptions",
    "force_flush",
    "get_metadata",
    "health",
    "inspect",
    "list_snapshots",
    "load_state",
    "loads",
    "metrics",
    "options",
    "register",
    "register_adapter",
    "register_kind",
    "register_migration",
    "restore",
    "shutdown_hook",
    "snapshot",
    "snapshot_exists",
    "verify_snapshot",
]
__all__ += exceptions.__all__

# What is not used is not imported: the codec alone is most of the start.
_ROOMS = {"adapters", "codec", "metrics", "options"}
_HOMES = ("_api", "_health", "_listing", "_shutdown", "_flush", "adapters", "codec")

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import what a public name stands for, when it is first used."""
        if name in _ROOMS:
            return import_module(f"persist.{name}")
        for home in _HOMES if name in __all__ else ():
            module = import_module(f"persist.{home}")
            if hasattr(module, name):
                return globals().setdefault(name, getattr(module, name))
        message = f"module 'persist' has no attribute {name!r}"
        raise AttributeError(message)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__, *_ROOMS})
