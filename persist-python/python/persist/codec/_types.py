"""The words of the codec: what goes in, what comes out, what a kind is."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeVar

from persist.exceptions import UntrustedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")


class Encoded(NamedTuple):
    """State as text.

    Attributes:
        data: UTF-8 text of one JSON value.
        marks: Ascending byte offsets where a message or a large value ends.
    """

    data: bytes
    marks: list[int]


@dataclass(frozen=True)
class Child:
    """A value inside what a kind returns, to be written by the codec.

    Attributes:
        value: Any value.
        step: How the path goes on, as `.name` or `[3]`.
        name: The field or key that holds it, if any: credentials are told by it.
    """

    value: object
    step: str
    name: object = None


@dataclass(frozen=True)
class Base64:
    """Bytes inside what a kind returns, to be written as base64, part by part.

    Attributes:
        buffer: Bytes, or a memoryview of bytes that may change meanwhile.
    """

    buffer: bytes | bytearray | memoryview

    def text(self) -> str:
        """Return all of it."""
        return base64.b64encode(self.buffer).decode()


class Lazy:
    """A value that is built only when it is asked for.

    An adapter wraps what the caller of `restore` may bring himself, as a chat
    model: its key is then not looked for when it is not needed.

    Args:
        get: Makes the value.
    """

    def __init__(self, get: Callable[[], Any]) -> None:
        self.get = get


@dataclass(frozen=True)
class Trust:
    """What may be built while a state is read.

    Attributes:
        allow: Classes beyond the built-in list: `{"pkg.Class": True}`,
            `{"pkg.Class": ["field"]}` or `{"pkg.*": True}`.
        trusted: Whether the list is lifted.
        secrets: Keys by the name of their environment variable.
    """

    allow: Mapping[str, Literal[True] | Sequence[str]] = field(default_factory=dict)
    trusted: bool = False
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def allows(self, class_name: str, field_name: str | None = None) -> bool:
        """Say whether this class, or this field of it, may be built.

        Args:
            class_name: The class, as `module.qualname`.
            field_name: The field; None asks for the class.

        Returns:
            Whether the caller said so.
        """
        if self.trusted or self.allow.get(class_name) is True:
            return True
        for name, allowed in self.allow.items():
            is_named = name == class_name or (
                name.endswith(".*") and class_name.startswith(name[:-1])
            )
            if is_named and (allowed is True or field_name is None or field_name in allowed):
                return True
        return False

    def check(self, class_name: str, path: str, field_name: str | None = None) -> None:
        """Refuse a class or field that the caller did not allow.

        Args:
            class_name: The class, as `module.qualname`.
            path: Where in the state it stands.
            field_name: The field; None asks for the class.

        Raises:
            UntrustedError: It is not allowed; the hint says how to allow it.
        """
        if self.allows(class_name, field_name):
            return
        if field_name is None:
            what, line = f"the class {class_name}", f'allow={{"{class_name}": True}}'
        else:
            what = f"the field {field_name!r} of {class_name}"
            line = f'allow={{"{class_name}": ["{field_name}"]}}'
        message = f"{path} asks for {what}, which is not on the list of what may be built"
        raise UntrustedError(message, hint=f"if you trust this snapshot, pass {line}")


MOST = {"models": 256, "frames": 10_000}
"""How many objects that take long, or much memory, to build one state may hold."""


class Read(Protocol):
    """What a kind is given to read a value with.

    Attributes:
        trust: What may be built.
        is_plain: Whether only data is wanted, and no class is built.
        is_own: Whether this process has just written the text, to check it.
    """

    trust: Trust
    is_plain: bool
    is_own: bool

    @property
    def path(self) -> str:
        """Where in the state the value stands."""

    def child(self, node: object, step: str) -> Any:
        """Read a value inside this one."""

    def count(self, what: str) -> None:
        """Count one more object of those that there is a limit for.

        Args:
            what: Which, as `MOST` names them.

        Raises:
            LimitExceededError: The state holds too many.
        """

    def later(self, node: object) -> Callable[[], Any]:
        """Return what reads this value when it is called."""

    def keep(self, value: T) -> T:
        """Make the value known before it is filled, so that it may contain itself."""


class Kind(Protocol):
    """A kind of value that JSON does not have.

    Attributes:
        name: What stands behind `$persist`; yours contains a dot, as `acme.money`.
    """

    name: str

    def matches(self, names: Sequence[str]) -> bool:
        """Say whether values of a class are of this kind.

        Args:
            names: The class and its bases, as `module.qualname`.
        """

    def encode(self, value: Any, refuse: Callable[[str, str], Exception]) -> object:
        """Return JSON in which each value to be written by the codec is a `Child`.

        Args:
            value: The value.
            refuse: Makes the error to raise, from a reason and a hint.
        """

    def decode(self, node: Any, read: Read) -> object:
        """Build the value from what `encode` returned.

        Args:
            node: The JSON; children are still to be read, with `read.child`.
            read: Reads children, and says what may be built.
        """
