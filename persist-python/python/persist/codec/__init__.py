"""State as text and back: strict JSON in which every type is kept.

Whatever plain JSON holds exactly (dicts with text keys, lists, text, floats,
small integers, booleans, None) is written as that. Everything else is written
as `{"$persist": kind, "v": ...}`. A dict that has the key `$persist` or `lc`
itself, or a key that is not text, is written as the kind `dict`, a list of
pairs, so that nothing a user stores can be mistaken for a tag. LangChain's
objects stay LangChain's own JSON where that loses nothing. Objects that are
shared, or contain themselves, get a label at their first place.

What cannot come back exactly is refused with its path, type and a way out.
Reading builds built-in types, langchain-core's own classes, known chat models,
and classes that `register` marked or the caller allows: see `Trust`.

A kind of your own is a `Kind`, made known with `register_kind`.
"""

from persist.codec._decode import decode, decode_original, plain, read_shared, read_tree
from persist.codec._difference import difference, differences
from persist.codec._encode import encode
from persist.codec._needs import needs
from persist.codec._registry import register, register_kind
from persist.codec._survey import refusals
from persist.codec._types import Child, Encoded, Kind, Lazy, Read, Trust
from persist.codec._walk import wishes, write

__all__ = [
    "Child",
    "Encoded",
    "Kind",
    "Lazy",
    "Read",
    "Trust",
    "decode",
    "decode_original",
    "difference",
    "differences",
    "encode",
    "needs",
    "plain",
    "read_shared",
    "read_tree",
    "refusals",
    "register",
    "register_kind",
    "wishes",
    "write",
]
