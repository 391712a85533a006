"""The adapters that are known, and which one an agent gets."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from persist.exceptions import (
    AdapterNotInstalledError,
    AmbiguousAdapterError,
    ConfigurationError,
    UnsupportedAgentError,
)

if TYPE_CHECKING:
    from persist.adapters._types import Adapter

GROUP = "persist.adapters"
_registered: dict[str, Adapter] = {}


def register_adapter(adapter: Adapter) -> None:
    """Make an adapter of your own known to this process.

    Args:
        adapter: The adapter.

    Raises:
        ConfigurationError: There is one of this id already.
    """
    if adapter.id in _known():
        message = f"the adapter {adapter.id!r} is there already"
        raise ConfigurationError(message, hint="give yours another id")
    _registered[adapter.id] = adapter


def find(agent: object, adapter: str | None = None) -> Adapter:
    """Return the adapter for an agent.

    Args:
        agent: The agent.
        adapter: The id of the adapter to use, whatever fits.

    Returns:
        The adapter that fits best.

    Raises:
        UnsupportedAgentError: No adapter fits.
        AmbiguousAdapterError: Several fit equally well.
        AdapterNotInstalledError: There is no adapter of this id.
    """
    if adapter is not None:
        return load(adapter)
    names = [f"{cls.__module__}.{cls.__qualname__}" for cls in type(agent).__mro__]
    fits = {known: known.matches(names) for known in _known().values()}
    best = max(fits.values(), default=0)
    if best == 0:
        message = f"no adapter knows the class {names[0]}"
        hint = "give it __persist_capture__ and __persist_restore__, or register an adapter"
        raise UnsupportedAgentError(message, hint=hint)
    chosen = [known for known, fit in fits.items() if fit == best]
    if len(chosen) > 1:
        ids = " and ".join(repr(known.id) for known in chosen)
        message = f"the adapters {ids} both fit the class {names[0]}"
        raise AmbiguousAdapterError(message, hint=f"pass adapter={chosen[0].id!r}, or the other")
    return chosen[0]


def load(adapter: str) -> Adapter:
    """Return the adapter of this id.

    Args:
        adapter: The id, as snapshots carry it.

    Returns:
        The adapter.

    Raises:
        AdapterNotInstalledError: There is none.
    """
    known = _known()
    if adapter not in known:
        message = f"there is no adapter {adapter!r}"
        hint = f"install the package that brings it; known are: {', '.join(sorted(known))}"
        raise AdapterNotInstalledError(message, hint=hint)
    return known[adapter]


def _known() -> dict[str, Adapter]:
    return {**_installed(), **_registered}


@lru_cache(maxsize=1)
def _installed() -> dict[str, Adapter]:
    loaded: list[Adapter] = [point.load() for point in entry_points(group=GROUP)]
    return {adapter.id: adapter for adapter in loaded}
