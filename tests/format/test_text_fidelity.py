"""What comes back is equal in type and bits, for any text of JSON and some that JSON has not."""

import json
import struct

import persist
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from persist.codec import difference

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


def comes_back(value):
    assert difference(value, persist.loads(persist.dumps(value))) is None


@given(JSON)
@settings(max_examples=300, deadline=None)
def test_any_json_comes_back(value):
    comes_back(value)


@given(st.integers(0, 2**64 - 1))
@settings(max_examples=1000, deadline=None)
def test_every_double_comes_back_to_the_bit(bits):
    comes_back(struct.unpack("<d", bits.to_bytes(8, "little"))[0])


@given(st.lists(st.text(), unique=True))
@settings(deadline=None)
def test_the_order_of_keys_is_kept(keys):
    value = dict.fromkeys(keys, 1)
    assert list(persist.loads(persist.dumps(value))) == keys


@pytest.mark.parametrize(
    "value",
    ["", [], {}, 2**53, -(2**53) - 1, 10**4000, "\0", "\ud800x", {"": {"": ""}}, "x" * 5_000_000],
)
def test_edges_come_back(value):
    comes_back(value)


@pytest.mark.parametrize("depth", [100, 101, 200, 5000])
def test_depth_comes_back(depth):
    value = []
    for level in range(depth):
        value = [value] if level % 2 else {"k": value}
    comes_back(value)


def test_the_text_is_strict_json_with_small_numbers():
    data = persist.dumps(
        {"n": 2**60, "s": "\ud800", "f": float("nan"), "e": "é"}, compression="none"
    )
    text = data.decode()
    assert "NaN" not in text
    assert "\\ud800" not in text
    assert str(2**60) in json.loads(text)["agent_state"]["n"]["v"]
    assert "é" in text
