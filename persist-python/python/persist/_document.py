"""The document inside a snapshot: what an adapter captured, as text, and back."""

from __future__ import annotations

import platform
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from persist import _observability, _persist, adapters, codec
from persist._collector import paused
from persist.exceptions import ConcurrentMutationError, FormatError

if TYPE_CHECKING:
    from persist._location import Place
    from persist._persist import Saving
    from persist.adapters import Captured
    from persist.codec import Encoded, Trust
    from persist.exceptions import CaptureError

BARE = "plain"
"""The adapter whose state is the agent itself, with no envelope around it."""


@paused()
def encode(captured: Captured, **options: Any) -> Encoded:
    """Write what was captured as the text of `agent_state`.

    Args:
        captured: What the adapter made of the agent.
        **options: What `codec.write` takes.

    Returns:
        The text, and the offsets where it may be cut.

    Raises:
        UnserializableStateError: A value in the state cannot come back as it is.
        SecretInStateError: Something in the state looks like a credential.
        ConcurrentMutationError: The state changed meanwhile.
    """
    return codec.write(_enveloped(captured), **options)


@paused()
def refusals(captured: Captured, **options: Any) -> list[CaptureError]:
    """Return all that `encode` refuses of what was captured.

    Args:
        captured: What the adapter made of the agent.
        **options: What `codec.refusals` takes.
    """
    return codec.refusals(_enveloped(captured), **options)


@paused()
def needs(captured: Captured, data: bytes) -> tuple[str, ...]:
    """Return what `restore` must be given for what was captured.

    Args:
        captured: What the adapter made of the agent.
        data: The text that it was written as.
    """
    classes = () if captured.bare else adapters.load(captured.adapter).classes
    return (*captured.requires, *codec.needs(data, classes))


@paused()
def begin(
    captured: Captured, where: Place, described: dict[str, object], **options: Any
) -> Saving | None:
    """Write what was captured while it is walked, and begin to save it.

    Args:
        captured: What the adapter made of the agent.
        where: The location of the snapshot.
        described: What the core takes beside it.
        **options: What `codec.write` takes; with `verify=True`, nothing is written.

    Returns:
        What finishes the snapshot; None where all of the text has to be there before it is saved.

    Raises:
        ConcurrentMutationError: The state changed meanwhile.
        StorageError: The store failed.
    """
    if options.get("verify"):
        return None
    with _observability.refusals(ConcurrentMutationError):
        wishes = codec.wishes(**options)
        return _persist.begin(_enveloped(captured), wishes, where, described)


def _enveloped(captured: Captured) -> object:
    if captured.bare:
        return captured.state
    return {
        "adapter": captured.adapter,
        "adapter_version": captured.version,
        "class": captured.class_name,
        "framework": dict(captured.framework),
        "python": platform.python_version(),
        "fingerprint": dict(captured.fingerprint),
        "requires": list(captured.requires),
        "state": captured.state,
    }


class Loaded(NamedTuple):
    """A snapshot that was read and checked.

    Attributes:
        metadata: What it says about itself.
        state: The value of `agent_state`, as far as the core builds values.
        is_tree: Whether the codec has yet to read it.
    """

    metadata: dict[str, Any]
    state: Any
    is_tree: bool


@paused()
def decode(loaded: Loaded, trust: Trust) -> dict[str, Any]:
    """Finish what was loaded.

    Args:
        loaded: What the core read.
        trust: What may be built.

    Returns:
        The envelope; a bare state gets one that names the plain adapter.

    Raises:
        FormatError: The state is not what the adapter of the metadata writes.
        UntrustedError: It names a class that is not on the allowlist.
        MissingSecretError: It needs a key that was not supplied.
        AdapterNotInstalledError: The adapter of the metadata is not installed.
    """
    metadata = loaded.metadata
    if metadata.get("state_format") is None:
        return _bare(codec.read_tree(loaded.state, trust, has_tags=False))
    if _is_bare(metadata):
        return _bare(_read(loaded, trust)[0])
    classes = adapters.load(metadata["adapter"]).classes
    own: dict[str, Literal[True]] = dict.fromkeys(classes, True)
    value, is_shared = _read(loaded, replace(trust, allow={**own, **trust.allow}))
    return {**_envelope(metadata, value), "is_shared": is_shared}


def _read(loaded: Loaded, trust: Trust) -> tuple[Any, bool]:
    """The value, and whether something in it is met twice: the core builds no such values."""
    return codec.read_shared(loaded.state, trust) if loaded.is_tree else (loaded.state, False)


@paused()
def plain(loaded: Loaded) -> object:
    """Finish what was loaded for looking at it: nothing but plain data is built.

    Args:
        loaded: What the core read.

    Returns:
        The state of the agent, without the envelope.

    Raises:
        FormatError: The state is not what the adapter of the metadata writes.
    """
    metadata = loaded.metadata
    if metadata.get("state_format") is None:
        return loaded.state
    value = codec.read_tree(loaded.state, is_plain=True) if loaded.is_tree else loaded.state
    return value if _is_bare(metadata) else _envelope(metadata, value)["state"]


def _is_bare(metadata: dict[str, Any]) -> bool:
    return metadata.get("adapter") in (None, BARE)


def _bare(value: object) -> dict[str, Any]:
    return {"adapter": BARE, "adapter_version": 1, "state": value}


def _envelope(metadata: dict[str, Any], value: object) -> dict[str, Any]:
    if isinstance(value, dict) and value.get("adapter") == metadata["adapter"] and "state" in value:
        return value
    message = f"agent_state is not what the adapter {metadata['adapter']!r} writes"
    raise FormatError(message, hint="the snapshot was not written by Persist as its metadata says")
