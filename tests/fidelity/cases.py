"""Values that agents hold, each made anew by a call; all classes of users live here."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import pathlib
import threading
import uuid
import zoneinfo
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import persist
import pydantic
from langchain_core import messages as lc
from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate

if TYPE_CHECKING:
    from collections.abc import Callable


@persist.register
class Color(enum.Enum):
    RED = "red"
    GREEN = (0, 255, 0)


@persist.register
class Size(enum.IntEnum):
    SMALL = 1


@persist.register
class Rights(enum.Flag):
    READ = 1
    WRITE = 2


class Holder:
    @persist.register
    class Inner(enum.Enum):
        ONE = 1


@persist.register
@dataclasses.dataclass
class Point:
    x: float
    y: tuple[int, ...] = ()
    seen: list[Any] = dataclasses.field(default_factory=list)
    norm: float = dataclasses.field(init=False, default=0.0)


@persist.register
@dataclasses.dataclass(frozen=True)
class Frozen:
    name: str
    point: Point


@persist.register
class Pair(NamedTuple):
    first: int
    second: Any


@persist.register
class Person(pydantic.BaseModel):
    full_name: str = pydantic.Field(alias="fullName")
    born: dt.date | None = None
    _visits: int = pydantic.PrivateAttr(default=0)


@persist.register
class Employee(Person):
    badge: bytes = b""


@persist.register
class Team(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    lead: Person


@persist.register
class Notice(lc.HumanMessage):
    urgency: int = 0


class Plain:
    def __init__(self) -> None:
        self.x = 1


def _person() -> Person:
    person = Person(fullName="Ann", born=dt.date(1990, 1, 2))
    person._visits = 3
    return person


def _shared() -> list[Any]:
    inner = ["one list"]
    return [inner, inner]


def _cycle() -> list[Any]:
    cycle: list[Any] = [1]
    cycle.append(cycle)
    return cycle


def _deep() -> list[Any]:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    return deep


def _objects() -> Any:
    array = np.empty(1, dtype=object)
    array[0] = [1]
    return array


def _call(**more: Any) -> dict[str, Any]:
    return {"name": "add", "args": {"a": 1}, "id": "call-1", **more}


def _message(cls: Any, content: Any, **fields: Any) -> Any:
    return cls(content=content, **fields)


ZURICH = zoneinfo.ZoneInfo("Europe/Zurich")
USAGE: Any = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}

VALUES: dict[str, Callable[[], Any]] = {
    "None, bool, int, str": lambda: [None, True, 0, -7, "é\0"],
    "float": lambda: [0.1, 1e22, 5e-324, 1.7976931348623157e308],
    "negative zero": lambda: -0.0,
    "nan, inf": lambda: [float("nan"), float("inf"), float("-inf")],
    "int beyond 64 bits": lambda: 2**70,
    "lone surrogate": lambda: "a\ud800b",
    "bytes": lambda: b"\0\xff",
    "bytearray": lambda: bytearray(b"\0\xff"),
    "tuple": lambda: (1, (2,)),
    "set, frozenset": lambda: [{1, 2}, frozenset({3})],
    "dict with int, None and bool keys": lambda: {1: "a", None: "b", "1": "c"},
    "dict with tuple keys": lambda: {(1, 2): "a"},
    "order of keys": lambda: {"b": 1, "a": 2},
    "dict like a constructor": lambda: {"lc": 1, "type": "constructor", "id": ["x"], "kwargs": {}},
    "dict like a tag": lambda: {"$persist": "tuple", "v": [1]},
    "OrderedDict": lambda: collections.OrderedDict(b=1, a=2),
    "defaultdict": lambda: collections.defaultdict(list, {"a": [1]}),
    "Counter": lambda: collections.Counter("aab"),
    "deque with maxlen": lambda: collections.deque([1, 2], maxlen=2),
    "complex": lambda: 1 + 2j,
    "range": lambda: range(0, 10, 3),
    "Decimal": lambda: decimal.Decimal("1.10"),
    "Fraction": lambda: fractions.Fraction(1, 3),
    "UUID": lambda: [uuid.UUID(int=7), uuid.UUID(int=7, is_safe=uuid.SafeUUID.safe)],
    "Path": lambda: pathlib.PurePosixPath("/a/b"),
    "datetime with a zone": lambda: dt.datetime(2026, 10, 25, 2, 30, tzinfo=ZURICH, fold=1),
    "datetime, date, time, timedelta": lambda: [
        dt.datetime(2026, 1, 1, 1, 2, 3, 4),  # noqa: DTZ001
        dt.date(2026, 1, 1),
        dt.time(1, 2),
        dt.timedelta(days=-1, microseconds=1),
    ],
    "Enum": lambda: [Color.RED, Color.GREEN],
    "IntEnum": lambda: Size.SMALL,
    "Flag": lambda: Rights.READ | Rights.WRITE,
    "Enum inside a class": lambda: Holder.Inner.ONE,
    "dataclass": lambda: Point(1.5, (1, 2), [Color.RED]),
    "frozen dataclass": lambda: Frozen("a", Point(1.0)),
    "namedtuple": lambda: Pair(1, (2,)),
    "pydantic: alias and private field": _person,
    "pydantic: subclass in a typed field": lambda: Team(
        lead=Employee(fullName="Bob", badge=b"\1"), motto=("a",)
    ),
    "numpy array": lambda: np.arange(6, dtype="<f4").reshape(2, 3),
    "numpy scalars": lambda: [np.float64(0.5), np.int32(7), np.bool_(True)],  # noqa: FBT003
    "pandas frame": lambda: pd.DataFrame({"a": [1, 2], "b": pd.array([1, None], "Int64")}),
    "numpy object array": _objects,
    "shared list": _shared,
    "cycle": _cycle,
    "5,000 levels": _deep,
    "object of a class": Plain,
    "function": lambda: len,
    "lock": threading.Lock,
    "generator": lambda: (n for n in [1]),
}
MESSAGES: dict[str, Callable[[], Any]] = {
    "human, system": lambda: [lc.HumanMessage("a", id="1", name="Ann"), lc.SystemMessage("b")],
    "ai with tool calls": lambda: lc.AIMessage(
        "", tool_calls=[_call()], invalid_tool_calls=[_call(args="{", error="cut")]
    ),
    "ai with usage": lambda: lc.AIMessage(
        "a", usage_metadata=USAGE, response_metadata={"finish_reason": "stop"}
    ),
    "ai with a tuple in its metadata": lambda: lc.AIMessage("a", response_metadata={"t": (1, 2)}),
    "chunk": lambda: lc.AIMessageChunk("a", chunk_position="last"),
    "tool": lambda: lc.ToolMessage("42", tool_call_id="call-1", status="error"),
    "tool with bytes as artifact": lambda: _message(
        lc.ToolMessage, "42", tool_call_id="1", artifact=b"\0\1"
    ),
    "tool with an array as artifact": lambda: _message(
        lc.ToolMessage, "42", tool_call_id="1", artifact=np.arange(3)
    ),
    "tool with documents as artifact": lambda: _message(
        lc.ToolMessage, "42", tool_call_id="1", artifact=[Document("a", metadata={"n": 1})]
    ),
    "function, chat, remove": lambda: [
        lc.FunctionMessage("a", name="f"),
        lc.ChatMessage("a", role="judge"),
        lc.RemoveMessage(id="1"),
    ],
    "extra field": lambda: _message(lc.AIMessage, "a", mood="calm"),
    "subclass of a user": lambda: Notice("a", urgency=3),
    "datetime in additional_kwargs": lambda: lc.HumanMessage(
        "a", additional_kwargs={"when": dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)}
    ),
    "text, image and audio blocks": lambda: lc.HumanMessage(
        [
            {"type": "text", "text": "a", "annotations": []},
            {"type": "image", "base64": "aGk=", "mime_type": "image/png"},
            {"type": "audio", "url": "https://example.org/a.wav"},
        ]
    ),
    "block that holds bytes": lambda: lc.HumanMessage([{"type": "image", "data": b"\0"}]),
    "reasoning and server tools": lambda: lc.AIMessage(
        [
            {"type": "reasoning", "reasoning": "so", "extras": {"signature": "x"}},
            {"type": "server_tool_call", "id": "1", "name": "search", "args": {"q": "a"}},
        ]
    ),
    "prompts": lambda: [
        PromptTemplate.from_template("Hello {name}"),
        ChatPromptTemplate.from_messages([MessagesPlaceholder("past"), ("human", "{text}")]),
    ],
    "chain of prompt and parser": lambda: PromptTemplate.from_template("{a}") | StrOutputParser(),
    "chain that is tried again, with another to fall back to": lambda: (
        (PromptTemplate.from_template("{a}") | StrOutputParser())
        .with_retry(retry_if_exception_type=(OSError, ValueError))
        .with_fallbacks([StrOutputParser()], exceptions_to_handle=(KeyError,))
    ),
    "document with a datetime": lambda: Document(
        "a", metadata={"when": dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)}
    ),
}
CASES = {**VALUES, **MESSAGES}
