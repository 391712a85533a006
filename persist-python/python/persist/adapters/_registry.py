"""The adapters that are known, and which one an agent gets."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from persist._warning import warn
from persist.codec._registry import bring_kinds
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
_best: WeakKeyDictionary[type, Adapter] = WeakKeyDictionary()
"""What was found for a class, until another adapter is registered."""


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
    _best.clear()


def find(agent: object, adapter: str | None = None) -> Adapter:
    """Return the adapter for an agent.

    Args:
        agent: The agent.
        adapter: The id of the adapter to use, when several fit.

    Returns:
        The adapter that fits best; the plain one for a class with `__persist_capture__`, which
        knows better than any adapter what to keep.

    Raises:
        UnsupportedAgentError: No adapter fits, or not the one that was asked for.
        AmbiguousAdapterError: Several fit equally well.
        AdapterNotInstalledError: There is no adapter of this id.
    """
    cls = type(agent)
    if adapter is not None:
        return _asked_for(adapter, _names(cls))
    if hasattr(cls, "__persist_capture__"):
        return load("plain")
    found = _best.get(cls)
    if found is None:
        found = _best[cls] = _best_for(_names(cls))
    return found


def _names(cls: type) -> list[str]:
    return [f"{base.__module__}.{base.__qualname__}" for base in cls.__mro__]


def _best_for(names: list[str]) -> Adapter:
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


def _asked_for(adapter: str, names: list[str]) -> Adapter:
    found = load(adapter)
    if found.matches(names) > 0:
        return found
    message = f"the adapter {adapter!r} does not know the class {names[0]}"
    raise UnsupportedAgentError(message, hint="leave adapter= out")


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
    from importlib.metadata import entry_points

    loaded: dict[str, Adapter] = {}
    for point in entry_points(group=GROUP):
        try:
            adapter = point.load()
        except Exception as error:  # noqa: BLE001 - one broken package must not stop the others
            warn(f"could not load the adapter {point.value!r}: {error!r}")
            continue
        if loaded.setdefault(adapter.id, adapter) is not adapter:
            message = f"two installed packages bring the adapter {adapter.id!r}"
            raise ConfigurationError(message, hint=f"one is {point.value!r}; uninstall one")
    return loaded


# A kind that an adapter brings can stand in a snapshot of any other.
bring_kinds(_installed)
