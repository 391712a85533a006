"""States of older adapters, brought to the version that is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from persist.exceptions import ConfigurationError, UnsupportedVersionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_STEPS: dict[tuple[str, int], Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {}


def register_migration(
    adapter: str, version: int, migrate: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> None:
    """Say how a state of an older version of an adapter becomes one of the next version.

    The steps are taken one after the other, from the version in the snapshot to that of the
    installed adapter; the file stays as it is.

    Args:
        adapter: The id of the adapter.
        version: The version that the step starts from.
        migrate: Returns the state of `version + 1`; it must not change its argument.

    Raises:
        ConfigurationError: There is such a step already, or this is none.

    Example:
        >>> persist.register_migration("my.bot", 1, lambda state: {**state, "mood": "calm"})
    """
    if type(version) is not int or not callable(migrate):
        message = f"no migration of {adapter!r} starts from {version!r} with {migrate!r}"
        raise ConfigurationError(message, hint="pass the version, a number, and a function")
    if _STEPS.setdefault((adapter, version), migrate) is not migrate:
        message = f"there is a migration of {adapter!r} from version {version} already"
        raise ConfigurationError(message)


def migrated(document: Mapping[str, Any], version: int) -> Mapping[str, Any]:
    """Return the document with a state of this version.

    Args:
        document: The envelope.
        version: The version of the adapter that is installed.

    Raises:
        UnsupportedVersionError: No steps lead there.
    """
    name, stated = document["adapter"], document.get("adapter_version")
    if not isinstance(stated, int) or stated > version:
        message = f"the state is of version {stated!r} of the adapter {name!r}"
        hint = f"this release reads up to version {version}; install a newer Persist"
        raise UnsupportedVersionError(message, hint=hint)
    state = document["state"]
    for step in range(stated, version):
        if (name, step) not in _STEPS:
            message = f"the state is of version {stated} of the adapter {name!r}"
            hint = f"register_migration({name!r}, {step}, ...) says how it becomes {step + 1}"
            raise UnsupportedVersionError(message, hint=hint)
        state = _STEPS[name, step](state)
    return {**document, "state": state, "adapter_version": version}
