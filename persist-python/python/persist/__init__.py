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

from persist import exceptions, metrics, options
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
from persist._health import Check, Health, Newest, health
from persist._inspection import Inspection
from persist._listing import StoredSnapshot, alist_snapshots, list_snapshots
from persist._metadata import Metadata
from persist._shutdown import ShutdownHook, shutdown_hook
from persist._version import __version__
from persist.adapters import register_adapter, register_migration
from persist.codec import register, register_kind
from persist.exceptions import *  # noqa: F403 - the tree is public as a whole

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
