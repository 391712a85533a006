"""What several adapters do: fingerprints compared, contexts asked for."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from persist.exceptions import (
    FingerprintMismatchError,
    FormatError,
    NeedsContextError,
    PersistError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from persist.adapters._types import RestoreContext


def class_name(value: object) -> str:
    """Return the class of a value, as `module.qualname`."""
    return f"{type(value).__module__}.{type(value).__qualname__}"


@contextmanager
def reading(document: Mapping[str, Any]) -> Iterator[None]:
    """Turn what goes wrong while a state is read into an error of the file.

    Args:
        document: The envelope; it may come from anybody.

    Raises:
        FormatError: The state has another shape than the adapter writes.
    """
    try:
        yield
    except PersistError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        message = f"agent_state is not what the adapter {document['adapter']!r} writes"
        raise FormatError(message) from error


def compare(saved: Mapping[str, Any], living: Mapping[str, Any], context: RestoreContext) -> None:
    """Refuse an agent that is not the one which the snapshot was taken from.

    Args:
        saved: The fingerprint in the snapshot.
        living: The fingerprint of the agent that was given.
        context: Says whether this is looked at.

    Raises:
        FingerprintMismatchError: They differ; `differences` has a line for each.
    """
    found = tuple(_differences(saved, living))
    if context.strict and found:
        message = "the agent is not the one that the snapshot was taken from: " + "; ".join(found)
        hint = "restore into the same agent, or pass strict=False"
        raise FingerprintMismatchError(message, differences=found, hint=hint)


def _differences(saved: Mapping[str, Any], living: Mapping[str, Any]) -> list[str]:
    found = []
    for name in {**saved, **living}:
        before, now = saved.get(name), living.get(name)
        if before == now:
            continue
        if isinstance(before, dict) and isinstance(now, dict):
            found += [f"{name} {line}" for line in _differences(before, now)]
        else:
            found.append(f"{name}: {before!r} in the snapshot, {now!r} here")
    return found


def needs(document: Mapping[str, Any], call: str) -> NeedsContextError:
    """Make the error for a snapshot that holds state but not the code.

    Args:
        document: The envelope.
        call: What the caller should write.

    Returns:
        The error, to be raised.
    """
    missing = ", ".join(document.get("requires") or ()) or "the agent"
    message = f"the snapshot holds the state of a {document['class']}, but not its code"
    return NeedsContextError(message, hint=f"missing: {missing}; call {call}")
