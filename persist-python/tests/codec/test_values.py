"""Every kind of value comes back equal in type, bits, order and sharing."""

import datetime as dt
import math
import sys
from collections import OrderedDict, defaultdict, deque
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

from .strategies import VALUES, arrays
from .support import (
    Box,
    Colour,
    Deeper,
    Inner,
    Level,
    Note,
    Point,
    Session,
    Settings,
    Slotted,
    back,
    same,
)


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


@given(arrays())
@settings(max_examples=300, deadline=None)
def test_any_array_comes_back(array):
    same(array, back(array))


@given(arrays().filter(lambda array: array.size).map(lambda array: array.flat[0]))
@settings(max_examples=150, deadline=None)
def test_any_scalar_of_numpy_comes_back(scalar):
    same(scalar, back(scalar))


@given(hnp.arrays(st.sampled_from(["U3", "S3"]), hnp.array_shapes(min_dims=0, min_side=0)))
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


def test_powers_of_two_can_be_keys():
    value = {2**n: n for n in range(0, 14_000, 11)}
    same(value, back(value))
    same(set(value), back(set(value)))


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


def test_keys_that_differ_are_shown_as_keys_that_differ():
    value = {frozenset(): 1, (): 2, frozenset([1]): 3, (1,): 4}
    assert plain(encode(value).data) == value


def test_a_graph_can_be_looked_at():
    note = Note()
    note.text = [note, Box(held=note)]
    seen = plain(encode({Colour.RED: note, frozenset([Level.LOW]): 1}).data)
    shown = next(value for value in seen.values() if value != 1)
    assert shown["fields"]["text"][0] is shown
    assert shown["fields"]["text"][1]["fields"]["held"] is shown
