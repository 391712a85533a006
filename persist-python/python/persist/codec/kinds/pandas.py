"""pandas' frames and series, column by column; what a column holds goes through the codec again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from persist.codec._types import Child
from persist.exceptions import AdapterNotInstalledError, FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from persist.codec._types import Read

_ZONED = r"datetime64\[(?:s|ms|us|ns), [\w/+:. -]{1,64}\]"
_DTYPES = re.compile(rf"(?:U?Int|Float)\d\d?|boolean|string|str|{_ZONED}")
"""The dtypes of pandas' own that a file may name; pandas would look up any other among plug-ins."""
_PLAIN = "biufcmM"


def parts(value: Any) -> dict[str, Any]:
    """Return what a frame or series consists of, as values that the codec knows.

    Args:
        value: A DataFrame or Series.
    """
    if type(value).__name__ == "Series":
        held = {"name": value.name, "values": _column(value.array)}
    else:
        columns = [_column(value.iloc[:, n].array) for n in range(value.shape[1])]
        held = {"columns": _index(value.columns), "values": columns}
    return {"index": _index(value.index), **held, "attrs": dict(value.attrs)}


def _index(index: Any) -> dict[str, Any]:
    names = list(index.names)
    if type(index).__name__ == "RangeIndex":
        return {"names": names, "range": [index.start, index.stop, index.step]}
    if type(index).__name__ == "MultiIndex":
        return {"names": names, "tuples": list(index)}
    freq = getattr(index, "freqstr", None)
    return {"names": names, "values": _column(index.array), **({"freq": freq} if freq else {})}


def _column(array: Any) -> dict[str, Any]:
    import numpy as np

    is_numpys = type(array.dtype).__name__ == "NumpyEADtype"
    dtype = array.dtype.numpy_dtype if is_numpys else array.dtype
    if type(array).__name__ == "Categorical":
        held = {"codes": np.asarray(array.codes), "ordered": bool(array.ordered)}
        return {"dtype": "category", "categories": _index(array.categories), **held}
    if isinstance(dtype, np.dtype) and dtype.kind in _PLAIN:
        return {"array": np.asarray(array)}
    if re.fullmatch(_ZONED, str(dtype)):
        return {"dtype": str(dtype), "array": array.asi8.copy()}
    return {"dtype": str(dtype), "items": [None if _is_missing(x) else x for x in array]}


def _is_missing(value: Any) -> bool:
    """Say whether it is pandas' mark for what is not there; None in a column of objects is None."""
    return type(value).__name__ == "NAType"


class _Frame:
    """A DataFrame or a Series."""

    def __init__(self, name: str, class_name: str) -> None:
        self.name = name
        self._class_name = class_name

    def matches(self, names: Sequence[str]) -> bool:
        """Say whether the class is pandas' own, by its old or its new module."""
        module, _, name = names[0].rpartition(".")
        return name == self._class_name and module in ("pandas", _MODULES[name])

    def counts(self, _: object) -> str:
        """Say which limit counts a frame."""
        return "frames"

    def encode(self, value: Any, refuse: Callable[[str, str], Exception]) -> object:
        """Return index, labels and columns."""
        held = parts(value)
        columns = held["values"] if isinstance(held["values"], list) else [held["values"]]
        for column in columns:
            dtype = column.get("dtype", "object")
            if "items" in column and dtype != "object" and not _DTYPES.fullmatch(dtype):
                raise refuse(f"it has a column of {dtype}", "convert the column first")
        return Child(held, "")

    def decode(self, node: Any, read: Read) -> object:
        """Build the frame or series again."""
        held = read.child(node, "")
        if read.is_plain:
            return held
        read.count("frames")
        try:
            import pandas as pd
        except ImportError:
            message = f"{read.path} needs pandas, which is not installed"
            raise AdapterNotInstalledError(message, hint="pip install pandas") from None
        index = _built_index(pd, held["index"], read)
        if self.name == "series":
            values = _of_length(_built(pd, held["values"], read), len(index), read)
            made = pd.Series(values, index=index, name=held["name"])
        else:
            built = (_built(pd, column, read) for column in held["values"])
            columns = [_of_length(column, len(index), read) for column in built]
            made = pd.DataFrame(dict(enumerate(columns)), index=index)
            made.columns = _built_index(pd, held["columns"], read)
        made.attrs.update(held["attrs"])
        return read.keep(made)


_MODULES = {"DataFrame": "pandas.core.frame", "Series": "pandas.core.series"}


def _of_length(column: Any, length: int, read: Read) -> Any:
    """A column as long as the index: pandas would repeat a single value, to any length."""
    if not hasattr(column, "dtype") or column.shape != (length,):
        message = f"{read.path} has a column of another length than its index"
        raise FormatError(message)
    return column


def _built_index(pd: Any, node: dict[str, Any], read: Read) -> Any:
    if "range" in node:
        start, stop, step = node["range"]
        return pd.RangeIndex(start, stop, step, name=node["names"][0])
    if "tuples" in node:
        return pd.MultiIndex.from_tuples(node["tuples"], names=node["names"])
    index = pd.Index(_built(pd, node["values"], read), name=node["names"][0])
    if "freq" in node:
        index.freq = node["freq"]
    return index


def _built(pd: Any, node: dict[str, Any], read: Read) -> Any:
    dtype = node.get("dtype")
    if dtype == "category":
        categories = _built_index(pd, node["categories"], read)
        return pd.Categorical.from_codes(node["codes"], categories, ordered=node["ordered"])
    if dtype is None:
        return node["array"]
    if dtype == "object":
        return pd.array(node["items"], dtype=object)
    if not _DTYPES.fullmatch(dtype):
        message = f"{read.path} has a column of {dtype!r}"
        raise FormatError(message)
    if "array" in node:
        unit = dtype[len("datetime64[") :].partition(",")[0]
        moments = pd.DatetimeIndex(node["array"].view(f"M8[{unit}]"))
        return moments.tz_localize("UTC").astype(dtype).array
    return pd.array([pd.NA if item is None else item for item in node["items"]], dtype=dtype)


KINDS = (_Frame("dataframe", "DataFrame"), _Frame("series", "Series"))
