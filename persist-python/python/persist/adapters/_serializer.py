"""What a checkpointer's serializer would make of a thread, before any of it is written.

Each value is sent through the serializer as the checkpointer would send it, and compared. That
costs several times what writing costs; so the serializer that the thread comes from is believed to
give back what it gave before, and only that is looked at which kinds of checkpointers send past it
or in another shape.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from persist import codec
from persist.adapters._common import class_name
from persist.adapters._run import installed_versions
from persist.exceptions import LossyTargetError, PersistError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from persist.adapters._checkpoints import Put

_SERDE = "langgraph.checkpoint.serde"
_KINDS = ("memory", "sqlite", "postgres")
"""LangGraph's own checkpointers, in `langgraph.checkpoint`. SQLite's write all channels at once;
PostgreSQL's keep text and numbers as JSON, past the serializer."""
_BARE = (str, bytes, bytearray, int, float, type(None))
"""What the value of a channel may be that each kind sends in its own way."""
_COUNTERS = "counters_since_delta_snapshot"
_QUESTIONS = "__interrupt__"
_SHOWN = 5
_HINT = "give the checkpointer the serializer (serde=) that the snapshot's had"


class _Json:
    """How checkpointers in databases keep metadata."""

    def dumps_typed(self, value: Any) -> tuple[str, bytes]:
        return "text", json.dumps(value, ensure_ascii=False).encode(errors="ignore")

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        return json.loads(data[1])


class _Jsonb:
    """PostgreSQL's JSON, whose numbers are decimal: `1e22` becomes an integer, `-0.0` is 0."""

    def dumps_typed(self, value: Any) -> tuple[str, bytes]:
        if isinstance(value, str) and "\0" in value:
            message = "PostgreSQL has no NUL in text"
            raise ValueError(message)
        return "text", json.dumps(value, ensure_ascii=False, allow_nan=False).encode()

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        return json.loads(data[1], parse_float=_decimal)


def _decimal(text: str) -> Any:
    number = Decimal(text)
    return json.loads(f"{number or abs(number):f}")


@dataclass(frozen=True)
class _Change:
    """A value that would not come back as it is: as another, or not at all."""

    path: str
    before: str
    after: str | None
    error: Exception | None = None

    def __str__(self) -> str:
        if self.error is not None:
            # Its text could hold a part of the value.
            return f"{self.path} ({self.before}) is refused with {_type(self.error)}"
        if self.before == self.after:
            return f"{self.path} ({self.before}) becomes another"
        return f"{self.path} ({self.before}) becomes {self.after}"


def identity(saver: Any, records: Iterable[Mapping[str, Any]]) -> str | None:
    """Return what two checkpointers share that give the same values back.

    Args:
        saver: A checkpointer.
        records: What was captured of it.

    Returns:
        A text that holds no setting of the serializer in clear; None where nobody knows, and where
        a value was put together from several, and so did not come out of the serializer.
    """
    values = (value for item in records for value in item["checkpoint"]["channel_values"].values())
    is_made = any(type(value).__name__ == "_DeltaSnapshot" for value in values)
    return None if is_made else _identity(saver)


def _identity(saver: Any) -> str | None:
    serde, kind = getattr(saver, "serde", None), _kind(saver)
    settings = _settings(serde)
    if settings is None or kind is None:
        return None
    # What falls back to pickle depends on what is written with it.
    context = kind if "('pickle_fallback', True)" in settings else ""
    versions = installed_versions(("langgraph-checkpoint",))
    digest = hashlib.sha256(f"{context} {settings} {versions}".encode()).hexdigest()[:16]
    return f"{kind} {digest}"


def _kind(saver: Any) -> str | None:
    """Which of LangGraph's own checkpointers it is, or is derived from."""
    modules = [base.__module__.split(".") for base in type(saver).__mro__]
    kinds = [names[2] for names in modules if names[:2] == ["langgraph", "checkpoint"]]
    return kinds[0] if kinds and kinds[0] in _KINDS else None


def _settings(serde: Any) -> str | None:
    """LangGraph's own serializers with their settings; another's could be anything."""
    name = class_name(serde)
    if name == f"{_SERDE}.encrypted.EncryptedSerializer":
        return _settings(serde.serde)
    if name != f"{_SERDE}.jsonplus.JsonPlusSerializer":
        return None
    settings = {key: value for key, value in vars(serde).items() if key != "_unpack_ext_hook"}
    if settings.pop("_custom_unpack_ext_hook", True):
        return None
    return repr([(key, _sorted(value)) for key, value in sorted(settings.items())])


def _sorted(value: Any) -> Any:
    return sorted(value) if isinstance(value, set) else value


def check(saver: Any, state: Mapping[str, Any], puts: list[Put], *, strict: bool) -> str | None:
    """Refuse to write what the checkpointer's serializer would change.

    Args:
        saver: The target.
        state: What the adapter captured; it may come from anybody.
        puts: The calls that write it.
        strict: Whether a change is an error.

    Returns:
        What to warn of.

    Raises:
        LossyTargetError: A value would come back as another, or is refused.
    """
    known, here = state.get("serializer"), _identity(saver)
    is_settled = isinstance(known, str) and here is not None and known[-16:] == here[-16:]
    if (is_settled and known == here) or not hasattr(saver, "serde"):
        return None
    found: list[_Change] = []
    for index, (record, put) in enumerate(zip(state["checkpoints"], puts, strict=True)):
        place = f"$.state.checkpoints[{index}]"
        found += _in_channels(saver, f"{place}.checkpoint.channel_values", put, is_settled)
        found += [] if is_settled else _in_writes(saver, f"{place}.writes", record["writes"])
        found += _in_metadata(saver, f"{place}.metadata", put.metadata)
        if len(found) > _SHOWN:
            break
    return _report(saver, found, strict=strict)


def _report(saver: Any, found: list[_Change], *, strict: bool) -> str | None:
    if not found:
        return None
    lines = "; ".join(map(str, found[:_SHOWN])) + ("; and more" if len(found) > _SHOWN else "")
    message = f"{class_name(saver)} would not keep the thread as it is: {lines}"
    first = next((change for change in found if change.error is not None), found[0])
    if not strict and first.error is None:
        return message
    lax = "" if first.error else ", or take what this one makes of it with strict=False"
    raise LossyTargetError(
        message, path=first.path, before=first.before, after=first.after, hint=_HINT + lax
    ) from first.error


def _in_channels(saver: Any, place: str, put: Put, is_settled: bool) -> Iterator[_Change]:
    values = {
        name: value
        for name, value in put.checkpoint["channel_values"].items()
        if isinstance(value, _BARE) or not is_settled
    }
    if _kind(saver) == "sqlite":
        return _through(saver.serde, place, values)
    found: list[_Change] = []
    for name in filter(values.__contains__, put.versions):
        is_past = _kind(saver) == "postgres" and isinstance(values[name], (str, int, float))
        found += _through(_Jsonb() if is_past else saver.serde, place + _step(name), values[name])
    if found and _kind(saver) is None and not list(_through(saver.serde, place, values)):
        found = []  # nobody knows how others write: what comes back one way is not refused
    return iter(found)


def _in_writes(saver: Any, place: str, writes: Sequence[Any]) -> Iterator[_Change]:
    for index, (_, channel, value) in enumerate(writes):
        # LangGraph reads its own tuple of questions as well when it is a list.
        sent = [*value] if channel == _QUESTIONS and type(value) is tuple else value
        yield from _through(saver.serde, f"{place}[{index}][2]", sent)


def _in_metadata(saver: Any, place: str, metadata: Mapping[str, Any]) -> Iterator[_Change]:
    serde = _Json() if _kind(saver) in ("sqlite", "postgres") else saver.serde
    sent = {key: value for key, value in metadata.items() if key != _COUNTERS}
    return _through(serde, place, sent)


def _step(name: Any) -> str:
    is_word = isinstance(name, str) and name.isidentifier()
    return f".{name}" if is_word else f"[{name!r}]"


def _through(serde: Any, path: str, value: Any) -> Iterator[_Change]:
    """The first change of a value that is written and read."""
    try:
        data = serde.dumps_typed(value)
        if data[0].split("+")[0] == "json":
            # Old releases of LangGraph build what such text names, and so what a stranger wrote.
            return
        read = serde.loads_typed(data)
        if _is_same_text(value, read):
            return
        found = next(_kept_changes(value, read, partial(serde.loads_typed, data)), None)
    except Exception as error:  # noqa: BLE001 - whatever a serializer raises
        yield _Change(path, _type(value), None, error)
        return
    if found is not None:
        step, before, after = found
        yield _Change(path + step, _type(before), _type(after))


def _is_same_text(one: object, other: object) -> bool:
    """Whether the codec writes both alike: a faster answer than looking for a difference."""
    try:
        texts = [codec.write(each, secrets_policy="allow", verify=False) for each in (one, other)]
    except (PersistError, RecursionError):
        return False
    return texts[0].data == texts[1].data


def _kept_changes(
    value: Any, read: Any, read_again: Callable[[], Any]
) -> Iterator[tuple[str, object, object]]:
    """Changes, without what the serializer makes anew each time it reads, as a random default."""
    again: set[str] | None = None
    for change in codec.differences(value, read):
        if again is None:
            again = {path for path, _, _ in codec.differences(read, read_again())}
        if change[0] not in again:
            yield change


def _type(value: object) -> str:
    return class_name(value).removeprefix("builtins.")
