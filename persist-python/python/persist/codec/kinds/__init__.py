"""The kinds of value that plain JSON does not have; each file is one family."""

from persist.codec._registry import add_builtin, add_by_attribute
from persist.codec.kinds import (
    classes,
    collections,
    exceptions,
    langchain,
    numbers,
    numpy,
    pandas,
    secrets,
    temporal,
)

add_builtin(
    *collections.KINDS,
    *numbers.KINDS,
    *temporal.KINDS,
    *numpy.KINDS,
    *pandas.KINDS,
    *secrets.KINDS,
    *langchain.KINDS,
    *classes.KINDS,
    exceptions.KIND,
)
add_by_attribute("__persist_capture__", classes.CUSTOM)
add_by_attribute("__dataclass_fields__", classes.DATACLASS)

__all__: list[str] = []
