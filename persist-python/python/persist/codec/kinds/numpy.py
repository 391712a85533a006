"""numpy's arrays and scalars, as little-endian bytes."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

from persist.exceptions import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from persist.codec._types import Read

_KINDS = frozenset("biufcmMSU")
_OBJECTS = "its elements are Python objects"


class _Array:
    """An ndarray of numbers, times or fixed-length text."""

    name = "ndarray"

    def matches(self, names: Sequence[str]) -> bool:
        """Say whether the class is ndarray exactly."""
        return names[0] == "numpy.ndarray"

    def encode(self, value: Any, refuse: Callable[[str, str], Exception]) -> object:
        """Return dtype, shape and bytes in C order."""
        if value.dtype.kind not in _KINDS:
            raise refuse(_OBJECTS, "use a list, or an array of numbers")
        data = value.astype(value.dtype.newbyteorder("<"), copy=False)
        return {
            "dtype": value.dtype.str,
            "shape": list(value.shape),
            "data": base64.b64encode(data.tobytes()).decode(),
        }

    def decode(self, node: Any, read: Read) -> object:
        """Build the array; the file names no type but numpy's own plain ones."""
        return _build(node, read)


class _Scalar:
    """A scalar of numpy, as `numpy.float32`."""

    name = "npscalar"

    def matches(self, names: Sequence[str]) -> bool:
        """Say whether the class is one of numpy's scalars."""
        return names[0].startswith("numpy.") and "numpy.generic" in names

    def encode(self, value: Any, refuse: Callable[[str, str], Exception]) -> object:
        """Return dtype and bytes."""
        if value.dtype.kind not in _KINDS:
            raise refuse(_OBJECTS, "use a plain value")
        data = value.astype(value.dtype.newbyteorder("<")).tobytes()
        return {"dtype": value.dtype.str, "data": base64.b64encode(data).decode()}

    def decode(self, node: Any, read: Read) -> object:
        """Build the scalar."""
        built: Any = _build({**node, "shape": []}, read)
        return built[()]


def _build(node: Any, read: Read) -> object:
    import numpy as np

    if not isinstance(node["dtype"], str) or node["dtype"][1:2] not in _KINDS:
        message = f"{read.path} is not an array of numbers"
        raise FormatError(message)
    dtype = np.dtype(node["dtype"])
    data = base64.b64decode(node["data"], validate=True)
    if len(data) != math.prod(node["shape"]) * dtype.itemsize:
        message = f"{read.path} does not hold as many bytes as its shape says"
        raise FormatError(message)
    array = np.frombuffer(data, dtype.newbyteorder("<")).reshape(node["shape"])
    return read.keep(array.astype(dtype))


KINDS = (_Array(), _Scalar())
