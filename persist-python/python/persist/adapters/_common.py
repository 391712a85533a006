"""What several adapters do: fingerprints compared, contexts asked for."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from persist._warning import warn
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


def is_model(value: object) -> bool:
    """Say whether a value is a language model of LangChain's."""
    names = [f"{base.__module__}.{base.__qualname__}" for base in type(value).__mro__]
    return "langchain_core.language_models.base.BaseLanguageModel" in names


def model_name(model: object) -> str | None:
    """Return the name by which a language model asks its provider; None where it has none."""
    fields = (getattr(model, field, None) for field in ("model_name", "model"))
    return next((field for field in fields if isinstance(field, str)), None)


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
        FingerprintMismatchError: They differ; `differences` has a line for each. Where this is not
            looked at, it is a warning.
    """
    # What only this release looks at was not compared when the snapshot was taken.
    found = tuple(_differences(saved, {name: living.get(name) for name in saved}))
    if not found:
        return
    message = "the agent is not the one that the snapshot was taken from: " + "; ".join(found)
    if not context.strict:
        warn(message)
        return
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
