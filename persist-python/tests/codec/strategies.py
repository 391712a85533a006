"""Values of every kind that the codec knows, for hypothesis."""

import datetime as dt
import math
import pathlib
import string
import struct
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from .support import (
    Colour,
    Deeper,
    Frozen,
    Inner,
    Level,
    Note,
    Point,
    Rights,
    Settings,
    Slotted,
    Turn,
    Word,
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
