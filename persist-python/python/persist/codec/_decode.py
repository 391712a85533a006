"""JSON trees to values; the tree is hostile unless this process wrote it."""

from __future__ import annotations

import struct
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from persist.codec import _text
from persist.codec._registry import kind_named
from persist.codec._types import MOST, Trust
from persist.codec.kinds import langchain
from persist.codec.kinds.collections import Keys, pairs_in
from persist.exceptions import FormatError, LimitExceededError, PersistError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")
TAG = "$persist"


def decode(data: bytes | memoryview, trust: Trust | None = None) -> Any:
    """Read the value that `encode` wrote.

    Args:
        data: The text; it may come from anybody.
        trust: What may be built beyond the built-in list.

    Returns:
        The value.

    Raises:
        FormatError: The text is not what `encode` writes.
        UntrustedError: It names a class or field that is not on the list.
        MissingSecretError: It needs a key that was not supplied.
    """
    return _run(data, Decoder(trust or Trust(), is_plain=False))


def decode_trusted(data: bytes, left_out: Mapping[str, Any]) -> Any:
    """Read what this process has just written: everything in it may be built."""
    decoder = Decoder(Trust(trusted=True, secrets=left_out), is_plain=False)
    decoder.is_own = True
    return _run(data, decoder)


def plain(data: bytes | memoryview) -> Any:
    """Read the value for looking at it: no class of anybody is imported or built.

    Args:
        data: The text; it may come from anybody.

    Returns:
        The value; an object of a class is a dict with the keys `class` and `fields`.

    Raises:
        FormatError: The text is not what `encode` writes.
    """
    return _run(data, Decoder(Trust(), is_plain=True))


def decode_original(data: bytes | memoryview, trust: Trust | None = None) -> Any:
    """Read a state of the original xenoscale/Persist: LangChain's JSON, without our tags.

    Args:
        data: The text; it may come from anybody.
        trust: What may be built beyond the built-in list.

    Returns:
        The value.

    Raises:
        FormatError: The text is not strict JSON.
        UntrustedError: It names a class that is not on the list.
        MissingSecretError: It needs a key that was not supplied.
    """
    decoder = Decoder(trust or Trust(), is_plain=False)
    decoder.has_tags = False
    return _run(data, decoder)


def read_tree(
    tree: object, trust: Trust | None = None, *, has_tags: bool = True, is_plain: bool = False
) -> Any:
    """Read a tree of JSON; what is no dict or list in it may be a value already.

    Args:
        tree: Dicts, lists, scalars and values; it may come from anybody.
        trust: What may be built beyond the built-in list.
        has_tags: Whether our tags are read; the original has none.
        is_plain: Whether only data is wanted, and no class is built.

    Returns:
        The value.

    Raises:
        FormatError: The tree is not what `encode` writes.
        UntrustedError: It names a class or field that is not on the list.
        MissingSecretError: It needs a key that was not supplied.
    """
    decoder = Decoder(trust or Trust(), is_plain=is_plain)
    decoder.has_tags = has_tags
    return decoder.guarded(lambda: decoder.run(tree))


def read_shared(tree: object, trust: Trust) -> tuple[Any, bool]:
    """Read a tree as `read_tree` does, and say whether something in the value is met twice.

    Args:
        tree: See `read_tree`.
        trust: See `read_tree`.

    Returns:
        The value, and whether it shares anything that can change.
    """
    decoder = Decoder(trust, is_plain=False)
    value = decoder.guarded(lambda: decoder.run(tree))
    return value, decoder.has_references


def _run(data: bytes | memoryview, decoder: Decoder) -> Any:
    tree = _text.read(data)
    return decoder.guarded(lambda: decoder.run(tree))


class Decoder:
    """One walk over one tree; this is what kinds see as `Read`."""

    def __init__(self, trust: Trust, *, is_plain: bool) -> None:
        self.trust = trust
        self.is_plain = is_plain
        self.is_own = False
        self.has_tags = True
        self.has_references = False
        # Joined when it is asked for: a name may be long, and has many values below it.
        self._steps = ["$"]
        self._shared: dict[int, object] = {}
        self._label: int | None = None
        self._counts: Counter[str] = Counter()
        self._holes: list[tuple[Any, Any, int]] = []

    @property
    def path(self) -> str:
        return "".join(self._steps)

    def guarded(self, work: Callable[[], T]) -> T:
        """Do something with hostile nodes; whatever goes wrong is an error of ours."""
        try:
            return work()
        except (PersistError, MemoryError):
            raise
        except RecursionError:
            message = "the state is nested too deep"
            raise LimitExceededError(message) from None
        except Exception as error:
            message = f"{self.path} is not what its kind holds: {type(error).__name__}"
            raise FormatError(message) from error

    def run(self, tree: Any) -> object:
        if not (self.has_tags and type(tree) is dict and tree.get(TAG) == "parts"):
            return self._read(tree)
        parts = [self._read(part) for part in tree["v"]]
        for container, key, index in self._holes:
            container[key] = parts[index]
        return parts[0]

    def child(self, node: object, step: str) -> Any:
        # What is inside cannot take the label of what it is in.
        label, self._label = self._label, None
        self._steps.append(step)
        value = self._read(node)
        self._steps.pop()
        self._label = label
        return value

    def count(self, what: str) -> None:
        self._counts[what] += 1
        if self._counts[what] > MOST[what] and not self.trust.trusted:
            message = f"{self.path} is one of more than {MOST[what]} {what} in one state"
            raise LimitExceededError(message)

    def later(self, node: object) -> Callable[[], Any]:
        steps = self._steps[:]

        def get() -> Any:
            self._steps = steps[:]
            return self.guarded(lambda: self._read(node))

        return get

    def keep(self, value: T) -> T:
        if self._label is not None:
            self._shared[self._label] = value
            self._label = None
        return value

    def _read(self, node: Any) -> Any:
        cls = type(node)
        if cls is dict:
            if self.has_tags and TAG in node:
                return self._tagged(node)
            if not self.has_tags and len(node) == 1 and "__lc_escaped__" in node:
                return node["__lc_escaped__"]
            if "lc" in node and (self.has_tags or langchain.is_object(node)):
                return self._langchain(node)
            made: dict[str, Any] = self.keep({})
            for name, item in node.items():
                self._item(made, name, item, f".{name}")
            return made
        if cls is list:
            items: list[Any] = self.keep([None] * len(node))
            for index, item in enumerate(node):
                self._item(items, index, item, f"[{index}]")
            return items
        return node

    def _item(self, container: Any, key: Any, node: Any, step: str) -> None:
        """Read into a slot; a part that is yet to come leaves a hole."""
        if type(node) is dict and node.get(TAG) == "part" and self.has_tags:
            self._holes.append((container, key, node["v"]))
            container[key] = None
        else:
            container[key] = self.child(node, step)

    def _tagged(self, node: dict[str, Any]) -> Any:
        name = node[TAG]
        if next(iter(node)) != TAG:
            message = f"{self.path} has other keys before its kind"
            raise FormatError(message)
        builtin = self._BUILTIN.get(name) if type(name) is str else None
        if builtin is not None:
            return builtin(self, node)
        kind = kind_named(name) if type(name) is str else None
        if kind is None:
            message = f"{self.path} has the unknown kind {name!r}"
            hint = "install the package that registers this kind, or a newer Persist"
            raise FormatError(message, hint=hint)
        label = self._label
        value = self.keep(kind.decode(node["v"], self))
        if label is not None:
            self._shared[label] = value
        return value

    def _dict(self, node: dict[str, Any]) -> dict[Any, Any]:
        made: dict[Any, Any] = self.keep({})
        keys = Keys(self)
        for index, (key_node, item) in enumerate(pairs_in(node["v"], self)):
            key = keys.read(key_node, f"[key {index}]")
            self._item(made, key, item, f"[{index}]")
        if len(made) != len(node["v"]):
            message = f"{self.path} holds a key twice"
            raise FormatError(message)
        return made

    def _define(self, node: dict[str, Any]) -> Any:
        label = node["id"]
        self._label = label
        value = self._read(node["v"])
        if isinstance(value, (tuple, frozenset)):
            # Never written, and its hash could take forever.
            message = f"{self.path} shares a {type(value).__name__}"
            raise FormatError(message)
        self._shared[label] = value
        self._label = None
        return value

    def _refer(self, node: dict[str, Any]) -> Any:
        if node["v"] not in self._shared:
            message = f"{self.path} refers to a value that is not there yet"
            raise FormatError(message)
        self.has_references = True
        return self._shared[node["v"]]

    def _text(self, node: dict[str, Any]) -> str:
        return bytes.fromhex(node["v"]).decode("utf-16-be", "surrogatepass")

    def _float(self, node: dict[str, Any]) -> float:
        value: float = struct.unpack(">d", bytes.fromhex(node["v"]))[0]
        return value

    def _integer(self, node: dict[str, Any]) -> int:
        digits = node["v"]
        if type(digits) is not str or not digits.lstrip("-").isdecimal():
            message = f"{self.path} is not an integer"
            raise FormatError(message)
        if len(digits) > _text.MAX_INTEGER_DIGITS:
            message = f"{self.path} has more than {_text.MAX_INTEGER_DIGITS} digits"
            raise LimitExceededError(message)
        return int(digits)

    def _secret(self, node: dict[str, Any]) -> str:
        return langchain.secret_value(str(node["v"]), self)

    def _tagged_langchain(self, node: dict[str, Any]) -> Any:
        return self._langchain({"lc": 1, "type": "constructor", **node["v"]}, can_share=True)

    def _langchain(self, node: dict[str, Any], *, can_share: bool = False) -> Any:
        label, self._label = self._label, None
        value = langchain.decode(node, self, can_share=can_share)
        if label is not None:
            self._shared[label] = value
        return value

    def _misplaced(self, node: dict[str, Any]) -> Any:
        message = f"{self.path} has {node[TAG]!r} where that cannot stand"
        raise FormatError(message)

    # Of the class: bound to each decoder, they would keep it until the collector runs.
    _BUILTIN: ClassVar[dict[str, Callable[[Decoder, dict[str, Any]], Any]]] = {
        "dict": _dict,
        "shared": _define,
        "ref": _refer,
        "str": _text,
        "float": _float,
        "int": _integer,
        "secret": _secret,
        "lc": _tagged_langchain,
        "part": _misplaced,
        "parts": _misplaced,
    }
