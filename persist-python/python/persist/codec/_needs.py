"""What a caller of `restore` must give for a state: keys, values that were left out, classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from persist.codec._decode import Decoder
from persist.codec._text import read
from persist.codec._types import Trust
from persist.exceptions import PersistError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_ANY = "a key that is never used"


def needs(data: bytes, classes: Iterable[str] = ()) -> list[str]:
    """Return what `restore` asks for, in the order in which it does.

    Args:
        data: Text that this process has just written: all that it names is built.
        classes: What may be built anyway.

    Returns:
        Lines as `secrets (OPENAI_API_KEY)` and `allow (acme.Bot)`.
    """
    asked: dict[str, None] = {}
    trust = _Noting(dict.fromkeys(classes, True), secrets=_Keys(asked), asked=asked)
    decoder = _Asking(trust, is_plain=False)
    # What is left out may be no key, and what holds it not take one.
    with suppress(PersistError):
        decoder.guarded(lambda: decoder.run(read(data)))
    return list(asked)


class _Asking(Decoder):
    """Reads what could wait as well."""

    def later(self, node: object) -> Callable[[], Any]:
        value = self.child(node, "")
        return lambda: value


@dataclass(frozen=True)
class _Noting(Trust):
    """Allows everything, and notes what is not allowed elsewhere."""

    asked: dict[str, None] = field(default_factory=dict)

    def allows(self, class_name: str, field_name: str | None = None) -> bool:
        whole = f"allow ({class_name})"
        if not super().allows(class_name, field_name) and whole not in self.asked:
            self.asked[f"allow ({class_name}: {field_name})" if field_name else whole] = None
        return True

    def check(self, class_name: str, path: str, field_name: str | None = None) -> None:
        del path
        self.allows(class_name, field_name)


class _Keys(Mapping[str, str]):
    """Holds every key, and notes which are asked for."""

    def __init__(self, asked: dict[str, None]) -> None:
        self._asked = asked

    def __getitem__(self, name: str) -> str:
        self._asked[f"secrets ({name})"] = None
        return _ANY

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
