"""JSON trees as strict UTF-8 text, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from persist.exceptions import FormatError, LimitExceededError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_INTEGER_DIGITS = 4300
_DEPTH_OF_MARKS = 6
_LARGE = 4096
_write = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def write(tree: object) -> tuple[bytes, list[int]]:
    """Write a tree, and say where it may be cut.

    Args:
        tree: Dicts with text keys, lists and scalars.

    Returns:
        The text, and the offsets where an element of an upper list or a large
        value ends.
    """
    pieces: list[bytes] = []
    marks: list[int] = []
    length = 0
    for text, ends_value in _pieces(tree, _DEPTH_OF_MARKS):
        piece = text.encode()
        pieces.append(piece)
        length += len(piece)
        if ends_value or len(piece) >= _LARGE:
            marks.append(length)
    return b"".join(pieces), marks


def _pieces(tree: object, depth: int) -> Iterator[tuple[str, bool]]:
    """Yield the text in pieces; true where an element of a list ends."""
    if depth and type(tree) is dict and tree:
        opening = "{"
        for key, value in tree.items():
            yield f"{opening}{_write(key)}:", False
            yield from _pieces(value, depth - 1)
            opening = ","
        yield "}", False
    elif depth and type(tree) is list and tree:
        opening = "["
        for value in tree:
            yield opening + _write(value), True
            opening = ","
        yield "]", False
    else:
        yield _write(tree), False


def read(data: bytes | bytearray | memoryview) -> Any:
    """Read a tree; the text is hostile.

    Args:
        data: UTF-8 text of one JSON value.

    Returns:
        The tree.

    Raises:
        FormatError: The text is not strict JSON.
        LimitExceededError: It goes deeper, or has longer integers, than allowed.
    """
    try:
        return json.loads(
            str(data, "utf-8"),
            parse_int=_integer,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except RecursionError:
        message = "the state is nested too deep"
        raise LimitExceededError(message) from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        reason = error.reason if isinstance(error, UnicodeDecodeError) else error.msg
        message = f"the state is not strict JSON: {reason}"
        raise FormatError(message) from None


def _integer(text: str) -> int:
    if len(text) > MAX_INTEGER_DIGITS:
        message = f"an integer has more than {MAX_INTEGER_DIGITS} digits"
        raise LimitExceededError(message)
    return int(text)


def _refuse_constant(name: str) -> NoReturn:
    message = f"the state is not strict JSON: {name}"
    raise FormatError(message)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        message = "a key stands twice in one object of the state"
        raise FormatError(message)
    return made
