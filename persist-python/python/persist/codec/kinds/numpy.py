"""numpy's arrays and scalars, as little-endian bytes."""

from __future__ import annotations

import base64
import math
import re
from typing import TYPE_CHECKING, Any

from persist.codec._types import Base64
from persist.exceptions import AdapterNotInstalledError, FormatError, LimitExceededError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from persist.codec._types import Read

_KINDS = frozenset("biufcmMSUV")
_PLAIN = re.compile(r"[<>|][biufcSUV]\d{1,9}|[<>][mM]8(?:\[\d{0,9}[A-Za-z]{1,2}\])?")
"""The dtypes of one element; numpy itself would read a small language here."""


_MANY = 1_000_000
"""Elements of no bytes take memory all the same."""
_LONG = 1 << 20
"""From so many bytes on, an array is written part by part."""


class _Array:
    """An ndarray of numbers, times, fixed-length text, or records of those."""

    name = "ndarray"

    def matches(self, names: Sequence[str]) -> bool:
        """Say whether the class is ndarray exactly."""
        return names[0] == "numpy.ndarray"

    def encode(self, value: Any, refuse: Callable[[str, str], Exception]) -> object:
        """Return dtype, shape and bytes in C order."""
        return {"shape": list(value.shape), **_written(value, refuse)}

    def sample(self, value: Any) -> object:
        """Return an array of the first element, which comes back when a long one does.

        Args:
            value: An array.

        Returns:
            The small one; None when this one is short.
        """
        if value.nbytes < _LONG or value.dtype.itemsize >= _LONG:
            return None
        return value[(slice(0, 1),) * value.ndim].copy()

    def decode(self, node: Any, read: Read) -> object:
        """Build the array; the file names no type but numpy's own plain ones."""
        return _build(node, node["shape"], read)


class _Scalar:
    """A scalar of numpy, as `numpy.float32`."""

    name = "npscalar"

    def matches(self, names: Sequence[str]) -> bool:
        """Say whether the class is one of numpy's scalars."""
        return names[0].startswith("numpy.") and "numpy.generic" in names

    def encode(self, value: Any, refuse: Callable[[str, str], Exception]) -> object:
        """Return dtype and bytes."""
        return _written(value.reshape(()), refuse)

    def decode(self, node: Any, read: Read) -> object:
        """Build the scalar."""
        return _build(node, [], read)[()]


def _written(value: Any, refuse: Callable[[str, str], Exception]) -> dict[str, object]:
    described = _described(value.dtype, refuse)
    data = value.astype(value.dtype.newbyteorder("<"), copy=False)
    return {"dtype": described, "data": Base64(_bytes(data))}


def _bytes(data: Any) -> bytes | memoryview:
    """The bytes in C order, without a copy where the array is long and holds them so."""
    if not data.dtype.itemsize:
        # Empty text has no bytes, though numpy gives it some.
        return b""
    if data.nbytes < _LONG or not data.flags.c_contiguous:
        held: bytes = data.tobytes()
        return held
    return memoryview(data.reshape(-1).view("u1"))


def _described(dtype: Any, refuse: Callable[[str, str], Exception]) -> object:
    """The text of a dtype; of a record, its size and each field's name, offset, dtype and shape."""
    if dtype.hasobject or dtype.kind not in _KINDS:
        raise refuse("its elements are Python objects", "use a list, or an array of numbers")
    if dtype.metadata or len(dtype.fields or ()) != len(dtype.names or ()):
        raise refuse("its dtype has titles or metadata", "use a dtype without them")
    if dtype.names is None:
        return dtype.str
    fields = []
    for name in dtype.names:
        inner, offset = dtype.fields[name]  # a title would be a third, and a name of its own
        fields.append([name, offset, _described(inner.base, refuse), list(inner.shape)])
    return {"size": dtype.itemsize, "aligned": dtype.isalignedstruct, "fields": fields}


def _dtype(node: Any, read: Read) -> Any:
    import numpy as np

    if isinstance(node, dict):
        fields = node["fields"]
        described: Any = {
            "names": [name for name, _, _, _ in fields],
            "formats": [(_dtype(inner, read), tuple(shape)) for _, _, inner, shape in fields],
            "offsets": [offset for _, offset, _, _ in fields],
            "itemsize": node["size"],
        }
        return np.dtype(described, align=node["aligned"])
    if not isinstance(node, str) or not _PLAIN.fullmatch(node):
        message = f"{read.path} is not an array of numbers"
        raise FormatError(message)
    return np.dtype(node)


def _build(node: Any, shape: Any, read: Read) -> Any:
    try:
        import numpy as np
    except ImportError:
        message = f"{read.path} needs numpy, which is not installed"
        raise AdapterNotInstalledError(message, hint="pip install numpy") from None
    dtype = _dtype(node["dtype"], read)
    held = node["data"]
    # The core has read long ones already.
    data = held if type(held) is bytes else base64.b64decode(held, validate=True)
    if len(data) != math.prod(shape) * dtype.itemsize:
        message = f"{read.path} does not hold as many bytes as its shape says"
        raise FormatError(message)
    if not data and math.prod(shape) > _MANY:
        message = f"{read.path} has {math.prod(shape)} elements without a byte"
        raise LimitExceededError(message)
    array: Any = np.ndarray(shape, dtype.newbyteorder("<"), data)
    return read.keep(array.copy() if array.dtype == dtype else array.astype(dtype))


KINDS = (_Array(), _Scalar())
