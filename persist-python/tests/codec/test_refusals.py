"""What cannot come back is refused by path and type, with a way out, and nothing is written."""

import collections
import dataclasses
import datetime as dt
import enum
import fractions
import gzip
import io
import operator
import pathlib
import socket
import threading
import types
import weakref
from collections import OrderedDict, defaultdict, namedtuple

import numpy as np
import persist
import pydantic
import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.prompts import PromptTemplate
from langchain_core.runnables import RunnableBranch, RunnableLambda, RunnableParallel
from langchain_core.runnables.retry import RunnableRetry
from langchain_core.tools import tool
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from .support import Box, Note, Point


def local_error():
    class LocalError(Exception):
        pass

    return LocalError


def is_transient(error):
    return "later" in str(error)


def closure():
    held = 1
    return lambda: held


def generator():
    yield 1


def with_attribute(value, name="note"):
    setattr(value, name, "lost if nobody looks")
    return value


class Plain:
    """Of no kind."""


class Text(str):
    __slots__ = ()


class Number(int):
    pass


class Mapping(dict):
    pass


class Sequence(list):
    pass


class Moment(dt.datetime):
    pass


class Zone(dt.tzinfo):
    def utcoffset(self, when):
        return dt.timedelta(0)


class Renamed(namedtuple("Renamed", "a")):  # noqa: PYI024
    __slots__ = ()


class Slots(Note):
    __slots__ = ("beside",)


@dataclasses.dataclass
class Exploded(Exception):
    n: int = 0


class Model(pydantic.BaseModel):
    held: object = None


def local():
    @dataclasses.dataclass
    class Local:
        n: int = 1

    class Mood(enum.Enum):
        GOOD = 1

    class Settings(pydantic.BaseModel):
        n: int = 1

    return Local(), Mood.GOOD, Settings()


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


PROMPT = PromptTemplate.from_template("{a}")
MODEL = ChatOpenAI(model="gpt-4o-mini", api_key="k")
HERE = __name__
FUNCTION = "builtins.function"

# What is refused, where inside it, and the type that is named.
REFUSED = {
    "lambda": (closure, "", FUNCTION),
    "function": (lambda: local, "", FUNCTION),
    "built-in": (lambda: print, "", "builtins.builtin_function_or_method"),
    "method": (lambda: Note().__init__, "", "builtins.method"),
    "class": (lambda: Note, "", "builtins.type"),
    "module": (lambda: operator, "", "builtins.module"),
    "generator": (generator, "", "builtins.generator"),
    "iterator": (lambda: iter([1]), "", "builtins.list_iterator"),
    "file": (lambda: io.BytesIO(b"x"), "", "_io.BytesIO"),
    "socket": (socket.socket, "", "socket.socket"),
    "lock": (threading.Lock, "", "_thread.lock"),
    "thread": (threading.Thread, "", "threading.Thread"),
    "event": (threading.Event, "", "threading.Event"),
    "weak reference": (lambda: weakref.ref(PROMPT), "", "weakref"),
    "exception": (lambda: ValueError("x"), "", "builtins.ValueError"),
    "exception dataclass": (Exploded, "", f"{HERE}.Exploded"),
    "object": (Plain, "", f"{HERE}.Plain"),
    "bare object": (object, "", "builtins.object"),
    "memoryview": (lambda: memoryview(b"x"), "", "builtins.memoryview"),
    "chain map": (lambda: collections.ChainMap({}), "", "collections.ChainMap"),
    "proxy": (lambda: types.MappingProxyType({}), "", "builtins.mappingproxy"),
    "str subclass": (lambda: Text("x"), "", f"{HERE}.Text"),
    "int subclass": (lambda: Number(1), "", f"{HERE}.Number"),
    "dict subclass": (Mapping, "", f"{HERE}.Mapping"),
    "list subclass": (Sequence, "", f"{HERE}.Sequence"),
    "datetime subclass": (lambda: Moment(2020, 1, 1), "", f"{HERE}.Moment"),
    "zone of a user": (lambda: dt.time(1, tzinfo=Zone()), "", "datetime.time"),
    "named tuple subclass": (lambda: Renamed(1), "", f"{HERE}.Renamed"),
    "huge integer": (lambda: 10**5000, "", "builtins.int"),
    "array of objects": (lambda: np.array([{}], object), "", "numpy.ndarray"),
    "record with objects": (lambda: np.zeros(1, [("a", "O")]), "", "numpy.ndarray"),
    "array of long text": (lambda: np.array(["x"], np.dtypes.StringDType()), "", "numpy.ndarray"),
    "titles": (lambda: np.zeros(1, [(("t", "a"), "i4")]), "", "numpy.ndarray"),
    "matrix": (lambda: np.ma.array([1]), "", "MaskedArray"),
    "factory": (lambda: defaultdict(lambda: 1), "", "collections.defaultdict"),
    "attribute": (lambda: with_attribute(OrderedDict()), "", "collections.OrderedDict"),
    "field not declared": (lambda: with_attribute(Note()), "", "Note"),
    "slot not declared": (lambda: with_attribute(Slots(), "beside"), "", f"{HERE}.Slots"),
    "local dataclass": (lambda: local()[0], "", f"{HERE}.local.<locals>.Local"),
    "local enum": (lambda: local()[1], "", f"{HERE}.local.<locals>.Mood"),
    "local model": (lambda: local()[2], "", f"{HERE}.local.<locals>.Settings"),
    "in a dataclass": (lambda: Note(Note(print)), ".text.text", "built"),
    "in a model": (lambda: Model(held=[Box(held=print)]), ".held[0].held", "built"),
    "in a named tuple": (lambda: Point(1, {2: print}), ".y[2]", "built"),
    "in a set": (lambda: {1, print}, "", "built"),
    "in a mapping": (lambda: defaultdict(int, {"a": print}), "['a']", "built"),
    "as a key": (lambda: {"a": 1, print: 2}, "[key 1]", "built"),
    "in a message": (
        lambda: HumanMessage("x", additional_kwargs={"when now": [print]}),
        ".additional_kwargs['when now'][0]",
        "built",
    ),
    "extra of a message": (lambda: AIMessage("x", of_mine=print), ".of_mine", "built"),
    "tool": (lambda: add, ".args_schema", "ModelMetaclass"),
    "model of code": (
        lambda: GenericFakeChatModel(messages=iter([AIMessage("x")])),
        ".messages",
        "builtins.list_iterator",
    ),
    "vector store": (
        lambda: InMemoryVectorStore(OpenAIEmbeddings(api_key="k")),
        "",
        "langchain_core.vectorstores.in_memory.InMemoryVectorStore",
    ),
    "function in a chain": (
        lambda: PROMPT | len | StrOutputParser(),
        ".middle[0]",
        "RunnableLambda",
    ),
    "branch": (
        lambda: RunnableBranch((bool, PROMPT), PROMPT),
        ".branches[0][0]",
        "RunnableLambda",
    ),
    "partial of a prompt": (
        lambda: PROMPT.partial(a=closure()),
        ".partial_variables.a",
        FUNCTION,
    ),
    "retry on what a function says": (
        lambda: RunnableRetry(bound=MODEL, retry_exception_types=is_transient),
        ".retry_exception_types",
        "builtins.function",
    ),
    "class of an exception that has no name": (
        lambda: MODEL.with_fallbacks([MODEL], exceptions_to_handle=(local_error(),)),
        ".exceptions_to_handle[0]",
        "builtins.type",
    ),
    "callbacks of a model": (
        lambda: ChatOpenAI(api_key="k", cache=True),
        "",
        "langchain_openai.chat_models.base.ChatOpenAI",
    ),
}


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_where_it_is(name, verify, tmp_path):
    make, step, type_name = REFUSED[name]
    value = make()
    path = tmp_path / "agent.json.gz"
    with pytest.raises(persist.UnserializableStateError) as caught:
        persist.snapshot({"fine": 1, "a": [0, (1, value)]}, path, verify=verify)
    error = caught.value
    expected = "$.a[1][1]" + step
    if name == "in a set":
        assert error.path in (expected + "[0]", expected + "[1]")
    else:
        assert error.path == expected
    assert type_name in error.type_name
    assert error.path in str(error)
    assert error.type_name in str(error)
    assert error.hint
    assert list(tmp_path.iterdir()) == []
    if isinstance(value, socket.socket):
        value.close()


def test_what_was_there_stays_when_the_new_state_is_refused(tmp_path):
    path = tmp_path / "agent.json.gz"
    persist.snapshot({"turns": 1}, path)
    before = path.read_bytes()
    with pytest.raises(persist.UnserializableStateError):
        persist.snapshot({"turns": print}, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("depth", [101, 1000, 100_000])
def test_kinds_inside_one_another_are_refused_beyond_a_depth_and_crash_nothing(depth):
    for wrap in (lambda v: (v,), lambda v: Box.model_construct(held=v), Note):
        value = None
        for _ in range(depth):
            value = wrap(value)
        with pytest.raises(persist.UnserializableStateError, match="nested too deep"):
            persist.dumps(value, verify=False)


LANGCHAIN = [
    add,
    MODEL,
    FakeListChatModel(responses=["x"]),
    GenericFakeChatModel(messages=iter([])),
    RunnableLambda(len),
    PROMPT | MODEL | JsonOutputParser(),
    PROMPT | RunnableParallel(a=len, b=MODEL.bind_tools([add])) | StrOutputParser(),
    MODEL.bind_tools([add]),
    MODEL.with_structured_output({"title": "t", "type": "object", "properties": {}}),
    MODEL.with_retry(),
    MODEL.with_fallbacks([MODEL]),
    OpenAIEmbeddings(api_key="k"),
    AIMessage("x", artifact=[b"x", dt.date(2020, 1, 1), fractions.Fraction(1, 2)]),
    HumanMessage("x", additional_kwargs={"p": pathlib.Path("x"), "s": {1}, "f": float("nan")}),
    HumanMessage("x", additional_kwargs={"f": print}),
]


@pytest.mark.parametrize("value", LANGCHAIN, ids=lambda value: type(value).__name__)
def test_no_marker_of_what_langchain_cannot_write_reaches_a_file(value, tmp_path):
    path = tmp_path / "agent.json.gz"
    try:
        persist.snapshot({"held": [value]}, path)
    except persist.UnserializableStateError:
        assert list(tmp_path.iterdir()) == []
    else:
        text = gzip.decompress(path.read_bytes())
        assert b"not_implemented" not in text
        assert b" at 0x" not in text
