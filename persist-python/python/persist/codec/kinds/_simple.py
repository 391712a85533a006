"""Kinds of one exact class that become one piece of text or a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from persist.codec._types import Read


@dataclass
class Simple:
    """A kind whose values hold no other values, or hold them in a list.

    Attributes:
        name: What stands behind `$persist`.
        class_name: The class, as `module.qualname`; subclasses are not of this kind.
        write: Makes JSON, with children.
        read: Makes the value again.
    """

    name: str
    class_name: str
    write: Callable[[Any], object]
    read: Callable[[Any, Read], object]

    def matches(self, names: Sequence[str]) -> bool:
        """Say whether the class is this one exactly."""
        return names[0] == self.class_name

    def encode(self, value: Any, refuse: Callable[[str, str], Exception]) -> object:
        """Return the JSON of a value."""
        if getattr(value, "__dict__", None):
            raise refuse("it has attributes of its own", "keep them beside it")
        return self.write(value)

    def decode(self, node: Any, read: Read) -> object:
        """Build the value from its JSON."""
        return self.read(node, read)
