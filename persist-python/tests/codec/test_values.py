"""Every kind of value comes back equal in type, bits, order and sharing."""

import datetime as dt
import math
import pathlib
import string
import struct
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import persist
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from persist.codec import encode, plain
from pydantic import BaseModel

from .support import (
    Box,
    Colour,
    Deeper,
    Frozen,
    Inner,
    Level,
    Note,
    Point,
    Rights,
    Session,
    Settings,
    Slotted,
    Turn,
    Word,
    back,
    same,
)

TEXT = st.text(st.characters(exclude_categories=()), max_size=8)  # with NUL and lone surrogates
DOUBLES = st.integers(0, 2**64 - 1).map(
    lambda bits: struct.unpack("<d", bits.to_bytes(8, "little"))[0]
)
FLOATS = st.floats() | DOUBLES | st.sampled_from([-0.0, math.inf, -math.inf, 5e-324])
INTEGERS = st.integers() | st.integers(-(2**300), 2**300) | st.sampled_from([2**53, -(2**53) - 1])
ZONES = (
    st.none()
    | st.timezones()
    | st.just(dt.timezone.utc)
    | st.builds(
        dt.timezone,
        st.timedeltas(dt.timedelta(hours=-23), dt.timedelta(hours=23)),
        st.text(st.characters(exclude_categories=()), min_size=1, max_size=4),
    )
)
FOLDS = st.sampled_from([0, 1])
PATHS = st.text("ab./\\\udcff é", max_size=9)
CLOCKS = (
    st.builds(lambda d, z, f: d.replace(tzinfo=z, fold=f), st.datetimes(), ZONES, FOLDS)
    | st.builds(lambda t, z, f: t.replace(tzinfo=z, fold=f), st.times(), ZONES, FOLDS)
    | st.dates()
    | st.timedeltas()
    | ZONES
)
KINDS_OF_SCALARS = (
    st.none()
    | st.booleans()
    | INTEGERS
    | FLOATS
    | TEXT
    | st.binary(max_size=9)
    | st.builds(complex, FLOATS, FLOATS)
    | st.decimals(allow_nan=False)
    | st.sampled_from([Decimal("NaN7"), Decimal("-0E+5"), Decimal("1E-999999")])
    | st.fractions()
    | st.uuids()
    | CLOCKS
    | st.builds(range, st.integers(), st.integers(), st.integers(1))
    | PATHS.map(pathlib.Path)
    | PATHS.map(pathlib.PurePosixPath)
    # Some of Windows' paths are not what they show.
    | PATHS.map(pathlib.PureWindowsPath).filter(lambda p: pathlib.PureWindowsPath(str(p)) == p)
    | st.sampled_from([*Colour, *Level, *Word, *Rights, Rights(0), ~Rights.READ])
    | st.builds(lambda a, b: a | b, *[st.sampled_from([*Rights])] * 2)
)


@st.composite
def scalars(draw):
    """A function, so that what hypothesis prints stays short."""
    return draw(KINDS_OF_SCALARS)


@st.composite
def keys(draw):
    return draw(KINDS_OF_KEYS)


KEYS = keys()
KINDS_OF_KEYS = st.recursive(
    scalars(),
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.frozensets(inner, max_size=3)
        | st.builds(Point, inner, inner)
        | st.builds(Frozen, inner, inner)
    ),
    max_leaves=4,
)
BARE_NAMES = st.text(string.ascii_letters, min_size=1, max_size=5).map("x_{}".format)


def containers(inner):
    pairs = st.dictionaries(KEYS, inner, max_size=3)
    return st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(TEXT, inner, max_size=4),
        pairs,
        st.lists(inner, max_size=4).map(tuple),
        st.sets(KEYS, max_size=4),
        st.frozensets(KEYS, max_size=4),
        pairs.map(OrderedDict),
        pairs.map(lambda made: Counter(dict.fromkeys(made, 3))),
        st.builds(defaultdict, st.sampled_from([None, int, list, dict, set, str, float]), pairs),
        st.builds(deque, st.lists(inner, max_size=4), st.sampled_from([None, 0, 3, 2**60])),
        st.binary(max_size=9).map(bytearray),
        st.builds(slice, inner, inner, inner),
        st.builds(Point, inner, inner),
        st.builds(Turn, inner, inner),
        st.builds(Note, inner),
        st.builds(Frozen, inner, inner),
        st.builds(Slotted, inner, st.lists(inner, max_size=2)),
        st.builds(Deeper, n=st.integers(), more=inner),
        models(inner),
    )


@st.composite
def models(draw, inner):
    """Alias, a subclass in a typed field, extra fields, a private attribute."""
    model = draw(
        st.builds(
            lambda extra, **fields: Settings(**fields, **extra),
            extra=st.dictionaries(BARE_NAMES, inner, max_size=2),
            modelName=st.text(max_size=3),
            inner=st.builds(Deeper, n=st.integers(), more=inner) | st.builds(Inner),
        )
    )
    model.anything = draw(inner)
    model._turns.append(draw(inner))
    return model


VALUES = st.recursive(scalars() | st.just(Decimal("sNaN7")), containers, max_leaves=12)


@given(VALUES)
@settings(max_examples=400, deadline=None)
def test_any_value_comes_back(value):
    same(value, back(value))


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_any_graph_comes_back_with_its_sharing_and_cycles(data):
    kinds = st.sampled_from([list, dict, OrderedDict, deque, Note, Slotted, Box])
    nodes = [kind() for kind in data.draw(st.lists(kinds, min_size=1, max_size=6))]
    for node in nodes:
        for held in data.draw(st.lists(st.sampled_from(nodes), max_size=4)):
            item = data.draw(st.sampled_from([held, (held, 1), {"k": held}, Point(held, held)]))
            hold(node, item)
    same(nodes, back(nodes))


def hold(node, item):
    if isinstance(node, (list, deque)):
        node.append(item)
    elif isinstance(node, dict):
        node[len(node)] = item
    else:
        setattr(node, {Note: "text", Slotted: "a", Box: "held"}[type(node)], item)


def has_no_titles(dtype):
    return all(len(field) == 2 for field in dtype.fields.values())


DTYPES = (
    hnp.scalar_dtypes()
    | st.sampled_from(["U0", "S0", "U3", "S3", "V4", "f2", "g", "G", "M8[ns]", "m8[25s]", "?"]).map(
        np.dtype
    )
    | hnp.array_dtypes(max_size=3, allow_subarrays=True).filter(has_no_titles)
    | st.just(np.dtype([("a", "i1"), ("b", "f8")], align=True))
    | st.just(np.dtype([("a", ">i4", (2, 2)), ("b", [("c", "U2")])]))
)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)


def contents(draw, dtype, shape):
    count = math.prod(shape) * dtype.itemsize
    raw = draw(st.binary(min_size=count, max_size=count))
    array = np.zeros(shape, dtype)
    if dtype.kind in "US" or dtype.names:
        return array
    return np.frombuffer(raw, dtype).reshape(shape).copy() if count else array


@st.composite
def arrays(draw):
    """Of any dtype and shape, any byte order, any bits, and seldom contiguous."""
    array = contents(draw, draw(DTYPES), draw(SHAPES))
    views = [lambda a: a, lambda a: a.T, lambda a: a[..., ::2] if a.ndim else a, np.asfortranarray]
    return draw(st.sampled_from(views))(array)


@given(arrays())
@settings(max_examples=300, deadline=None)
def test_any_array_comes_back(array):
    same(array, back(array))


@given(arrays().filter(lambda array: array.size).map(lambda array: array.flat[0]))
@settings(max_examples=150, deadline=None)
def test_any_scalar_of_numpy_comes_back(scalar):
    same(scalar, back(scalar))


@given(hnp.arrays(st.sampled_from(["U3", "S3"]), SHAPES))
@settings(max_examples=50, deadline=None)
def test_arrays_of_text_come_back(array):
    same(array, back(array))


# what properties above do not reach


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        (math.nan, -math.nan),
        (0j, -0j),
        ([1], (1,)),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({1: 0}, {True: 0}),
        ({1}, {1.0}),
        ([[], []], [[]] * 2),
        (defaultdict(int), defaultdict(float)),
        (deque(maxlen=1), deque(maxlen=2)),
        (OrderedDict(a=1), {"a": 1}),
        (range(0, 3, 2), range(0, 4, 2)),
        (Decimal("1.0"), Decimal("1.00")),
        (dt.time(1), dt.time(1, fold=1)),
        (dt.timezone.utc, dt.timezone(dt.timedelta(0), "Z")),
        (np.array([1], "<i4"), np.array([1], ">i4")),
        (np.zeros(2), np.zeros((1, 2))),
        (np.float64(1), 1.0),
        (Settings(), Settings(model_name="m")),
        (Settings(inner=Inner()), Settings(inner=Deeper())),
        (Note(1), Note(2)),
        (Level.LOW, 1),
    ],
)
def test_the_comparison_has_no_mercy(one, other):
    same(one, one)
    with pytest.raises(AssertionError):
        same(one, other)


WRAPPERS = [
    lambda v: [v],
    lambda v: {"k": v},
    lambda v: {1: v},
    lambda v: (v,),
    lambda v: deque([v]),
    Note,
    lambda v: Box(held=v),
]


@given(
    st.lists(st.sampled_from(WRAPPERS[:3]), max_size=120),
    st.lists(st.sampled_from(WRAPPERS), max_size=25),
    st.lists(st.sampled_from(WRAPPERS[:3]), max_size=120),
    st.randoms(use_true_random=False),
)
@settings(max_examples=100, deadline=None)
def test_what_is_shared_comes_back_at_any_depth(outer, middle, inner, random):
    levels = [[]]
    for wrap in [*inner, *middle, *outer]:
        levels.append(wrap(levels[-1]))
    value = [random.choice(levels), levels[-1], random.choice(levels), levels[0]]
    same(value, back(value))


def test_a_field_of_the_class_stays_one():
    restored = back(Note("hello"))
    Note.registry["new"] = 1
    assert restored.registry is Note.registry


def test_a_cached_property_does_not_stand_in_the_way():
    note = Note("hello")
    assert note.length == 5
    assert back(note).length == 5


def test_a_class_that_says_itself_what_to_keep_makes_the_rest_anew():
    session = Session(["hello"])
    assert back([session, session])[1].turns == ["hello"]


def test_fields_that_the_class_got_later_have_their_defaults(monkeypatch):
    data = persist.dumps([Early(1), EarlyModel(n=1)])
    module = sys.modules[__name__]
    monkeypatch.setattr(module, "Early", Late)
    monkeypatch.setattr(module, "EarlyModel", LateModel)
    late, model = persist.loads(data, allow={f"{__name__}.*": True})
    assert (late.n, late.tags, late.kind) == (1, [], "new")
    assert (model.n, model.tags) == (1, [])


@dataclass(slots=True)
class Early:
    n: int


@dataclass(slots=True)
class Late:
    n: int
    tags: list = field(default_factory=list)
    kind: str = "new"


class EarlyModel(BaseModel):
    n: int


class LateModel(BaseModel):
    n: int
    tags: list = []


@given(VALUES)
@settings(max_examples=150, deadline=None)
def test_any_value_can_be_looked_at_without_building_a_class(value):
    pending = [plain(encode(value).data)]
    while pending:
        seen = pending.pop()
        assert type(seen).__module__ != Note.__module__
        if isinstance(seen, dict):
            pending += [*seen, *seen.values()]
        elif isinstance(seen, (list, tuple, set, frozenset, deque)):
            pending += seen


def test_a_graph_can_be_looked_at():
    note = Note()
    note.text = [note, Box(held=note)]
    seen = plain(encode({Colour.RED: note, frozenset([Level.LOW]): 1}).data)
    shown = next(value for value in seen.values() if value != 1)
    assert shown["fields"]["text"][0] is shown
    assert shown["fields"]["text"][1]["fields"]["held"] is shown
