"""Tuples, sets, bytes, and the containers of the standard library."""

from __future__ import annotations

import base64
import dataclasses
from collections import Counter, OrderedDict, defaultdict, deque
from typing import TYPE_CHECKING, Any

from persist.codec._types import Base64, Child
from persist.codec.kinds._simple import Simple
from persist.exceptions import FormatError, LimitExceededError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from persist.codec._types import Read

_RANDOM_HASHES = frozenset({str, bytes})
"""Python hashes these in another way in each process: nobody can choose many of one hash."""
_KNOWN_HASHES = frozenset({"builtins", "decimal", "fractions"})
_MOST_OF_ONE_HASH = 256
"""As many powers of two as an integer may have digits share a hash at most."""
_MOST_PARTS = 1_000_000

_FACTORIES = {"list": list, "dict": dict, "set": set, "int": int, "float": float, "str": str}


def items(values: Iterable[object]) -> list[Child]:
    """Return the elements as children."""
    return [Child(value, f"[{index}]") for index, value in enumerate(values)]


def list_in(node: object, read: Read) -> list[Any]:
    """Return the list that a node is; anything else that has elements is an error."""
    if type(node) is not list:
        message = f"{read.path} holds a {type(node).__name__} where a list has to be"
        raise FormatError(message)
    return node


def pairs_in(node: object, read: Read) -> list[list[Any]]:
    """Return the list of pairs that a node is."""
    return [list_in(pair, read) for pair in list_in(node, read)]


def read_items(node: object, read: Read) -> list[Any]:
    """Read the elements that `items` returned."""
    return [read.child(item, f"[{index}]") for index, item in enumerate(list_in(node, read))]


class Keys:
    """Reads the keys of one container, or the elements of a set.

    A stranger chooses them: the time that it takes to hash and compare them stays in proportion to
    the length of the text.

    Args:
        read: Reads values inside the container.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._met: dict[int, int] = {}

    def read(self, node: object, step: str) -> Any:
        """Read a key; what only shows an object becomes hashable.

        Args:
            node: The JSON of the key.
            step: How the path goes on.

        Raises:
            LimitExceededError: Its parts, or the keys that hash as it does, are too many.
        """
        value = self._read.child(node, step)
        if type(value) in _RANDOM_HASHES:
            return value
        value = self._hashable(value, [_MOST_PARTS])
        mark = hash(value)
        self._met[mark] = self._met.get(mark, 0) + 1
        if self._met[mark] > _MOST_OF_ONE_HASH and type(value).__module__ in _KNOWN_HASHES:
            message = f"{self._read.path} has more than {_MOST_OF_ONE_HASH} keys of one hash"
            raise LimitExceededError(message)
        return value

    def _hashable(self, value: Any, left: list[int]) -> Any:
        """The value, or what shows it; a shared part counts each time that it is hashed."""
        left[0] -= 1
        if left[0] < 0:
            message = f"{self._read.path} has a key of more than {_MOST_PARTS} parts"
            raise LimitExceededError(message)
        if self._read.is_plain:
            return self._frozen(value, left)
        for part in _hashed_parts(value):
            self._hashable(part, left)
        return value

    def _frozen(self, value: Any, left: list[int]) -> Any:
        if isinstance(value, dict):
            return tuple((name, self._hashable(item, left)) for name, item in value.items())
        if isinstance(value, frozenset):
            return frozenset(self._hashable(item, left) for item in value)
        if isinstance(value, slice):
            return ("slice", *(self._hashable(item, left) for item in _hashed_parts(value)))
        if isinstance(value, (list, tuple, set, deque)):
            return tuple(self._hashable(item, left) for item in value)
        return value if value.__hash__ else repr(value)


def _hashed_parts(value: Any) -> Iterable[Any]:
    """What a value's hash is made of."""
    if isinstance(value, (tuple, frozenset)):
        return value
    if isinstance(value, slice):
        return value.start, value.stop, value.step
    if dataclasses.is_dataclass(value) and type(value).__hash__ is not object.__hash__:
        return [getattr(value, field.name, None) for field in dataclasses.fields(value)]
    return ()


def _read_elements(node: list[Any], read: Read) -> list[Any]:
    keys = Keys(read)
    return [keys.read(item, f"[{index}]") for index, item in enumerate(node)]


def _pairs(value: dict[Any, Any]) -> list[list[Child]]:
    return [
        [Child(key, f"[key {index}]"), Child(item, f"[{key!r}]", name=key)]
        for index, (key, item) in enumerate(value.items())
    ]


def _fill(made: dict[Any, Any], node: object, read: Read) -> dict[Any, Any]:
    keys = Keys(read)
    for index, (key_node, item) in enumerate(pairs_in(node, read)):
        # First the key, as it was written: what it shares with its item is defined there.
        key = keys.read(key_node, f"[key {index}]")
        made[key] = read.child(item, f"[{index}]")
    return made


def _ordered(values: frozenset[Any] | set[Any]) -> list[Any]:
    """Elements in an order that does not change from run to run, where they have one."""
    return sorted(values, key=lambda value: (type(value).__qualname__, repr(value)))


class _DefaultDict:
    """A defaultdict whose factory is a built-in type, or that has none."""

    name = "defaultdict"

    def matches(self, names: Sequence[str]) -> bool:
        """Say whether the class is defaultdict exactly."""
        return names[0] == "collections.defaultdict"

    def encode(self, value: Any, refuse: Callable[[str, str], Exception]) -> object:
        """Return the name of the factory, and the items."""
        factory = value.default_factory
        name = getattr(factory, "__name__", None)
        if factory is not None and _FACTORIES.get(str(name)) is not factory:
            raise refuse("its default_factory is code", "use a built-in type as the factory")
        return {"factory": name, "items": _pairs(value)}

    def decode(self, node: Any, read: Read) -> object:
        """Build the defaultdict."""
        name = node["factory"]
        factory = None if name is None else _FACTORIES[name]
        return _fill(read.keep(defaultdict(factory)), node["items"], read)


def _counter(node: Any, read: Read) -> object:
    return _fill(read.keep(Counter()), node, read)


def _ordered_dict(node: Any, read: Read) -> object:
    return _fill(read.keep(OrderedDict()), node, read)


def _deque(node: Any, read: Read) -> object:
    made: deque[Any] = read.keep(deque(maxlen=read.child(node["maxlen"], ".maxlen")))
    made.extend(read_items(node["items"], read))
    return made


def _set(node: Any, read: Read) -> object:
    made: set[Any] = read.keep(set())
    made.update(_read_elements(node, read))
    return made


def _base64(node: Any, read: Read) -> bytes:
    if type(node) is bytes:
        # The core has read a long one already.
        return node
    try:
        return base64.b64decode(node.encode("ascii"), validate=True)
    except (AttributeError, ValueError):
        message = f"{read.path} is not base64"
        raise FormatError(message) from None


def _slice(value: Any) -> list[Child]:
    return items([value.start, value.stop, value.step])


KINDS = (
    Simple("tuple", "builtins.tuple", items, lambda n, r: tuple(read_items(n, r))),
    Simple("set", "builtins.set", lambda v: items(_ordered(v)), _set),
    Simple(
        "frozenset",
        "builtins.frozenset",
        lambda v: items(_ordered(v)),
        lambda n, r: frozenset(_read_elements(n, r)),
    ),
    Simple("bytes", "builtins.bytes", Base64, _base64),
    Simple(
        "bytearray",
        "builtins.bytearray",
        Base64,
        lambda n, r: bytearray(_base64(n, r)),
    ),
    Simple(
        "range",
        "builtins.range",
        lambda v: items([v.start, v.stop, v.step]),
        lambda n, r: range(*read_items(n, r)),
    ),
    Simple("slice", "builtins.slice", _slice, lambda n, r: slice(*read_items(n, r))),
    Simple(
        "deque",
        "collections.deque",
        lambda v: {"maxlen": Child(v.maxlen, ".maxlen"), "items": items(v)},
        _deque,
    ),
    Simple("counter", "collections.Counter", _pairs, _counter),
    Simple("ordereddict", "collections.OrderedDict", _pairs, _ordered_dict),
    _DefaultDict(),
)
