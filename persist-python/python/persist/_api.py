"""The verbs: snapshot, restore, and what one does with a snapshot file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from persist import _document, _persist, adapters, codec
from persist._checks import check_description
from persist._collector import paused
from persist._inspection import Inspection
from persist._location import Place, Store, location
from persist._metadata import Metadata
from persist._observability import capturing
from persist._threads import in_thread
from persist._tracing import part, span, spanned
from persist.adapters._refusals import gathering
from persist.exceptions import PersistError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from typing_extensions import Unpack

    from persist._location import Path
    from persist.adapters import Captured, RestoreContext
    from persist.options import StorageOptions

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
    verify: bool | None
    max_pause: float | None


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
    if_match: str | None


class _SnapshotOptions(_Capture, _Encode, _Write, Store, total=False):
    """Everything that `snapshot` takes behind the path."""


class _Restore(TypedDict, total=False):
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


class _RestoreOptions(_Restore, Store, total=False):
    """Everything that `restore` takes behind the path."""


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
    if_match: str | None = None,
    s3_region: str | None = None,
    azure_container: str | None = None,
    gcs_bucket: str | None = None,
    storage_options: StorageOptions | None = None,
    secrets_policy: SecretsPolicy = "error",
    redact: Sequence[str] = (),
    verify: bool | None = None,
    max_pause: float | None = None,
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
        storage_mode: `local`, `s3` with `s3_bucket`, `azure` with
            `azure_container`, or `gcs` with `gcs_bucket`; then `path` is the key.
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
        if_match: Replace this version alone: the `e_tag` that `snapshot`,
            `get_metadata` or `list_snapshots` told. The local disk has none.
        s3_region: The region of the bucket; else `AWS_REGION`.
        azure_container: The container, when `storage_mode` is `azure`.
        gcs_bucket: The bucket, when `storage_mode` is `gcs`.
        storage_options: How the store is reached, where the environment does not
            say it: see `persist.options`.
        secrets_policy: What to do with a credential in the state: `error`,
            `redact` it, or `allow` it.
        redact: Names of fields that are never saved.
        verify: Whether to decode the text again and compare before it is saved:
            None does so where a class of your own, or any that is not known by
            heart, is in it; True does so with everything.
        max_pause: Seconds after which other threads may run while the state is
            written as text, again and again; None lets none run before the end,
            unless code of Python is needed. A change meanwhile is an error.

    Returns:
        The metadata of the snapshot.

    Raises:
        UnserializableStateError: A value cannot come back as it is.
        UnsupportedAgentError: No adapter knows the agent.
        StateNotOnAgentError: The state is kept elsewhere and was not handed in.
        SecretInStateError: Something in the state looks like a credential.
        ConcurrentMutationError: The agent moved on while it was captured.
        ConflictError: The path exists and `overwrite` is False, or it is another
            version than `if_match`.
        ConfigurationError: An argument is wrong.
        AccessDeniedError, NoSpaceError, StorageError: The store failed.

    Example:
        >>> metadata = persist.snapshot({"turns": 3}, "agent.json.gz", agent_id="bot")
        >>> metadata["agent_id"]
        'bot'
    """
    where = location(
        path, storage_mode, s3_bucket, s3_region, azure_container, gcs_bucket, storage_options
    )
    with span("persist.snapshot", gen_ai__agent__id=agent_id, gen_ai__conversation__id=session_id):
        with capturing("persist.capture"):
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
            where,
            {
                "secrets_policy": secrets_policy,
                "redact": redact,
                "verify": verify,
                "max_pause": max_pause,
            },
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
                "if_match": if_match,
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
    capture, encode, write, store = _split(options)
    where = location(path, **store)
    agent_id, session_id = write.get("agent_id"), write.get("session_id")
    with span("persist.snapshot", gen_ai__agent__id=agent_id, gen_ai__conversation__id=session_id):
        with capturing("persist.capture"):
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
    s3_region: str | None = None,
    azure_container: str | None = None,
    gcs_bucket: str | None = None,
    storage_options: StorageOptions | None = None,
) -> Any:
    """Bring back the agent that a snapshot holds.

    Everything is checked before anything is built. A snapshot of data alone
    (messages, prompts, a ConversationChain whose model is known) comes back as
    it was; code comes from `into`, `factory`, `llm` or `tools`.

    Args:
        path: Where the snapshot is: a path or a URL.
        storage_mode: See `snapshot`.
        s3_bucket: See `snapshot`.
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
        strict: Whether `into` must be the same agent (same tools, same model), and keep every value
            as it is.
        thread_id: The LangGraph thread to restore as; None keeps the name.
        on_existing: What to do when that thread exists: `error` or `replace` it.
        s3_region: See `snapshot`.
        azure_container: See `snapshot`.
        gcs_bucket: See `snapshot`.
        storage_options: See `snapshot`.

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
        LossyTargetError: The target would change a value; nothing was written.
        AdapterNotInstalledError: The framework of the agent is not installed.

    Example:
        >>> persist.snapshot(["hello"], "agent.json.gz")["agent_id"]
        'default_agent'
        >>> persist.restore("agent.json.gz")
        ['hello']
    """
    where = location(
        path, storage_mode, s3_bucket, s3_region, azure_container, gcs_bucket, storage_options
    )
    with span("persist.restore"):
        document, context = _load(
            where,
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
        with part("persist.rebuild"):
            return adapters.restore(document, context)


async def arestore(path: Path, **options: Unpack[_RestoreOptions]) -> Any:
    """Do what `restore` does, without blocking the event loop.

    Args:
        path: See `restore`.
        **options: See `restore`.

    Returns:
        The agent.

    Raises:
        PersistError: As `restore` raises.
    """
    rebuild, store = _split_restore(options)
    with span("persist.restore"):
        document, context = await in_thread(_load, location(path, **store), rebuild)
        with part("persist.rebuild"):
            return await adapters.arestore(document, context)


@spanned("persist.load_state")
def load_state(path: Path, **store: Unpack[Store]) -> Any:
    """Read what a snapshot holds as plain data; no framework is needed.

    Nothing with behaviour is built: an object of a class appears as a dict with
    the keys `class` and `fields`.

    Args:
        path: Where the snapshot is: a path or a URL.
        **store: How the store is reached: `storage_mode`, `s3_bucket` and the
            others of `snapshot`.

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
    loaded = _read(location(path, **store), is_plain=True)
    return _document.plain(loaded)


@spanned("persist.get_metadata")
def get_metadata(path: Path, **store: Unpack[Store]) -> Metadata:
    """Read what a snapshot says about itself, in one small read.

    The state is not looked at, whatever its size; `verify_snapshot` does that.

    Args:
        path: Where the snapshot is: a path or a URL.
        **store: How the store is reached: `storage_mode`, `s3_bucket` and the
            others of `snapshot`.

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
    return Metadata.of(*_persist.read_metadata(location(path, **store)))


@spanned("persist.verify_snapshot")
def verify_snapshot(path: Path, **store: Unpack[Store]) -> Literal[True]:
    """Check every byte of a snapshot; nothing is built.

    Args:
        path: Where the snapshot is: a path or a URL.
        **store: How the store is reached: `storage_mode`, `s3_bucket` and the
            others of `snapshot`.

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
    _persist.verify(location(path, **store))
    return True


@spanned("persist.snapshot_exists")
def snapshot_exists(path: Path, **store: Unpack[Store]) -> bool:
    """Say whether there is a snapshot file at this place; it is not read.

    A folder or prefix is no snapshot file: the answer is False.

    Args:
        path: Where the snapshot would be: a path or a URL.
        **store: How the store is reached: `storage_mode`, `s3_bucket` and the
            others of `snapshot`.

    Returns:
        Whether there is one.

    Raises:
        AccessDeniedError, StorageError: The store cannot say so.

    Example:
        >>> persist.snapshot_exists("no-such-file.json.gz")
        False
    """
    return _persist.exists(location(path, **store))


@spanned("persist.delete_snapshot")
def delete_snapshot(path: Path, **store: Unpack[Store]) -> None:
    """Delete a snapshot.

    Args:
        path: Where the snapshot is: a path or a URL.
        **store: How the store is reached: `storage_mode`, `s3_bucket` and the
            others of `snapshot`.

    Raises:
        NotFoundError: There is no snapshot at this place.
        AccessDeniedError, StorageError: The store failed.

    Example:
        >>> persist.snapshot([1, 2], "agent.json.gz")["agent_id"]
        'default_agent'
        >>> persist.delete_snapshot("agent.json.gz")
    """
    _persist.delete(location(path, **store))


@spanned("persist.copy_snapshot")
def copy_snapshot(
    source: Path,
    target: Path,
    *,
    overwrite: bool = True,
    if_match: str | None = None,
    source_options: StorageOptions | None = None,
    target_options: StorageOptions | None = None,
) -> Metadata:
    """Copy a snapshot to another place or store, after every byte of it was checked.

    Args:
        source: Where the snapshot is: a path or a URL.
        target: Where it is copied to: a path or a URL.
        overwrite: Whether to replace what is there.
        if_match: Replace this version of the target alone.
        source_options: How the source's store is reached; see `persist.options`.
        target_options: How the target's store is reached.

    Returns:
        The metadata of the snapshot, with the `e_tag` of the copy.

    Raises:
        NotFoundError: There is no snapshot at the source.
        FormatError, IntegrityError: The source is not a valid snapshot.
        ConflictError: The target exists and `overwrite` is False.
        AccessDeniedError, NoSpaceError, StorageError: A store failed.

    Example:
        >>> metadata = persist.snapshot([1, 2], "agent.json.gz")
        >>> persist.copy_snapshot("agent.json.gz", "memory://copies/agent.json.gz")["agent_id"]
        'default_agent'
        >>> persist.restore("memory://copies/agent.json.gz")
        [1, 2]
    """
    places = (
        location(source, storage_options=source_options),
        location(target, storage_options=target_options),
    )
    return Metadata.of(*_persist.copy(*places, overwrite, if_match))


async def acopy_snapshot(
    source: Path,
    target: Path,
    *,
    overwrite: bool = True,
    if_match: str | None = None,
    source_options: StorageOptions | None = None,
    target_options: StorageOptions | None = None,
) -> Metadata:
    """Do what `copy_snapshot` does, without blocking the event loop.

    Args:
        source: See `copy_snapshot`.
        target: See `copy_snapshot`.
        overwrite: See `copy_snapshot`.
        if_match: See `copy_snapshot`.
        source_options: See `copy_snapshot`.
        target_options: See `copy_snapshot`.

    Returns:
        The metadata of the snapshot, with the `e_tag` of the copy.

    Raises:
        PersistError: As `copy_snapshot` raises.
    """
    return await in_thread(
        copy_snapshot,
        source,
        target,
        overwrite=overwrite,
        if_match=if_match,
        source_options=source_options,
        target_options=target_options,
    )


async def aload_state(path: Path, **store: Unpack[Store]) -> Any:
    """Do what `load_state` does, without blocking the event loop.

    Args:
        path: See `load_state`.
        **store: See `load_state`.

    Returns:
        The state.

    Raises:
        PersistError: As `load_state` raises.
    """
    return await in_thread(load_state, path, **store)


async def aget_metadata(path: Path, **store: Unpack[Store]) -> Metadata:
    """Do what `get_metadata` does, without blocking the event loop.

    Args:
        path: See `get_metadata`.
        **store: See `get_metadata`.

    Returns:
        The metadata.

    Raises:
        PersistError: As `get_metadata` raises.
    """
    return await in_thread(get_metadata, path, **store)


async def averify_snapshot(path: Path, **store: Unpack[Store]) -> Literal[True]:
    """Do what `verify_snapshot` does, without blocking the event loop.

    Args:
        path: See `verify_snapshot`.
        **store: See `verify_snapshot`.

    Returns:
        True; a snapshot that is not valid raises.

    Raises:
        PersistError: As `verify_snapshot` raises.
    """
    return await in_thread(verify_snapshot, path, **store)


async def asnapshot_exists(path: Path, **store: Unpack[Store]) -> bool:
    """Do what `snapshot_exists` does, without blocking the event loop.

    Args:
        path: See `snapshot_exists`.
        **store: See `snapshot_exists`.

    Returns:
        Whether there is one.

    Raises:
        PersistError: As `snapshot_exists` raises.
    """
    return await in_thread(snapshot_exists, path, **store)


async def adelete_snapshot(path: Path, **store: Unpack[Store]) -> None:
    """Do what `delete_snapshot` does, without blocking the event loop.

    Args:
        path: See `delete_snapshot`.
        **store: See `delete_snapshot`.

    Raises:
        PersistError: As `delete_snapshot` raises.
    """
    await in_thread(delete_snapshot, path, **store)


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
    capture, encode, write, _ = _split(options)
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
    capture, encode, _, _ = _split(options)
    class_name = f"{type(agent).__module__}.{type(agent).__qualname__}"
    with gathering() as refused:
        try:
            captured = adapters.capture(agent, **capture)
        except PersistError as error:
            return _refused(class_name, [*refused, error])
    return _inspected(class_name, captured, encode, refused)


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
    capture, encode, write, _ = _split(options)
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
    capture, encode, _, _ = _split(options)
    class_name = f"{type(agent).__module__}.{type(agent).__qualname__}"
    with gathering() as refused:
        try:
            captured = await adapters.acapture(agent, **capture)
        except PersistError as error:
            return _refused(class_name, [*refused, error])
    return await in_thread(_inspected, class_name, captured, encode, refused)


def _to_bytes(captured: Captured, encode: _Encode, write: _Write) -> bytes:
    encoded = _document.encode(captured, **encode)
    described = _described(write, captured.framework, captured.adapter)
    return _persist.encode(encoded.data, encoded.marks, described)


def _from_bytes(data: bytes, options: _RestoreOptions) -> tuple[dict[str, Any], RestoreContext]:
    with paused():
        loaded = _document.Loaded(*_persist.decode(data, reads_tags=True))
    rebuild, _ = _split_restore(options)
    return _opened(loaded, rebuild)


def _refused(class_name: str, refused: Sequence[PersistError]) -> Inspection:
    return Inspection(adapter="-", class_name=class_name, refused=_told(refused))


def _told(refused: Sequence[PersistError]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(str, refused)))


def _inspected(
    class_name: str, captured: Captured, encode: _Encode, refused: Sequence[PersistError]
) -> Inspection:
    size, requires = None, captured.requires
    try:
        data = _document.encode(captured, **encode).data
        size, requires = len(data), _document.needs(captured, data)
    except PersistError as error:
        scan = {name: encode[name] for name in ("secrets_policy", "redact") if name in encode}
        found: list[PersistError] = [*_document.refusals(captured, **scan)]
        refused = [*refused, *(found or [error])]
    return Inspection(
        adapter=captured.adapter,
        class_name=class_name,
        framework=dict(captured.framework),
        fingerprint=dict(captured.fingerprint),
        requires=requires,
        state_size=None if refused else size,
        refused=_told(refused),
    )


def _save(captured: Captured, where: Place, encode: _Encode, write: _Write) -> Metadata:
    options = _described(write, captured.framework, captured.adapter)
    with part("persist.encode"):
        saving = _document.begin(captured, where, options, **encode)
    if saving is not None:
        return Metadata.of(*saving.finish())
    with capturing("persist.encode"):
        encoded = _document.encode(captured, **encode)
    return Metadata.of(*_persist.save(encoded.data, encoded.marks, where, options))


def _load(where: Place, options: _Restore) -> tuple[dict[str, Any], RestoreContext]:
    return _opened(_read(where), options)


@paused()
def _read(where: Place, *, is_plain: bool = False) -> _document.Loaded:
    return _document.Loaded(*_persist.load(where, reads_tags=not is_plain))


def _opened(loaded: _document.Loaded, options: _Restore) -> tuple[dict[str, Any], RestoreContext]:
    given: dict[str, Any] = dict(options)
    trust = codec.Trust(
        allow=given.pop("allow", None) or {},
        trusted=given.pop("trusted", False),
        secrets=given.pop("secrets", None) or {},
    )
    context = adapters.RestoreContext(trust=trust, **given)
    with part("persist.decode"):
        return _document.decode(loaded, trust), context


def check_options(path: Path, options: _SnapshotOptions) -> None:
    """Refuse what `snapshot` does not take, before it is called.

    Args:
        path: The path that it will be given.
        options: What it will be given beside agent and path.

    Raises:
        TypeError: It does not take one of them.
        ConfigurationError: It takes it, but not this value.
    """
    _, _, write, store = _split(options)
    check_description(write)
    location(path, **store)


def _split(options: _SnapshotOptions) -> tuple[_Capture, _Encode, _Write, Store]:
    """Sort the options by who takes them; an unknown one is a TypeError, as in any call."""
    return _sorted(options, _Capture, _Encode, _Write, Store)  # type: ignore[return-value]


def _split_restore(options: _RestoreOptions) -> tuple[_Restore, Store]:
    return _sorted(options, _Restore, Store)  # type: ignore[return-value]


def _sorted(options: Mapping[str, Any], *takers: type) -> tuple[dict[str, Any], ...]:
    known = [taker.__annotations__ for taker in takers]
    for name in options:
        if not any(name in names for names in known):
            message = f"unexpected keyword argument {name!r}"
            raise TypeError(message)
    return tuple(
        {name: value for name, value in options.items() if name in names} for names in known
    )


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
        "if_match": None,
        **write,
        "tags": list((write.get("tags") or {}).items()),
        "timestamp": time.time_ns(),
        "framework": list(framework.items()),
        "adapter": adapter,
    }
