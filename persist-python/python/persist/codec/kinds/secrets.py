"""pydantic's secrets: in clear when the caller of `snapshot` says so, else by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from persist.codec._types import Child

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from persist.codec._types import Read


@dataclass
class _Secret:
    """A SecretStr or SecretBytes; the walk refuses or renames it where clear is not allowed."""

    name: str
    class_name: str

    def matches(self, names: Sequence[str]) -> bool:
        """Say whether the class is this one exactly."""
        return names[0] == f"pydantic.types.{self.class_name}"

    def encode(self, value: Any, refuse: Callable[[str, str], Exception]) -> object:
        """Return what is hidden."""
        del refuse
        return Child(value.get_secret_value(), "")

    def decode(self, node: Any, read: Read) -> object:
        """Hide it again."""
        hidden = read.child(node, "")
        if read.is_plain:
            return hidden
        from pydantic import types

        if self.name == "secretbytes" and isinstance(hidden, str):
            hidden = hidden.encode()
        return getattr(types, self.class_name)(hidden)


KINDS = (_Secret("secretstr", "SecretStr"), _Secret("secretbytes", "SecretBytes"))
