"""Classes of exceptions, which say what is tried again: those of Python and of langchain-core."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

from persist.codec.kinds.classes import named, resolve
from persist.exceptions import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from persist.codec._types import Read

_BUILTIN = {
    f"builtins:{name}": held
    for name, held in vars(builtins).items()
    if isinstance(held, type) and issubclass(held, BaseException) and held.__name__ == name
}


class _ExceptionClass:
    """A class of exceptions; those of others are for the caller of `restore` to allow."""

    name = "exception"

    def matches(self, names: Sequence[str]) -> bool:
        """Say whether the value is a class."""
        return "builtins.type" in names

    def encode(self, value: Any, refuse: Callable[[str, str], Exception]) -> object:
        """Return the name of the class."""
        if not issubclass(value, BaseException):
            raise refuse("it is a class", "keep its name, and look the class up when it is needed")
        return named(value, refuse)

    def decode(self, node: Any, read: Read) -> object:
        """Find the class."""
        if type(node) is str and node in _BUILTIN:
            return _shown(node) if read.is_plain else _BUILTIN[node]
        cls = resolve(node, read)
        if cls is None:
            return _shown(node)
        if not issubclass(cls, BaseException):
            message = f"{read.path} names a class that is no exception"
            raise FormatError(message)
        return cls


def _shown(node: str) -> str:
    return node.replace(":", ".")


KIND = _ExceptionClass()
