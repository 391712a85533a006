"""The verbs: snapshot, restore, and what one does with a snapshot file."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from persist import _document, _persist, adapters, codec
from persist._checks import check_description
from persist._collector import paused
from persist._inspection import Inspection
from persist._location import Path, location
from persist._metadata import Metadata
from persist._observability import refusals
from persist._threads import in_thread
from persist._tracing import span, spanned
from persist.exceptions import PersistError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from typing_extensions import Unpack

    from persist.adapters import Captured, RestoreContext

SecretsPolicy = Literal["error", "redact", "allow"]


class _Capture(TypedDict, total=False):
    """How an agent is captured."""

    adapter: str | None
    thread_id: str | None
    session: object
    memory: object
    messages: object
    granularity: Literal["thread", "history"]


class _Encode(TypedDict, total=False):
    """How the state is written as text."""

    secrets_policy: SecretsPolicy
    redact: Sequence[str]
    verify: bool


class _Write(TypedDict, total=False):
    """How the snapshot is described and stored."""

    agent_id: str
    session_id: str
    snapshot_index: int
    description: str | None
    tags: Mapping[str, str] | None
    parent: str | None
    compression: Literal["gzip", "zstd", "none"] | None
    level: int | None
    durable: bool
    overwrite: bool


class _SnapshotOptions(_Capture, _Encode, _Write, total=False):
    """Everything that `snapshot` takes behind the path."""

    storage_mode: str
    s3_bucket: str | None


class _RestoreOptions(TypedDict, total=False):
    """What an agent is rebuilt from; see `restore`."""

    into: object
    factory: Callable[..., object] | None
    llm: object
    tools: Sequence[object] | None
    session: object
    secrets: Mapping[str, str] | None
    allow: Mapping[str, Literal[True] | Sequence[str]] | None
    trusted: bool
    strict: bool
    thread_id: str | None
    on_existing: Literal["error", "replace"]


def snapshot(
    agent: object,
    path: Path,
    agent_id: str = "default_agent",
    session_id: str = "default_session",
    snapshot_index: int = 0,
    description: str | None = None,
    storage_mode: str = "local",
    s3_bucket: str | None = None,
    *,
    thread_id: str | None = None,
    session: object = None,
    memory: object = None,
    messages: object = None,
    granularity: Literal["thread", "history"] = "thread",
    adapter: str | None = None,
    tags: Mapping[str, str] | None = None,
    parent: str | None = None,
    compression: Literal["gzip", "zstd", "none"] | None = None,
    level: int | None = None,
    durable: bool = True,
    overwrite: bool = True,
    secrets_policy: SecretsPolicy = "error",
    redact: Sequence[str] = (),
    verify: bool = True,
) -> Metadata:
    """Save what an agent holds in one file, whole or not at all.

    When this returns, a power cut cannot take the snapshot away. When it
    raises, what was at the path before is intact.

    Args:
        agent: A LangChain or LangGraph agent, a list of messages, any plain
            value, or an object with `__persist_capture__`.
        path: Where to save: a path or a URL.
        agent_id: The name of the agent; not empty.
        session_id: The name of the session or conversation; not empty.
        snapshot_index: The number of this snapshot in its session, from 0.
        description: What a person wants to read about it later.
        storage_mode: `local`, or `s3` with `s3_bucket`.
        s3_bucket: The bucket, when `storage_mode` is `s3`.
        thread_id: The LangGraph thread; needed when the checkpointer holds several.
        session: The session store, where the framework keeps one beside the agent.
        memory: The memory, where the framework keeps one beside the agent.
        messages: The messages, where the caller keeps them.
        granularity: `thread` saves what is needed to continue, `history` every
            checkpoint.
        adapter: The adapter to use, when several fit.
        tags: Names and values of your own.
        parent: The `snapshot_id` of the snapshot that this one follows.
        compression: `gzip`, `zstd` or `none`; None takes what the path's ending
            names (`.gz`, `.zst`, `.json`), else gzip.
        level: How hard to compress: 1 to 12 for gzip, 1 to 19 for zstd.
        durable: Whether to wait until the disk has it.
        overwrite: Whether to replace what is there.
        secrets_policy: What to do with a credential in the state: `error`,
            `redact` it, or `allow` it.
        redact: Names of fields that are never saved.
        verify: Whether to decode the text again and compare before it is saved.

    Returns:
        The metadata of the snapshot.

    Raises:
        UnserializableStateError: A value cannot come back as it is.
        UnsupportedAgentError: No adapter knows the agent.
        StateNotOnAgentError: The state is kept elsewhere and was not handed in.
        SecretInStateError: Something in the state looks like a credential.
        ConcurrentMutationError: The agent moved on while it was captured.
        ConflictError: The path exists and `overwrite` is False.
        ConfigurationError: An argument is wrong.
        AccessDeniedError, NoSpaceError, StorageError: The store failed.

    Example:
        >>> metadata = persist.snapshot({"turns": 3}, "agent.json.gz", agent_id="bot")
        >>> metadata["agent_id"]
        'bot'
    """
    with span("persist.snapshot", gen_ai__agent__id=agent_id, gen_ai__conversation__id=session_id):
        with refusals(), span("persist.capture"):
            captured = adapters.capture(
                agent,
                adapter=adapter,
                thread_id=thread_id,
                session=session,
                memory=memory,
                messages=messages,
                granularity=granularity,
            )
        return _save(
            captured,
            location(path, storage_mode, s3_bucket),
            {"secrets_policy": secrets_policy, "redact": redact, "verify": verify},
            {
                "agent_id": agent_id,
                "session_id": session_id,
                "snapshot_index": snapshot_index,
                "description": description,
                "tags": tags,
                "parent": parent,
                "compression": compression,
                "level": level,
                "durable": durable,
                "overwrite": overwrite,
            },
        )


async def asnapshot(agent: object, path: Path, **options: Unpack[_SnapshotOptions]) -> Metadata:
    """Do what `snapshot` does, without blocking the event loop.

    The agent is captured on the loop, so that nothing else runs meanwhile; the
    rest happens on a thread.

    Args:
        agent: See `snapshot`.
        path: See `snapshot`.
        **options: See `snapshot`.

    Returns:
        The metadata of the snapshot.

    Raises:
        PersistError: As `snapshot` raises.
    """
    where = location(path, options.pop("storage_mode", "local"), options.pop("s3_bucket", None))
    capture, encode, write = _split(options)
    agent_id, session_id = write.get("agent_id"), write.get("session_id")
    with span("persist.snapshot", gen_ai__agent__id=agent_id, gen_ai__conversation__id=session_id):
        with refusals(), span("persist.capture"):
            captured = await adapters.acapture(agent, **capture)
        return await in_thread(_save, captured, where, encode, write)


def restore(
    path: Path,
    storage_mode: str = "local",
    s3_bucket: str | None = None,
    *,
    into: object = None,
    factory: Callable[..., object] | None = None,
    llm: object = None,
    tools: Sequence[object] | None = None,
    session: object = None,
    secrets: Mapping[str, str] | None = None,
    allow: Mapping[str, Literal[True] | Sequence[str]] | None = None,
    trusted: bool = False,
    strict: bool = True,
    thread_id: str | None = None,
    on_existing: Literal["error", "replace"] = "error",
) -> Any:
    """Bring back the agent that a snapshot holds.

    Everything is checked before anything is built. A snapshot of data alone
    (messages, prompts, a ConversationChain whose model is known) comes back as
    it was; code comes from `into`, `factory`, `llm` or `tools`.

    Args:
        path: Where the snapshot is: a path or a URL.
        storage_mode: `local`, or `s3` with `s3_bucket`.
        s3_bucket: The bucket, when `storage_mode` is `s3`.
        into: A living agent that the state is loaded into; when this fails, it
            is as it was before.
        factory: Makes the agent that the state is loaded into; it is called with
            `llm=` and `tools=` when those are given.
        llm: The chat model of the restored agent.
        tools: The tools of the restored agent; they need a `factory`.
        session: The session store that the state is loaded into.
        secrets: Keys by the name of their environment variable.
        allow: Classes beyond the built-in list that may be built:
            `{"pkg.Class": True}`, `{"pkg.Class": ["field"]}` or `{"pkg.*": True}`.
        trusted: Whether the file is trusted: lifts the list for this call.
        strict: Whether `into` must be the same agent: same tools, same model.
        thread_id: The LangGraph thread to restore as; None keeps the name.
        on_existing: What to do when that thread exists: `error` or `replace` it.

    Returns:
        The agent.

    Raises:
        NotFoundError: There is no snapshot at this place.
        FormatError, IntegrityError, UnsupportedVersionError, LimitExceededError:
            The file is not a valid snapshot.
        NeedsContextError: The code has to be passed in; the message says what.
        FingerprintMismatchError: `into` is another agent.
        MissingSecretError: A key was not supplied.
        UntrustedError: The file names a class that is not on the list.
        RestoreConflictError: The thread exists already.
        AdapterNotInstalledError: The framework of the agent is not installed.

    Example:
        >>> persist.snapshot(["hello"], "agent.json.gz")["agent_id"]
        'default_agent'
        >>> persist.restore("agent.json.gz")
        ['hello']
    """
    with span("persist.restore"):
        document, context = _load(
            location(path, storage_mode, s3_bucket),
            {
                "into": into,
                "factory": factory,
                "llm": llm,
                "tools": tools,
                "session": session,
                "secrets": secrets,
                "allow": allow,
                "trusted": trusted,
                "strict": strict,
                "thread_id": thread_id,
                "on_existing": on_existing,
            },
        )
        with span("persist.rebuild"):
            return adapters.restore(document, context)


async def arestore(
    path: Path,
    storage_mode: str = "local",
    s3_bucket: str | None = None,
    **options: Unpack[_RestoreOptions],
) -> Any:
    """Do what `restore` does, without blocking the event loop.

    Args:
        path: See `restore`.
        storage_mode: See `restore`.
        s3_bucket: See `restore`.
        **options: See `restore`.

    Returns:
        The agent.

    Raises:
        PersistError: As `restore` raises.
    """
    with span("persist.restore"):
        where = location(path, storage_mode, s3_bucket)
        document, context = await in_thread(_load, where, options)
        with span("persist.rebuild"):
            return await adapters.arestore(document, context)


@spanned("persist.load_state")
def load_state(path: Path, storage_mode: str = "local", s3_bucket: str | None = None) -> Any:
    """Read what a snapshot holds as plain data; no framework is needed.

    Nothing with behaviour is built: an object of a class appears as a dict with
    the keys `class` and `fields`.

    Args:
        path: Where the snapshot is: a path or a URL.
        storage_mode: `local`, or `s3` with `s3_bucket`.
        s3_bucket: The bucket, when `storage_mode` is `s3`.

    Returns:
        The state.

    Raises:
        NotFoundError: There is no snapshot at this place.
        FormatError: The file is not a valid snapshot.

    Example:
        >>> persist.snapshot({"turns": (1, 2)}, "agent.json.gz")["snapshot_index"]
        0
        >>> persist.load_state("agent.json.gz")
        {'turns': (1, 2)}
    """
    loaded = _read(location(path, storage_mode, s3_bucket), is_plain=True)
    return _document.plain(Metadata.from_json(loaded.metadata), loaded)


@spanned("persist.get_metadata")
def get_metadata(path: Path, storage_mode: str = "local", s3_bucket: str | None = None) -> Metadata:
    """Read what a snapshot says about itself, in one small read.

    The state is not looked at, whatever its size; `verify_snapshot` does that.

    Args:
        path: Where the snapshot is: a path or a URL.
        storage_mode: `local`, or `s3` with `s3_bucket`.
        s3_bucket: The bucket, when `storage_mode` is `s3`.

    Returns:
        The metadata.

    Raises:
        NotFoundError: There is no snapshot at this place.
        FormatError: The file is not a valid snapshot.

    Example:
        >>> persist.snapshot([1, 2], "agent.json.gz")["agent_id"]
        'default_agent'
        >>> persist.get_metadata("agent.json.gz")["uncompressed_size"]
        5
    """
    return Metadata.from_json(_persist.read_metadata(location(path, storage_mode, s3_bucket)))


@spanned("persist.verify_snapshot")
def verify_snapshot(
    path: Path, storage_mode: str = "local", s3_bucket: str | None = None
) -> Literal[True]:
    """Check every byte of a snapshot; nothing is built.

    Args:
        path: Where the snapshot is: a path or a URL.
        storage_mode: `local`, or `s3` with `s3_bucket`.
        s3_bucket: The bucket, when `storage_mode` is `s3`.

    Returns:
        True; a snapshot that is not valid raises.

    Raises:
        NotFoundError: There is no snapshot at this place.
        FormatError, IntegrityError, UnsupportedVersionError, LimitExceededError:
            The file is not a valid snapshot.

    Example:
        >>> persist.snapshot([1, 2], "agent.json.gz")["agent_id"]
        'default_agent'
        >>> persist.verify_snapshot("agent.json.gz")
        True
    """
    _persist.verify(location(path, storage_mode, s3_bucket))
    return True


@spanned("persist.snapshot_exists")
def snapshot_exists(path: Path, storage_mode: str = "local", s3_bucket: str | None = None) -> bool:
    """Say whether there is a snapshot file at this place; it is not read.

    Args:
        path: Where the snapshot would be: a path or a URL.
        storage_mode: `local`, or `s3` with `s3_bucket`.
        s3_bucket: The bucket, when `storage_mode` is `s3`.

    Returns:
        Whether there is one.

    Raises:
        AccessDeniedError, StorageError: The store cannot say so.

    Example:
        >>> persist.snapshot_exists("no-such-file.json.gz")
        False
    """
    return _persist.exists(location(path, storage_mode, s3_bucket))


@spanned("persist.delete_snapshot")
def delete_snapshot(path: Path, storage_mode: str = "local", s3_bucket: str | None = None) -> None:
    """Delete a snapshot.

    Args:
        path: Where the snapshot is: a path or a URL.
        storage_mode: `local`, or `s3` with `s3_bucket`.
        s3_bucket: The bucket, when `storage_mode` is `s3`.

    Raises:
        NotFoundError: There is no snapshot at this place.
        AccessDeniedError, StorageError: The store failed.

    Example:
        >>> persist.snapshot([1, 2], "agent.json.gz")["agent_id"]
        'default_agent'
        >>> persist.delete_snapshot("agent.json.gz")
    """
    _persist.delete(location(path, storage_mode, s3_bucket))


async def aload_state(path: Path, storage_mode: str = "local", s3_bucket: str | None = None) -> Any:
    """Do what `load_state` does, without blocking the event loop.

    Args:
        path: See `load_state`.
        storage_mode: See `load_state`.
        s3_bucket: See `load_state`.

    Returns:
        The state.

    Raises:
        PersistError: As `load_state` raises.
    """
    return await in_thread(load_state, path, storage_mode, s3_bucket)


async def aget_metadata(
    path: Path, storage_mode: str = "local", s3_bucket: str | None = None
) -> Metadata:
    """Do what `get_metadata` does, without blocking the event loop.

    Args:
        path: See `get_metadata`.
        storage_mode: See `get_metadata`.
        s3_bucket: See `get_metadata`.

    Returns:
        The metadata.

    Raises:
        PersistError: As `get_metadata` raises.
    """
    return await in_thread(get_metadata, path, storage_mode, s3_bucket)


async def averify_snapshot(
    path: Path, storage_mode: str = "local", s3_bucket: str | None = None
) -> Literal[True]:
    """Do what `verify_snapshot` does, without blocking the event loop.

    Args:
        path: See `verify_snapshot`.
        storage_mode: See `verify_snapshot`.
        s3_bucket: See `verify_snapshot`.

    Returns:
        True; a snapshot that is not valid raises.

    Raises:
        PersistError: As `verify_snapshot` raises.
    """
    return await in_thread(verify_snapshot, path, storage_mode, s3_bucket)


async def asnapshot_exists(
    path: Path, storage_mode: str = "local", s3_bucket: str | None = None
) -> bool:
    """Do what `snapshot_exists` does, without blocking the event loop.

    Args:
        path: See `snapshot_exists`.
        storage_mode: See `snapshot_exists`.
        s3_bucket: See `snapshot_exists`.

    Returns:
        Whether there is one.

    Raises:
        PersistError: As `snapshot_exists` raises.
    """
    return await in_thread(snapshot_exists, path, storage_mode, s3_bucket)


async def adelete_snapshot(
    path: Path, storage_mode: str = "local", s3_bucket: str | None = None
) -> None:
    """Do what `delete_snapshot` does, without blocking the event loop.

    Args:
        path: See `delete_snapshot`.
        storage_mode: See `delete_snapshot`.
        s3_bucket: See `delete_snapshot`.

    Raises:
        PersistError: As `delete_snapshot` raises.
    """
    await in_thread(delete_snapshot, path, storage_mode, s3_bucket)


@spanned("persist.dumps")
def dumps(agent: object, **options: Unpack[_SnapshotOptions]) -> bytes:
    """Write a snapshot into memory: the bytes that `snapshot` would save.

    Args:
        agent: See `snapshot`.
        **options: See `snapshot`; those that speak of a store have no effect.

    Returns:
        The bytes of a snapshot file.

    Raises:
        CaptureError: As `snapshot` raises.

    Example:
        >>> persist.loads(persist.dumps({"turns": 3}))
        {'turns': 3}
    """
    capture, encode, write = _split(options)
    return _to_bytes(adapters.capture(agent, **capture), encode, write)


@spanned("persist.loads")
def loads(data: bytes, **options: Unpack[_RestoreOptions]) -> Any:
    """Bring back the agent that the bytes of a snapshot hold.

    Args:
        data: What `dumps` returned, or the bytes of a snapshot file.
        **options: See `restore`.

    Returns:
        The agent.

    Raises:
        FormatError, RestoreError: As `restore` raises.
    """
    return adapters.restore(*_from_bytes(data, options))


def inspect(agent: object, **options: Unpack[_SnapshotOptions]) -> Inspection:
    """Say what a snapshot would hold and what it would need, without writing one.

    Args:
        agent: See `snapshot`.
        **options: See `snapshot`.

    Returns:
        What was found; what cannot be captured is listed, not raised.

    Example:
        >>> print(persist.inspect({"turns": 3}).adapter)
        plain
    """
    capture, encode, _ = _split(options)
    class_name = f"{type(agent).__module__}.{type(agent).__qualname__}"
    try:
        captured = adapters.capture(agent, **capture)
    except PersistError as error:
        return Inspection(adapter="-", class_name=class_name, refused=(str(error),))
    return _inspected(class_name, captured, encode)


async def adumps(agent: object, **options: Unpack[_SnapshotOptions]) -> bytes:
    """Do what `dumps` does, without blocking the event loop.

    Args:
        agent: See `snapshot`.
        **options: See `dumps`.

    Returns:
        The bytes of a snapshot file.

    Raises:
        PersistError: As `dumps` raises.
    """
    capture, encode, write = _split(options)
    with span("persist.dumps"):
        captured = await adapters.acapture(agent, **capture)
        return await in_thread(_to_bytes, captured, encode, write)


async def aloads(data: bytes, **options: Unpack[_RestoreOptions]) -> Any:
    """Do what `loads` does, without blocking the event loop.

    Args:
        data: See `loads`.
        **options: See `restore`.

    Returns:
        The agent.

    Raises:
        PersistError: As `loads` raises.
    """
    with span("persist.loads"):
        document, context = await in_thread(_from_bytes, data, options)
        return await adapters.arestore(document, context)


async def ainspect(agent: object, **options: Unpack[_SnapshotOptions]) -> Inspection:
    """Do what `inspect` does, without blocking the event loop.

    Args:
        agent: See `snapshot`.
        **options: See `snapshot`.

    Returns:
        What was found; what cannot be captured is listed, not raised.
    """
    capture, encode, _ = _split(options)
    class_name = f"{type(agent).__module__}.{type(agent).__qualname__}"
    try:
        captured = await adapters.acapture(agent, **capture)
    except PersistError as error:
        return Inspection(adapter="-", class_name=class_name, refused=(str(error),))
    return await in_thread(_inspected, class_name, captured, encode)


def _to_bytes(captured: Captured, encode: _Encode, write: _Write) -> bytes:
    encoded = _document.encode(captured, **encode)
    described = _described(write, captured.framework, captured.adapter)
    return _persist.encode(encoded.data, encoded.marks, described)


def _from_bytes(data: bytes, options: _RestoreOptions) -> tuple[dict[str, Any], RestoreContext]:
    with paused():
        loaded = _document.Loaded(*_persist.decode(data, reads_tags=True))
    return _opened(loaded, options)


def _inspected(class_name: str, captured: Captured, encode: _Encode) -> Inspection:
    size: int | None = None
    refused: tuple[str, ...] = ()
    try:
        size = len(_document.encode(captured, **encode).data)
    except PersistError as error:
        refused = (str(error),)
    return Inspection(
        adapter=captured.adapter,
        class_name=class_name,
        framework=dict(captured.framework),
        fingerprint=dict(captured.fingerprint),
        requires=captured.requires,
        state_size=size,
        refused=refused,
    )


def _save(captured: Captured, where: str, encode: _Encode, write: _Write) -> Metadata:
    with refusals(), span("persist.encode"):
        encoded = _document.encode(captured, **encode)
    options = _described(write, captured.framework, captured.adapter)
    return Metadata.from_json(_persist.save(encoded.data, encoded.marks, where, options))


def _load(where: str, options: _RestoreOptions) -> tuple[dict[str, Any], RestoreContext]:
    return _opened(_read(where), options)


@paused()
def _read(where: str, *, is_plain: bool = False) -> _document.Loaded:
    return _document.Loaded(*_persist.load(where, reads_tags=not is_plain))


def _opened(
    loaded: _document.Loaded, options: _RestoreOptions
) -> tuple[dict[str, Any], RestoreContext]:
    given: dict[str, Any] = dict(options)
    trust = codec.Trust(
        allow=given.pop("allow", None) or {},
        trusted=given.pop("trusted", False),
        secrets=given.pop("secrets", None) or {},
    )
    context = adapters.RestoreContext(trust=trust, **given)
    with span("persist.decode"):
        return _document.decode(Metadata.from_json(loaded.metadata), loaded, trust), context


def check_options(options: _SnapshotOptions) -> None:
    """Refuse an option that `snapshot` does not take, before it is called.

    Args:
        options: What it will be given beside agent and path.

    Raises:
        TypeError: It does not take one of them.
        ConfigurationError: It takes it, but not this value.
    """
    _, _, write = _split(options)
    check_description(write)


def _split(options: _SnapshotOptions) -> tuple[_Capture, _Encode, _Write]:
    """Sort the options by who takes them; an unknown one is a TypeError, as in any call."""
    known = _Capture.__annotations__, _Encode.__annotations__, _Write.__annotations__
    places = {"storage_mode", "s3_bucket"}
    for name in options:
        if name not in places and not any(name in names for names in known):
            message = f"unexpected keyword argument {name!r}"
            raise TypeError(message)
    capture, encode, write = (
        {name: value for name, value in options.items() if name in names} for names in known
    )
    return capture, encode, write  # type: ignore[return-value]


def _described(
    write: _Write, framework: Mapping[str, str], adapter: str | None
) -> dict[str, object]:
    """Fill in the defaults, and the time; the core reads no clock."""
    check_description(write)
    return {
        "agent_id": "default_agent",
        "session_id": "default_session",
        "snapshot_index": 0,
        "description": None,
        "parent": None,
        "compression": None,
        "level": None,
        "durable": True,
        "overwrite": True,
        **write,
        "tags": list((write.get("tags") or {}).items()),
        "timestamp": datetime.now(timezone.utc).isoformat(),
        "framework": list(framework.items()),
        "adapter": adapter,
    }
