"""What the core builds while it reads is what the decoder in Python builds of the same text."""

import base64
import json
import random
import tracemalloc
from datetime import datetime, timezone

import persist
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from persist import _persist
from persist._api import _described
from persist.codec import decode, difference, encode, plain
from persist.codec._plans import plans

from .strategies import VALUES
from .support import snapshot_of
from .test_hostile import trees

TEXT = st.text(max_size=5)
NAMES = st.none() | TEXT
DATA = st.dictionaries(TEXT, st.none() | st.integers() | st.floats(allow_nan=False) | TEXT)
CALLS = st.lists(st.fixed_dictionaries({"name": TEXT, "args": DATA, "id": NAMES}), max_size=2)
CONTENT = TEXT | st.lists(TEXT | st.fixed_dictionaries({"type": st.just("text"), "text": TEXT}))
USAGE = st.none() | st.just({"input_tokens": 1, "output_tokens": 2, "total_tokens": 3})
DETAILED = st.just(
    {
        "input_tokens": 1,
        "output_tokens": 2,
        "total_tokens": 3,
        "input_token_details": {"cache_read": 1},
    }
)
MESSAGES = (
    st.builds(HumanMessage, CONTENT, name=NAMES, id=NAMES, additional_kwargs=DATA)
    | st.builds(SystemMessage, CONTENT, response_metadata=DATA)
    | st.builds(AIMessage, CONTENT, id=NAMES, tool_calls=CALLS, usage_metadata=USAGE | DETAILED)
    | st.builds(AIMessage, CONTENT, of_mine=TEXT)
    | st.builds(
        ToolMessage,
        CONTENT,
        tool_call_id=TEXT,
        status=st.sampled_from(["success", "error"]),
        artifact=DATA | VALUES,
    )
)


def outcome(read, data):
    """The value, or the class of the error; what is built when it is asked for is asked for."""
    try:
        value = read(data)
        difference(value, value)
    except persist.exceptions.PersistError as error:
        return None, type(error)
    return value, None


def assert_same(data):
    reference, refused = outcome(decode, data)
    built, refused_by_core = outcome(persist.loads, snapshot_of(data.decode()))
    assert refused_by_core is refused
    assert difference(reference, built) is None


@settings(max_examples=300, deadline=None)
@given(st.lists(MESSAGES, max_size=3) | VALUES)
def test_values_and_messages_are_the_same(value):
    assert_same(encode(value).data)


@pytest.mark.parametrize(
    "text",
    [
        '{"$persist": "tuple", "v": {"$persist": "tuple", "v": "$persist"}}',
        '{"$persist": "set", "v": "ab"}',
        '{"$persist": "dict", "v": ["ab"]}',
        '{"$persist": "decimal", "v": {"$persist": "str", "v": "0031"}}',
        '{"$persist": "bytearray", "v": {"$persist": "bytes", "v": "QUFBQQ=="}}',
        '{"$persist": "timedelta", "v": [{"$persist": "int", "v": "1"}]}',
        '{"v": [], "$persist": "tuple"}',
        '{"$persist": "complex", "v": [{"$persist": "float", "v": "7ff0000000000000"}, 1]}',
    ],
)
def test_json_of_another_shape_is_not_taken_for_the_right_one(text):
    assert_same(text.encode())


@settings(max_examples=300, deadline=None)
@given(trees())
def test_a_spoilt_tree_is_the_same_value_or_the_same_error(tree):
    try:
        data = json.dumps(tree, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        data = json.dumps(tree).encode()
    if b"\\ud8" not in data:
        assert_same(data)


@settings(max_examples=100, deadline=None)
@given(value=st.lists(MESSAGES, max_size=3) | VALUES)
def test_plain_data_is_the_same(value, tmp_path_factory):
    data = encode(value).data
    path = tmp_path_factory.getbasetemp() / "plain.json"
    path.write_bytes(snapshot_of(data.decode()))
    assert difference(plain(data), persist.load_state(path)) is None


def test_messages_are_made_with_all_that_pydantic_keeps():
    message = AIMessage("x", id="1", tool_calls=[{"name": "f", "args": {}, "id": "c"}])
    (built,) = persist.loads(persist.dumps([message]))
    for name in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__"):
        assert getattr(built, name) == getattr(decode(encode(message).data), name)
    assert list(built.__dict__) == list(message.__dict__)
    assert built.model_copy() == built


def test_the_installed_langchain_core_has_a_plan_for_each_class():
    assert {plan.cls for plan in plans()} == {AIMessage, HumanMessage, SystemMessage, ToolMessage}


def test_messages_do_not_share_their_defaults():
    one, other = persist.loads(persist.dumps([HumanMessage("a"), HumanMessage("b")]))
    one.additional_kwargs["a"] = 1
    assert other.additional_kwargs == {}


@pytest.mark.parametrize("value", [2**53 + 1, 10**30, -0.0, 1e-320, float("inf"), "é\n😀", b""])
def test_scalars_keep_their_bits(value):
    assert repr(persist.loads(persist.dumps([value]))) == repr([value])


def test_values_inside_tuples_and_beside_shared_ones():
    shared = [datetime(2026, 1, 1, tzinfo=timezone.utc)]
    value = {"a": shared, "b": (shared, {"$persist": "tuple"}), "c": [HumanMessage("x")]}
    built = persist.loads(persist.dumps(value))
    assert difference(value, built) is None
    assert built["a"] is built["b"][0]


def test_long_bytes_take_their_own_memory_and_little_more(tmp_path):
    file = random.Random(1).randbytes(20_000_000)
    path = tmp_path / "bytes.json.zst"
    persist.snapshot({"file": file}, path, verify=False)
    tracemalloc.start()
    built = persist.restore(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert built["file"] == file
    assert peak < 1.5 * len(file)


BASE64 = base64.b64encode(random.Random(2).randbytes(2_000_000)).decode()


@pytest.mark.parametrize(
    "text", [BASE64[:-1], f"{BASE64[:1_500_000]}AA=={BASE64}", f"{BASE64}é", f"{BASE64}\n"]
)
def test_long_bytes_that_are_no_base64_are_an_error(text):
    data = json.dumps([{"$persist": "bytes", "v": text}]).encode()
    file = _persist.encode(data, [], _described({}, {}, None))
    with pytest.raises(persist.exceptions.FormatError):
        persist.loads(file)
