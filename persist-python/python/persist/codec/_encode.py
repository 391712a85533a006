"""Values to JSON trees: exact types, labels for what is shared, a path for what is refused."""

from __future__ import annotations

import struct
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

from persist._checks import names
from persist.codec import _secrets, _text
from persist.codec._decode import decode_trusted
from persist.codec._difference import difference
from persist.codec._models import VARIABLES
from persist.codec._registry import class_name, counted_as, kind_of
from persist.codec._types import MOST, Base64, Child, Encoded
from persist.codec.kinds import langchain
from persist.exceptions import ConcurrentMutationError, UnserializableStateError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TAG = "$persist"
SAFE_INTEGER = 2**53
DEEPEST = 100
"""Levels of values inside one another, before a dict or list goes into a part of its own."""
_TOO_DEEP = 2 * DEEPEST
"""Levels at which a value is refused that cannot go there: a reader would not come to its end."""
_DEEP_HINT = "flatten it first"

_LONGEST_STEP = 40
_SHORTEST_CREDENTIAL = 20
_STEP_HINT = "convert it to plain data first, or give its class __persist_capture__"


def encode(
    value: object,
    *,
    path: str = "$",
    secrets_policy: Literal["error", "redact", "allow"] = "error",
    redact: Sequence[str] = (),
    verify: bool = True,
) -> Encoded:
    """Write a value as text that gives the same value back.

    Args:
        value: Anything that the kinds know.
        path: What errors call the value itself.
        secrets_policy: What to do with a credential: `error`, `redact`, `allow`.
        redact: Names of fields that are never written.
        verify: Whether to read the text again and compare.

    Returns:
        The text, and the offsets where it may be cut.

    Raises:
        UnserializableStateError: A value cannot come back as it is.
        SecretInStateError: Something looks like a credential.
        ConcurrentMutationError: The value changed meanwhile, where that shows.
    """
    scan = _secrets.Scan(secrets_policy, names(redact))
    encoder = Encoder(scan)
    try:
        data, marks = _text.write(encoder.run(value, path))
    except RecursionError:
        name = class_name(type(value))
        raise _refuse(path, name, "it is nested too deep", _DEEP_HINT) from None
    except RuntimeError as error:
        if "during iteration" not in str(error):
            raise
        raise changed() from error
    if verify and not scan.is_ambiguous:
        check(value, data, path, scan.left_out)
    return Encoded(data, marks)


def changed() -> ConcurrentMutationError:
    """Make the error for a state that changed while it was walked."""
    message = "the state changed while it was captured"
    return ConcurrentMutationError(message, hint="let nothing run the agent meanwhile")


def check(value: object, data: bytes, path: str, left_out: Mapping[str, Any]) -> None:
    """Read what was written, and compare.

    Args:
        value: The value.
        data: What it was written as.
        path: What errors call the value itself.
        left_out: What is not in the text.

    Raises:
        UnserializableStateError: It is not the same value.
    """
    try:
        where = difference(value, decode_trusted(data, left_out))
    except Exception as error:
        message = f"could not capture {path}: it cannot be rebuilt: {error}"
        raise UnserializableStateError(
            message, path=path, type_name=class_name(type(value)), hint=_STEP_HINT
        ) from error
    if where is not None:
        message = f"could not capture {path}{where}: it does not come back as it was"
        raise UnserializableStateError(
            message, path=path + where, type_name=class_name(type(value)), hint=_STEP_HINT
        )


class Encoder:
    """One walk over one value."""

    def __init__(self, scan: _secrets.Scan) -> None:
        self._scan = scan
        # By identity: the value (kept alive), and the slot that its node stands in.
        self._seen: dict[int, tuple[object, Any, Any]] = {}
        self._labels: dict[int, int] = {}
        self._parts: list[Any] = [None]
        self._deep: list[tuple[Any, str]] = []
        # By identity: the parts that are yet to be written.
        self._waiting: dict[int, int] = {}
        # How many values around this one look at what is in them when they are built.
        self._lookers = 0
        self._lc_nodes: list[dict[str, Any]] = []
        self._counts: Counter[str] = Counter()

    def run(self, value: object, path: str) -> object:
        self._put(self._parts, 0, value, path, 0)
        for index, (deep, deep_path) in enumerate(self._deep, 1):
            if self._waiting.pop(id(deep), None) is not None:
                self._fill(self._parts, index, deep, deep_path, 0)
            else:
                self._is_shared(self._parts, index, deep)
        self._wrap_shared()
        for node in reversed(self._lc_nodes):
            langchain.tag_if_needed(node)
        return self._parts[0] if len(self._parts) == 1 else {TAG: "parts", "v": self._parts}

    def _wrap_shared(self) -> None:
        for identity, label in self._labels.items():
            value, slot, key = self._seen[identity]
            is_left_out = type(slot) is dict and key not in slot
            node = type(value)() if is_left_out else slot[key]
            slot[key] = {TAG: "shared", "id": label, "v": node}

    def _put(
        self, slot: Any, key: Any, value: Any, path: str, depth: int, *, can_wait: bool = True
    ) -> None:
        """Write a value into its slot; containers stand there before they are filled."""
        cls = type(value)
        if cls is str:
            slot[key] = self._text(value, path)
        elif value is None or cls is bool:
            slot[key] = value
        elif cls is int:
            slot[key] = value if -SAFE_INTEGER <= value <= SAFE_INTEGER else _integer(value, path)
        elif cls is float:
            slot[key] = _float(value)
        elif cls is dict or cls is list:
            can_wait = can_wait and depth >= DEEPEST and not self._lookers
            self._container(slot, key, value, path, depth, can_wait=can_wait)
        else:
            self._kind(slot, key, value, path, depth)

    def _text(self, value: Any, path: str) -> object:
        self._scan.text(value, path)
        if _is_text(value):
            return value
        return {TAG: "str", "v": value.encode("utf-16-be", "surrogatepass").hex()}

    def _container(
        self, slot: Any, key: Any, value: Any, path: str, depth: int, *, can_wait: bool
    ) -> None:
        part = self._waiting.get(id(value))
        if part is None and self._is_shared(slot, key, value):
            return
        if can_wait:
            slot[key] = {TAG: "part", "v": part or self._part(value, path)}
        elif depth >= _TOO_DEEP:
            raise _refuse(path, class_name(type(value)), "it is nested too deep", _DEEP_HINT)
        else:
            if part is not None:
                # It cannot wait here: its part becomes a reference.
                del self._waiting[id(value)]
                self._seen[id(value)] = (value, slot, key)
            self._fill(slot, key, value, path, depth)

    def _part(self, value: Any, path: str) -> int:
        index = len(self._parts)
        self._deep.append((value, path))
        self._waiting[id(value)] = index
        self._seen[id(value)] = (value, self._parts, index)
        self._parts.append(None)
        return index

    def _fill(self, slot: Any, key: Any, value: Any, path: str, depth: int) -> None:
        if type(value) is list:
            node = slot[key] = [None] * len(value)
            for index, item in enumerate(value):
                self._put(node, index, item, f"{path}[{index}]", depth + 1)
        else:
            self._dict(slot, key, value, path, depth)

    def _dict(self, slot: Any, key: Any, value: dict[Any, Any], path: str, depth: int) -> None:
        if _is_plain(value):
            node = slot[key] = {}
            for name, item in value.items():
                if len(name) >= _SHORTEST_CREDENTIAL:
                    self._scan.key(name, path)
                step = f"{path}.{name}" if name.isidentifier() else f"{path}[{name!r}]"
                if self._scan.member(name, item, step):
                    node[name] = self._left_out(name, item)
                else:
                    self._put(node, name, item, step, depth + 1)
            return
        pairs: list[Any] = []
        slot[key] = {TAG: "dict", "v": pairs}
        for index, (name, item) in enumerate(value.items()):
            pair: list[Any] = [None, None]
            pairs.append(pair)
            step = f"{path}[{_short(name)}]"
            self._put(pair, 0, name, f"{path}[key {index}]", depth + 2, can_wait=False)
            if self._scan.member(name, item, step):
                pair[1] = self._left_out(name, item)
            else:
                self._put(pair, 1, item, step, depth + 2)

    def _left_out(self, name: object, value: object) -> object:
        """A credential that only the caller of `restore` can give back."""
        label = f"redacted.{name}" if name in VARIABLES else str(name)
        # A name that UTF-8 does not have is given by what it shows.
        label = label.encode(errors="backslashreplace").decode()
        self._scan.leave_out(label, value)
        node = {TAG: "secret", "v": label}
        kind = _secrets.hidden_kind(value)
        return {TAG: kind, "v": node} if kind else node

    def _is_shared(self, slot: Any, key: Any, value: object) -> bool:
        """Write a reference, if the value was met before; remember it, if not."""
        if id(value) not in self._seen:
            self._seen[id(value)] = (value, slot, key)
            return False
        label = self._labels.setdefault(id(value), len(self._labels) + 1)
        slot[key] = {TAG: "ref", "v": label}
        return True

    def _kind(self, slot: Any, key: Any, value: Any, path: str, depth: int) -> None:
        kind = kind_of(type(value))  # type: ignore[arg-type]
        type_name = class_name(type(value))
        self._scan.value(value, path)
        if kind is None:
            raise _refuse(path, type_name, "its type is not one that comes back", _STEP_HINT)
        if depth >= _TOO_DEEP:
            raise _refuse(path, type_name, "it is nested too deep", _DEEP_HINT)
        if not isinstance(value, IMMUTABLE) and self._is_shared(slot, key, value):
            return
        self._count(counted_as(kind, value), path, type_name)
        shape: Any = kind.encode(value, lambda why, hint: _refuse(path, type_name, why, hint))
        looks = kind.name in _LOOKERS or "." in kind.name
        self._lookers += looks
        if kind.name == "lc":
            node = slot[key] = {"lc": 1, "type": "constructor", "id": shape["id"], "kwargs": None}
            self._lc_nodes.append(node)
            self._shape(node, "kwargs", shape["kwargs"], path, depth + 1)
            self._empty(node["kwargs"], shape["empty"])
        else:
            node = slot[key] = {TAG: kind.name, "v": None}
            self._shape(node, "v", shape, path, depth + 1)
        self._lookers -= looks

    def _count(self, what: str | None, path: str, type_name: str) -> None:
        if what is None:
            return
        self._counts[what] += 1
        if self._counts[what] > MOST[what]:
            why = f"it is one of more than {MOST[what]} {what} in one state"
            raise _refuse(path, type_name, why, "keep them beside the agent")

    def _empty(self, kwargs: dict[str, Any], fields: dict[str, Any]) -> None:
        """Leave out what is empty, as LangChain does, unless it is shared: see `_wrap_shared`."""
        for name, value in fields.items():
            self._is_shared(kwargs, name, value)

    def _shape(self, slot: Any, key: Any, shape: Any, path: str, depth: int) -> None:
        """Write what a kind returned: JSON as it stands, children as values."""
        if type(shape) is Child:
            below = path + shape.step
            if shape.name is not None and self._scan.member(shape.name, shape.value, below):
                slot[key] = self._left_out(shape.name, shape.value)
            else:
                self._put(slot, key, shape.value, below, depth + 1, can_wait=False)
        elif type(shape) is dict:
            node = slot[key] = dict.fromkeys(shape)
            for name, item in shape.items():
                _check_text(name, path)
                self._shape(node, name, item, path, depth)
        elif type(shape) is list:
            items = slot[key] = [None] * len(shape)
            for index, item in enumerate(shape):
                self._shape(items, index, item, path, depth)
        elif type(shape) is Base64:
            slot[key] = shape.text()
        else:
            if type(shape) is str:
                _check_text(shape, path)
            slot[key] = shape


IMMUTABLE = (str, bytes, tuple, frozenset, int, float, complex)
"""Classes of values whose identity nobody can tell: they get no labels."""
_LOOKERS = frozenset({"lc", "custom", "lazy"})
"""Kinds that look at what is in them when they are built, so that all of it must be there."""


def _check_text(text: str, path: str) -> None:
    """Refuse a name that UTF-8 does not have; text of values has a kind for that."""
    if not _is_text(text):
        why = "a name in it holds a lone surrogate"
        raise _refuse(path, "builtins.str", why, "rename it")


def _is_plain(value: dict[Any, Any]) -> bool:
    if TAG in value or "lc" in value:
        return False
    return all(map(_is_text, value))


def _is_text(name: object) -> bool:
    if type(name) is not str:
        return False
    if name.isascii():
        return True
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _integer(value: int, path: str) -> dict[str, str]:
    digits = value.bit_length() * 0.30103
    if digits > _text.MAX_INTEGER_DIGITS - 2:
        hint = "keep it as text or bytes"
        raise _refuse(
            path, "builtins.int", f"it has more than {_text.MAX_INTEGER_DIGITS - 2} digits", hint
        )
    return {TAG: "int", "v": str(value)}


def _float(value: float) -> object:
    if value - value == 0:
        return value
    # The eight bytes, since there is more than one NaN.
    return {TAG: "float", "v": struct.pack(">d", value).hex()}


def _short(name: object) -> str:
    text = repr(name)
    return text if len(text) <= _LONGEST_STEP else f"{text[:_LONGEST_STEP]}..."


def _refuse(path: str, type_name: str, why: str, hint: str) -> UnserializableStateError:
    message = f"could not capture {path} ({type_name}): {why}"
    return UnserializableStateError(message, path=path, type_name=type_name, hint=hint)
