"""For the tests of adapters, kinds and agents: hypothesis strategies, and checks that use them.

    from hypothesis import given
    from persist import testing

    @given(testing.values())
    def test_my_state_comes_back(value):
        testing.check_round_trip(MyState(value))

Needs `hypothesis`; `arrays` needs `numpy`, and `messages` needs `langchain-core`.
"""

from __future__ import annotations

import datetime as dt
import math
import pathlib
import struct
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID, SafeUUID

from hypothesis import strategies as st

from persist._api import dumps, loads
from persist.codec import difference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hypothesis.strategies import SearchStrategy

__all__ = ["arrays", "check_adapter", "check_round_trip", "keys", "messages", "scalars", "values"]

Agent = TypeVar("Agent")

_TEXT = st.text(st.characters(exclude_categories=()), max_size=8)  # NUL and lone surrogates too
_DOUBLES = st.integers(0, 2**64 - 1).map(
    lambda bits: struct.unpack("<d", bits.to_bytes(8, "little"))[0]
)
_FLOATS = st.floats() | _DOUBLES | st.sampled_from([-0.0, math.inf, -math.inf, 5e-324])
_INTEGERS = st.integers() | st.integers(-(2**300), 2**300) | st.sampled_from([2**53, -(2**53) - 1])
_OFFSETS = st.timedeltas(dt.timedelta(hours=-23), dt.timedelta(hours=23))
_NAMES = st.text(st.characters(exclude_categories=()), min_size=1, max_size=4)
_ZONES = (
    st.none() | st.timezones() | st.just(dt.timezone.utc) | st.builds(dt.timezone, _OFFSETS, _NAMES)
)
_FOLDS = st.sampled_from([0, 1])
_CLOCKS = (
    st.builds(lambda d, z, f: d.replace(tzinfo=z, fold=f), st.datetimes(), _ZONES, _FOLDS)
    | st.builds(lambda t, z, f: t.replace(tzinfo=z, fold=f), st.times(), _ZONES, _FOLDS)
    | st.dates()
    | st.timedeltas()
    | _ZONES
)
_PATHS = st.text("ab./\\\udcff é", max_size=9)
_SCALARS = (
    st.none()
    | st.booleans()
    | _INTEGERS
    | _FLOATS
    | _TEXT
    | st.binary(max_size=9)
    | st.builds(complex, _FLOATS, _FLOATS)
    | st.decimals(allow_nan=False)
    | st.sampled_from([Decimal("NaN7"), Decimal("-0E+5"), Decimal("1E-999999")])
    | st.fractions()
    | st.builds(
        lambda u, safe: UUID(int=u.int, is_safe=safe), st.uuids(), st.sampled_from(SafeUUID)
    )
    | _CLOCKS
    | st.builds(range, st.integers(), st.integers(), st.integers(1))
    | _PATHS.map(pathlib.Path)
    | _PATHS.map(pathlib.PurePosixPath)
    # Some of Windows' paths are not what they show.
    | _PATHS.map(pathlib.PureWindowsPath).filter(lambda p: pathlib.PureWindowsPath(str(p)) == p)
)


@st.composite
def _scalars(draw: Callable[[SearchStrategy[Any]], Any]) -> Any:
    """A function, so that what hypothesis prints stays short."""
    return draw(_SCALARS)


def scalars() -> SearchStrategy[Any]:
    """Return a strategy for values that hold no others, of every built-in type that comes back."""
    return _scalars()


def keys(more: SearchStrategy[Any] | None = None) -> SearchStrategy[Any]:
    """Return a strategy for what can be a key: scalars, and tuples and sets of those.

    Args:
        more: Hashable values of your own.
    """
    return st.recursive(
        scalars() if more is None else scalars() | more,
        lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
        max_leaves=4,
    )


def values(
    more: Callable[[SearchStrategy[Any]], SearchStrategy[Any]] | None = None,
    *,
    max_leaves: int = 12,
) -> SearchStrategy[Any]:
    """Return a strategy for values of every built-in type that comes back, in one another.

    Args:
        more: Makes a strategy for values of your own, of one for what they hold.
        max_leaves: About how many scalars a value holds.
    """

    def containers(inner: SearchStrategy[Any]) -> SearchStrategy[Any]:
        own = [more(inner)] if more is not None else []
        return st.one_of(*_containers(inner), *own)

    return st.recursive(scalars() | st.just(Decimal("sNaN7")), containers, max_leaves=max_leaves)


def _containers(inner: SearchStrategy[Any]) -> list[SearchStrategy[Any]]:
    pairs = st.dictionaries(keys(), inner, max_size=3)
    factories = st.sampled_from([None, int, list, dict, set, str, float])
    lengths = st.sampled_from([None, 0, 3, 2**60])
    return [
        st.lists(inner, max_size=4),
        st.dictionaries(_TEXT, inner, max_size=4),
        pairs,
        st.lists(inner, max_size=4).map(tuple),
        st.sets(keys(), max_size=4),
        st.frozensets(keys(), max_size=4),
        pairs.map(OrderedDict),
        pairs.map(lambda made: Counter(dict.fromkeys(made, 3))),
        st.builds(defaultdict, factories, pairs),
        st.builds(deque, st.lists(inner, max_size=4), lengths),
        st.binary(max_size=9).map(bytearray),
        st.builds(slice, inner, inner, inner),
    ]


def arrays() -> SearchStrategy[Any]:
    """Return a strategy for numpy arrays of any dtype, shape, byte order and bits."""
    import numpy as np
    from hypothesis.extra import numpy as hnp

    dtypes = (
        hnp.scalar_dtypes()
        | st.sampled_from(["U0", "S0", "U3", "S3", "V4", "f2", "g", "G", "?"]).map(np.dtype)
        | st.sampled_from(["M8[ns]", "m8[25s]"]).map(np.dtype)
        | hnp.array_dtypes(max_size=3, allow_subarrays=True).filter(_has_no_titles)
        | st.just(np.dtype([("a", "i1"), ("b", "f8")], align=True))
        | st.just(np.dtype([("a", ">i4", (2, 2)), ("b", [("c", "U2")])]))
    )
    shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
    views = [lambda a: a, lambda a: a.T, lambda a: a[..., ::2] if a.ndim else a, np.asfortranarray]

    @st.composite
    def made(draw: Callable[[SearchStrategy[Any]], Any]) -> Any:
        dtype, shape = draw(dtypes), draw(shapes)
        count = math.prod(shape) * dtype.itemsize
        array = np.zeros(shape, dtype)
        if count and dtype.kind not in "US" and not dtype.names:
            raw = draw(st.binary(min_size=count, max_size=count))
            array = np.frombuffer(raw, dtype).reshape(shape).copy()
        return draw(st.sampled_from(views))(array)

    return made()


def _has_no_titles(dtype: Any) -> bool:
    return all(len(field) == 2 for field in dtype.fields.values())  # noqa: PLR2004 - a title is third


def messages() -> SearchStrategy[Any]:
    """Return a strategy for lists of LangChain messages, with all that they may carry."""
    from langchain_core import messages as lc

    data = st.dictionaries(st.text(max_size=5), values(max_leaves=4), max_size=2)
    named = {"id": st.none() | st.text(max_size=5), "additional_kwargs": data}
    answers = {**named, "response_metadata": data}
    texts = st.text(max_size=20)
    blocks = st.lists(texts.map(lambda text: {"type": "text", "text": text}), max_size=3)
    call = st.fixed_dictionaries(
        {"name": st.text(min_size=1, max_size=5), "args": data, "id": st.text(max_size=5)}
    )
    calls = st.lists(call, max_size=2)
    return st.lists(
        st.builds(lc.HumanMessage, texts | blocks, **named)
        | st.builds(lc.SystemMessage, texts, **named)
        | st.builds(lc.AIMessage, texts | blocks, tool_calls=calls, **answers)
        | st.builds(
            lc.ToolMessage, texts, tool_call_id=st.text(max_size=5), artifact=values(max_leaves=4)
        ),
        max_size=6,
    )


def check_round_trip(value: Any, **options: Any) -> None:
    """Fail unless a value comes back equal in type, bits, order and sharing.

    Args:
        value: The value.
        **options: What `persist.loads` takes.

    Raises:
        AssertionError: It came back as another; the message says where.

    Example:
        >>> from persist import testing
        >>> testing.check_round_trip({"a": (1, b"")})
    """
    place = difference(value, loads(dumps(value), **options))
    if place is not None:
        message = f"${place} did not come back as it was"
        raise AssertionError(message)


def check_adapter(
    build: Callable[[], Agent],
    acts: Sequence[Callable[[Agent], object]],
    look: Callable[[Agent], object],
    **options: Any,
) -> None:
    """Fail unless an agent goes on after a restore as if it had never been interrupted.

    After each number of acts, the agent is snapshotted and restored into a new one, which does the
    rest; what it did and what it holds must be the same as without the break.

    Args:
        build: Makes a new agent.
        acts: What the agent does, one after the other; they must not change what they hold.
        look: Shows what the agent holds, as something that can be compared.
        **options: What `persist.dumps` takes, as `thread_id`.

    Raises:
        AssertionError: It went on otherwise; the message says after how many acts.

    Example:
        >>> from persist import testing
        >>> testing.check_adapter(lambda: [], [], len)
    """
    whole = build()
    expected = [act(whole) for act in acts]
    for done in range(1, len(acts) + 1):
        agent = build()
        answers = [act(agent) for act in acts[:done]]
        agent = loads(dumps(agent, **options), into=build())
        answers += [act(agent) for act in acts[done:]]
        place = difference([expected, look(whole)], [answers, look(agent)])
        if place is not None:
            message = f"after {done} acts and a restore, {place} differs from an unbroken run"
            raise AssertionError(message)
