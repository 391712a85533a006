"""Runs the adapter that an agent or a snapshot asks for."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from persist._threads import in_thread
from persist._warning import warn
from persist.adapters._common import reading
from persist.adapters._migrations import migrated
from persist.adapters._registry import find, load
from persist.adapters._types import CaptureOptions
from persist.exceptions import ConfigurationError, FrameworkVersionWarning

if TYPE_CHECKING:
    from collections.abc import Mapping

    from persist.adapters._types import Adapter, Captured, RestoreContext


_PLACES = ("thread_id", "session", "memory", "messages")


def capture(agent: object, *, adapter: str | None = None, **options: Any) -> Captured:
    """Return what an agent holds.

    Args:
        agent: The agent.
        adapter: The id of the adapter to use, whatever fits.
        **options: See `CaptureOptions`.

    Returns:
        What the adapter made of it.

    Raises:
        CaptureError: It cannot be captured.
    """
    found, chosen = find(agent, adapter), CaptureOptions(**options)
    _check_taken(found, chosen)
    return found.capture(agent, chosen)


async def acapture(agent: object, *, adapter: str | None = None, **options: Any) -> Captured:
    """Do what `capture` does, with the asynchronous calls of the framework.

    Args:
        agent: See `capture`.
        adapter: See `capture`.
        **options: See `capture`.

    Returns:
        What the adapter made of it.

    Raises:
        CaptureError: It cannot be captured.
    """
    found: Any = find(agent, adapter)
    chosen = CaptureOptions(**options)
    _check_taken(found, chosen)
    if hasattr(found, "acapture"):
        captured: Captured = await found.acapture(agent, chosen)
        return captured
    return found.capture(agent, chosen)  # type: ignore[no-any-return]


def restore(document: Mapping[str, Any], context: RestoreContext) -> Any:
    """Return an agent that holds the state of a document.

    Args:
        document: The envelope that a snapshot holds.
        context: What the caller gives.

    Returns:
        The agent.

    Raises:
        RestoreError: No agent could be made.
    """
    adapter, document, news = _prepared(document)
    _tell(news)
    _check_taken(adapter, context)
    return adapter.restore(document, context)


async def arestore(document: Mapping[str, Any], context: RestoreContext) -> Any:
    """Do what `restore` does, with the asynchronous calls of the framework.

    Args:
        document: See `restore`.
        context: See `restore`.

    Returns:
        The agent.

    Raises:
        RestoreError: No agent could be made.
    """
    prepared = await in_thread(_prepared, document)
    found: Any = prepared[0]
    document, news = prepared[1:]
    _tell(news)
    _check_taken(found, context)
    if hasattr(found, "arestore"):
        return await found.arestore(document, context)
    return await in_thread(found.restore, document, context)


def _check_taken(adapter: Adapter, given: CaptureOptions | RestoreContext) -> None:
    """Refuse what says where the state is, and would be passed over."""
    takes = getattr(adapter, "takes", _PLACES)
    for name in _PLACES:
        if name not in takes and getattr(given, name, None) is not None:
            message = f"the adapter {adapter.id!r} takes no {name}="
            hint = "leave it out; what is kept beside the agent can be snapshotted by itself"
            raise ConfigurationError(message, hint=hint)


def installed_versions(distributions: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of those distributions that are installed.

    Args:
        distributions: Distribution names.

    Returns:
        Version by name.
    """
    found = {name: _version(name) for name in distributions}
    return {name: here for name, here in found.items() if here is not None}


@lru_cache(maxsize=256)
def _version(distribution: str) -> str | None:
    """Look it up in the files of the package, once: nothing is installed under a running agent."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _prepared(document: Mapping[str, Any]) -> tuple[Adapter, Mapping[str, Any], list[str]]:
    """The adapter, the document as that adapter's version writes it, and what is to be told."""
    adapter = load(document["adapter"])
    with reading(document):
        document = migrated(document, adapter.version)
        return adapter, document, _other_versions(dict(document.get("framework") or {}))


def _other_versions(framework: Mapping[str, str]) -> list[str]:
    return [
        f"the snapshot was made with {name} {framework[name]}; {here} is installed"
        for name, here in installed_versions(tuple(framework)).items()
        if here.split(".")[:2] != framework[name].split(".")[:2]
    ]


def _tell(news: list[str]) -> None:
    for message in news:
        warn(message, FrameworkVersionWarning)
