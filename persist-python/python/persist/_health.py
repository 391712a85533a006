"""Whether a store can keep snapshots, and how fresh those are that it keeps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from persist import _persist
from persist._location import location
from persist._tracing import spanned

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from persist._location import Path, Store


@dataclass(frozen=True)
class Check:
    """One thing that was checked.

    Attributes:
        name: What: `reach`, `credentials`, `write`, `read`, `condition`, `clock`,
            `delete`, `room` or `list`.
        ok: Whether it is well.
        detail: What was found, for people.
        kind: The code of the error, when it is not well.
    """

    name: str
    ok: bool
    detail: str
    kind: str | None = None


@dataclass(frozen=True)
class Newest:
    """The newest snapshot of an agent.

    Attributes:
        path: Where it is, as in the store's list.
        timestamp: When it was taken.
        age: How long ago that was.
    """

    path: str
    timestamp: datetime
    age: timedelta


@dataclass(frozen=True)
class Health:
    """What is known of a store; made by `health`.

    Attributes:
        healthy: Whether every check is well.
        checks: Every check that was made, in order.
        agents: The newest snapshot of each agent, by the agent's id.
    """

    healthy: bool
    checks: tuple[Check, ...]
    agents: dict[str, Newest]


@spanned("persist.health")
def health(path: Path, **store: Unpack[Store]) -> Health:
    """Check that a store can keep snapshots.

    A small object is written there, read, compared, written again on the
    condition that it does not exist, and deleted. Its clock is compared with
    this machine's, the room of a disk is looked at, and all is listed; at most
    the 1,000 newest snapshots are asked for their agents.

    Args:
        path: The folder: a path or a URL.
        **store: How the store is reached; see `snapshot`.

    Returns:
        What was found; a check that fails is in it, and not raised.

    Raises:
        ConfigurationError: The path is no path or URL.
        StorageError: The store cannot be opened at all.

    Example:
        >>> metadata = persist.snapshot(["hello"], "snapshots/agent.json.gz", agent_id="bot")
        >>> report = persist.health("snapshots")
        >>> report.healthy, list(report.agents)
        (True, ['bot'])
    """
    found = json.loads(_persist.health(location(path, **store), with_agents=True))
    agents = {
        agent["agent_id"]: Newest(
            agent["path"],
            datetime.fromisoformat(agent["timestamp"].replace("Z", "+00:00")),
            timedelta(seconds=agent["age_seconds"]),
        )
        for agent in found["agents"]
    }
    return Health(found["healthy"], tuple(Check(**check) for check in found["checks"]), agents)
