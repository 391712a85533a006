"""Values to JSON trees: exact types, labels for what is shared, a path for what is refused."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Literal

from persist.codec import _secrets, _text
from persist.codec._decode import decode_trusted
from persist.codec._difference import difference
from persist.codec._registry import class_name, kind_of
from persist.codec._types import Child, Encoded
from persist.codec.kinds import langchain
from persist.exceptions import UnserializableStateError

if TYPE_CHECKING:
    from collections.abc import Sequence

TAG = "$persist"
SAFE_INTEGER = 2**53
DEEPEST = 100
"""Levels of values inside one another, before the rest goes into a part of its own."""

_LONGEST_STEP = 40
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
    """
    scan = _secrets.Scan(secrets_policy, frozenset(redact))
    encoder = _Encoder(scan)
    data, marks = _text.write(encoder.run(value, path))
    if verify and not scan.redacted:
        _check(value, data, path)
    return Encoded(data, marks)


def _check(value: object, data: bytes, path: str) -> None:
    try:
        where = difference(value, decode_trusted(data))
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


class _Encoder:
    """One walk over one value."""

    def __init__(self, scan: _secrets.Scan) -> None:
        self._scan = scan
        # By identity: the value (kept alive), and the slot that its node stands in.
        self._seen: dict[int, tuple[object, Any, Any]] = {}
        self._labels: dict[int, int] = {}
        self._parts: list[Any] = [None]
        self._deep: list[tuple[Any, str]] = []
        self._lc_nodes: list[dict[str, Any]] = []

    def run(self, value: object, path: str) -> object:
        self._put(self._parts, 0, value, path, 0)
        for index, (deep, deep_path) in enumerate(self._deep, 1):
            self._fill(self._parts, index, deep, deep_path, 0)
        self._wrap_shared()
        for node in reversed(self._lc_nodes):
            langchain.tag_if_needed(node)
        return self._parts[0] if len(self._parts) == 1 else {TAG: "parts", "v": self._parts}

    def _wrap_shared(self) -> None:
        for identity, label in self._labels.items():
            _, slot, key = self._seen[identity]
            slot[key] = {TAG: "shared", "id": label, "v": slot[key]}

    def _put(self, slot: Any, key: Any, value: Any, path: str, depth: int) -> None:
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
            self._container(slot, key, value, path, depth)
        else:
            self._kind(slot, key, value, path, depth)

    def _text(self, value: Any, path: str) -> object:
        self._scan.text(value, path)
        try:
            value.encode()
        except UnicodeEncodeError:
            return {TAG: "str", "v": value.encode("utf-16-be", "surrogatepass").hex()}
        return value

    def _container(self, slot: Any, key: Any, value: Any, path: str, depth: int) -> None:
        if self._is_shared(slot, key, value):
            return
        if depth >= DEEPEST:
            self._deep.append((value, path))
            slot[key] = {TAG: "part", "v": len(self._deep)}
            self._seen[id(value)] = (value, self._parts, len(self._parts))
            self._parts.append(None)
        else:
            self._fill(slot, key, value, path, depth)

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
                step = f"{path}.{name}" if name.isidentifier() else f"{path}[{name!r}]"
                if self._scan.member(name, item, step):
                    node[name] = {TAG: "secret", "v": name}
                else:
                    self._put(node, name, item, step, depth + 1)
            return
        pairs: list[Any] = []
        slot[key] = {TAG: "dict", "v": pairs}
        for name, item in value.items():
            pair: list[Any] = [None, None]
            pairs.append(pair)
            step = f"{path}[{_short(name)}]"
            self._put(pair, 0, name, step, depth + 2)
            if self._scan.member(name, item, step):
                pair[1] = {TAG: "secret", "v": str(name)}
            else:
                self._put(pair, 1, item, step, depth + 2)

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
        if kind is None:
            raise _refuse(path, type_name, "its type is not one that comes back", _STEP_HINT)
        if depth >= 4 * DEEPEST:
            raise _refuse(path, type_name, "it is nested too deep", "flatten it first")
        if not isinstance(value, _IMMUTABLE) and self._is_shared(slot, key, value):
            return
        self._scan.value(value, path)
        shape: Any = kind.encode(value, lambda why, hint: _refuse(path, type_name, why, hint))
        if kind.name == "lc":
            node = slot[key] = {"lc": 1, "type": "constructor", "id": shape["id"], "kwargs": None}
            self._lc_nodes.append(node)
            self._shape(node, "kwargs", shape["kwargs"], path, depth + 1)
        else:
            node = slot[key] = {TAG: kind.name, "v": None}
            self._shape(node, "v", shape, path, depth + 1)

    def _shape(self, slot: Any, key: Any, shape: Any, path: str, depth: int) -> None:
        """Write what a kind returned: JSON as it stands, children as values."""
        if type(shape) is Child:
            self._put(slot, key, shape.value, path + shape.step, depth + 1)
        elif type(shape) is dict:
            node = slot[key] = dict.fromkeys(shape)
            for name, item in shape.items():
                self._shape(node, name, item, path, depth)
        elif type(shape) is list:
            items = slot[key] = [None] * len(shape)
            for index, item in enumerate(shape):
                self._shape(items, index, item, path, depth)
        else:
            slot[key] = shape


_IMMUTABLE = (str, bytes, tuple, frozenset, int, float, complex)


def _is_plain(value: dict[Any, Any]) -> bool:
    if TAG in value or "lc" in value:
        return False
    return all(map(_is_text, value))


def _is_text(name: object) -> bool:
    if type(name) is not str:
        return False
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
