"""What the tests of the codec share: a comparison without mercy, and classes of users."""

import dataclasses
import datetime as dt
import enum
import fractions
import functools
import hashlib
import json
import struct
import typing
import uuid
from collections import deque, namedtuple
from decimal import Decimal
from pathlib import PurePath
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

import numpy as np
import persist
import pydantic
from langchain_core.load.serializable import Serializable

# comparison


def same(one, other):
    """Fail unless two values are equal in type, bits, order and sharing; says where they are not.

    Identity counts for what can change: one object on one side is one object on the other.
    """
    met = set()
    twins, others = {}, {}
    pending = [("$", one, other)]
    while pending:
        path, a, b = pending.pop()
        assert type(a) is type(b), f"{path}: {type(a)} became {type(b)}"
        if isinstance(a, enum.Enum):
            assert a is b, f"{path}: {a!r} became {b!r}"
            continue
        if not isinstance(a, _WITHOUT_IDENTITY):
            is_twin = twins.setdefault(id(a), b) is b and others.setdefault(id(b), a) is a
            assert is_twin, f"{path}: sharing differs"
        if (id(a), id(b)) in met:
            continue
        met.add((id(a), id(b)))
        (atom, inner), (other_atom, other_inner) = _anatomy(a), _anatomy(b)
        assert atom == other_atom, f"{path}: {atom!r} became {other_atom!r}"
        assert len(inner) == len(other_inner), f"{path}: {inner!r} became {other_inner!r}"
        pairs = zip(inner, other_inner, strict=True)
        pending += [(path + step, x, y) for (step, x), (_, y) in pairs]


_WITHOUT_IDENTITY = (
    type(None),
    *(bool, int, float, complex, str, bytes, tuple, frozenset, range, np.generic),
    *(dt.date, dt.time, dt.timedelta, dt.tzinfo, Decimal, fractions.Fraction, uuid.UUID, PurePath),
)


def _anatomy(value):
    """What of a value can be compared at once, and the values inside it."""
    for cls, look in _LOOKS:
        if isinstance(value, cls):
            return look(value)
    assert dataclasses.is_dataclass(value), f"{type(value)} is not known here"
    return _state(value)


def _state(value):
    names = [field.name for field in dataclasses.fields(value) if hasattr(value, field.name)]
    inner = [(f".{name}", getattr(value, name)) for name in names]
    return (names, sorted(set(vars_of(value)) - set(names))), inner


def _bits(number):
    return struct.pack(">d", number)


def _mapping(value):
    pairs = [(f"[{key!r}]", item) for name, held in value.items() for key, item in ((name, held),)]
    keys = [("[key]", key) for key in value]
    return (getattr(value, "default_factory", None), vars_of(value)), keys + pairs


def vars_of(value):
    return getattr(value, "__dict__", {})


def _sequence(value):
    return getattr(value, "maxlen", None), [(f"[{i}]", item) for i, item in enumerate(value)]


def _set(value):
    return len(value), [("{}", item) for item in sorted(value, key=_rank)]


def _rank(value):
    """Sorts what may be in a set, the same way for equal sets."""
    if isinstance(value, frozenset):
        return f"frozenset {sorted(map(_rank, value))}"
    if isinstance(value, tuple):
        return f"{type(value).__qualname__} {[_rank(item) for item in value]}"
    if isinstance(value, Frozen):
        return f"Frozen {_rank((value.a, value.b))}"
    numbers = {float: lambda v: [v], complex: lambda v: [v.real, v.imag]}.get(type(value))
    bits = [_bits(number).hex() for number in numbers(value)] if numbers else ""
    return f"{type(value).__qualname__} {value!r} {bits}"


def _clock(value):
    return (value.replace(tzinfo=None).isoformat(), value.fold), [(".tzinfo", value.tzinfo)]


def _array(value):
    if value.dtype.names:
        inner = [(f".{name}", np.asarray(value[name])) for name in value.dtype.names]
        return (repr(value.dtype), np.shape(value), value.dtype.isalignedstruct), inner
    return (value.dtype.str, np.shape(value), value.tobytes()), []


def _model(value):
    fields_set = None if isinstance(value, Serializable) else value.__pydantic_fields_set__
    made_anew = {name for name, field in type(value).model_fields.items() if field.exclude}
    fields = {
        name: value.__dict__.get(name)
        for name in type(value).model_fields
        if fields_set is not None or name not in made_anew
    }
    parts = (fields, value.__pydantic_extra__ or {}, value.__pydantic_private__ or {})
    inner = [(f".{name}", item) for part in parts for name, item in part.items()]
    return (fields_set, [sorted(part) for part in parts]), inner


_LOOKS = (
    (float, lambda v: (_bits(v), []) if type(v) is float else _array(v)),
    ((np.ndarray, np.generic), _array),
    (complex, lambda v: ((_bits(v.real), _bits(v.imag)), [])),
    ((type(None), bool, int, str, bytes, bytearray, type), lambda v: (v, [])),
    (dict, _mapping),
    ((list, tuple, deque), _sequence),
    ((set, frozenset), _set),
    ((dt.datetime, dt.time), _clock),
    (dt.timezone, lambda v: ((v.utcoffset(None), v.tzname(None)), [])),
    (ZoneInfo, lambda v: (v.key, [])),
    ((uuid.UUID,), lambda v: ((v.int, v.is_safe), [])),
    ((dt.date, dt.timedelta, PurePath), lambda v: (v, [])),
    ((range, slice), lambda v: (None, [(s, getattr(v, s)) for s in ("start", "stop", "step")])),
    (Decimal, lambda v: (v.as_tuple(), [])),
    (fractions.Fraction, lambda v: ((v.numerator, v.denominator), [])),
    ((pydantic.SecretStr, pydantic.SecretBytes), lambda v: (v.get_secret_value(), [])),
    (pydantic.BaseModel, _model),
)


def back(value, **options):
    """What a value is after its trip through the text."""
    return persist.loads(persist.dumps(value), **options)


def text_of(value, **options):
    """The whole snapshot of a value as it stands in the file."""
    return persist.dumps(value, compression="none", **options)


# classes as users write them


@persist.register
class Colour(enum.Enum):
    RED = "red"
    GREEN = (0, 255, 0)
    ALSO_RED = "red"  # noqa: PIE796 - an alias


@persist.register
class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@persist.register
class Word(str, enum.Enum):
    YES = "yes"
    NO = "no"


@persist.register
class Rights(enum.Flag):
    READ = 1
    WRITE = 2
    FAR = 1 << 62


Point = persist.register(namedtuple("Point", "x y"))  # noqa: PYI024 - the old way
Point.__module__ = __name__


@persist.register
class Turn(typing.NamedTuple):
    who: Any
    said: Any = None


@persist.register
@dataclasses.dataclass
class Note:
    text: Any = None
    made: Any = dataclasses.field(init=False, default=None)
    # Belongs to the class: an object must not get one of its own.
    registry: ClassVar[dict] = {"shared": "by all"}

    @functools.cached_property
    def length(self):
        return len(str(self.text))


@persist.register
@dataclasses.dataclass(frozen=True)
class Frozen:
    a: Any
    b: Any = ()


@persist.register
@dataclasses.dataclass(slots=True)
class Slotted:
    a: Any = None
    b: Any = dataclasses.field(default_factory=list)


@persist.register
class Inner(pydantic.BaseModel):
    n: int = 0


@persist.register
class Deeper(Inner):
    more: Any = None


@persist.register
class Settings(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow", populate_by_name=True)

    model_name: Annotated[str, pydantic.Field(alias="modelName")] = "m"
    inner: Inner = Inner()
    anything: Any = None
    _turns: list = pydantic.PrivateAttr(default_factory=list)


@persist.register
class Box(pydantic.BaseModel):
    """A model of the plainest sort, that may hold itself."""

    held: Any = None


@persist.register
class Session:
    """Says itself what to keep; the connection is made anew."""

    def __init__(self, turns):
        self.turns = turns
        self.connection = object()

    def __persist_capture__(self):
        return {"turns": self.turns}

    @classmethod
    def __persist_restore__(cls, state):
        return cls(state["turns"])


# snapshots of strangers


def snapshot_of(text, **metadata):
    """A snapshot whose state is this text, with every hash right: whoever can write can do that."""
    state = text.encode()
    described = {
        "agent_id": "a",
        "session_id": "s",
        "snapshot_index": 0,
        "timestamp": "2026-01-01T00:00:00Z",
        "content_hash": hashlib.sha256(state).hexdigest(),
        "format_version": 1,
        "snapshot_id": "01900000-0000-7000-8000-000000000000",
        "description": None,
        "uncompressed_size": len(state),
        "compressed_size": None,
        "compression_algorithm": "none",
        "state_format": 1,
        "metadata_hash": "0" * 64,
        **metadata,
    }
    head = json.dumps(described)
    head = head.replace("0" * 64, hashlib.sha256(head.encode()).hexdigest())
    return b'{"metadata":' + head.encode() + b',"agent_state":' + state + b"}"
