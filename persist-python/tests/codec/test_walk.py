"""What the core writes while it walks is what the codec in Python writes: text, marks, errors."""

import json
import struct
import threading
import warnings
from random import Random

import persist
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
from persist import _persist, codec, testing

from .strategies import VALUES
from .support import Box, Note, Session
from .test_builder import MESSAGES

WISHES = {
    "path": "$",
    "secrets_policy": "error",
    "redact": frozenset(),
    "verify": True,
    "max_pause": None,
}
USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
LONG = st.integers(0, 6000).map(lambda n: "é" * n) | st.integers(0, 6000).map(lambda n: '"' * n)
DOCUMENTS = st.builds(Document, page_content=st.text(max_size=5), metadata=st.just({"n": (1,)}))
PROMPTS = st.sampled_from(
    [
        PromptTemplate.from_template("Hi {name}"),
        ChatPromptTemplate.from_messages([("system", "é" * 5000), ("human", "{x}")]),
    ]
)
PARTS = VALUES | MESSAGES | LONG | DOCUMENTS | PROMPTS | testing.messages()


def around(inner):
    return (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5) | LONG, inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.builds(ToolMessage, st.just("x"), tool_call_id=st.just("1"), artifact=inner)
        | st.builds(Note, inner)
        | st.builds(InMemoryChatMessageHistory, messages=st.lists(MESSAGES, max_size=2))
    )


NESTED = st.recursive(PARTS, around, max_leaves=6)


@st.composite
def sharing(draw):
    """Values in which some stand in several places, or in themselves."""
    pool = draw(st.lists(NESTED, min_size=1, max_size=3))
    empty = draw(st.sampled_from([[], {}]))
    pool += [empty, [pool[0], empty], {"a": pool[0]}]
    pool += [Box(held=pool[-1]), AIMessage("x", additional_kwargs={"a": pool[0]})]
    for made in [HumanMessage("a"), AIMessage("b"), AIMessage("c")]:
        name = "additional_kwargs" if type(empty) is dict else "tool_calls"
        if hasattr(made, name):
            setattr(made, name, empty)
        pool.append(made)
    picked = draw(st.lists(st.sampled_from(pool), max_size=5))
    if draw(st.booleans()):
        picked.append(picked)
    return draw(st.sampled_from([picked, {"a": picked, "b": pool[0]}, {"a": {"b": picked}}]))


def outcome(write, value, **options):
    """The text and its marks, or the error; and what was warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = write(value, **options)
        except persist.PersistError as error:
            found = (type(error), str(error), error.hint, getattr(error, "path", None))
    return found, [(warning.category, str(warning.message)) for warning in caught]


@settings(max_examples=500, deadline=None)
@given(NESTED | sharing())
def test_the_text_and_the_marks_are_the_same(value):
    expected, _ = outcome(codec.encode, value, verify=False)
    written = _persist.walk(value, {**WISHES, "verify": False})
    if written is None:
        assert type(expected) is tuple  # an error
    else:
        assert written[:2] == tuple(expected)


@settings(max_examples=200, deadline=None)
@given(NESTED | sharing())
def test_a_pause_changes_nothing(value):
    state = {"many": list(range(200)), "value": value}
    assert outcome(codec.write, state, max_pause=0.0) == outcome(codec.write, state)


@settings(max_examples=200, deadline=None)
@given(NESTED | sharing(), st.sampled_from([None, True, False]))
def test_the_errors_are_the_same(value, verify):
    expected = outcome(codec.encode, value, verify=verify is not False)
    assert outcome(codec.write, value, verify=verify) == expected


KEYS = ["sk-" + "a1" * 12, "Bearer " + "x" * 30, "task-" + "a" * 30, "https://u:p@host", "://a:b"]
NAMES = [
    "api_key",
    "API-Key",
    "password\n",
    "x_password",
    "tokens",
    "content",
    "text",
    "\u017fecret",
]
NAMES += ["\N{KELVIN SIGN}ey", "api_\N{KELVIN SIGN}ey", "access_token", "\ud800_secret", *KEYS]
SUSPECT = st.recursive(
    st.sampled_from(KEYS) | st.text(max_size=5) | st.just(b"x") | st.none(),
    lambda inner: (
        st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
        | st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(NAMES) | st.integers(), inner, max_size=3)
        | st.builds(Document, page_content=st.sampled_from(KEYS), metadata=st.just({}))
        | st.builds(HumanMessage, st.sampled_from(KEYS), id=st.sampled_from(KEYS))
        | st.builds(Note, inner)
    ),
    max_leaves=5,
)


@settings(max_examples=500, deadline=None)
@given(
    SUSPECT,
    st.sampled_from(["error", "redact", "allow"]),
    st.lists(st.sampled_from(NAMES), max_size=1),
)
def test_credentials_are_found_in_the_same_places(value, policy, redact):
    options = {"secrets_policy": policy, "redact": redact}
    assert outcome(codec.write, value, **options) == outcome(codec.encode, value, **options)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_floats_are_written_as_python_does(seed):
    random = Random(seed)
    bits = (random.getrandbits(64) for _ in range(5000))
    numbers = [struct.unpack("<d", value.to_bytes(8, "little"))[0] for value in bits]
    numbers += [random.uniform(-10, 10) ** random.randint(-30, 30) for _ in range(5000)]
    numbers += [2.0 ** random.randint(-1074, 1023) for _ in range(100)]
    numbers += [float(random.getrandbits(60)), random.getrandbits(20) / 10]
    plain = [number for number in numbers if number - number == 0]
    assert _persist.walk(plain, WISHES)[0].decode() == repr(plain).replace(" ", "")


@pytest.mark.parametrize("text", ["a", "é", "\n", "\ud800", "🙂", "sk-" + "a" * 30])
def test_a_long_text_is_written_in_parts(text):
    value = {"a": ["x" + text * 300_000], "content": text * 300_000}
    assert outcome(codec.write, value) == outcome(codec.encode, value)


def test_a_credential_between_two_parts_is_found():
    value = "x" * (2**18 - 10) + " sk-" + "a" * 30
    with pytest.raises(persist.SecretInStateError):
        codec.write(value)


@pytest.mark.parametrize("depth", [99, 100, 150, 1000, 50_000])
def test_deep_values_are_the_same(depth):
    for wrap in (lambda v: [v], lambda v: {"a": v}, lambda v: (v,)):
        value = 1
        for _ in range(depth):
            value = wrap(value)
        expected = outcome(codec.encode, value, verify=False)
        assert outcome(codec.write, value, verify=False) == expected


def test_what_python_gave_the_shape_of_is_read_again():
    class Forgetful(Session):
        pass

    with pytest.raises(persist.UnserializableStateError):
        codec.write({"a": Forgetful([1])})
    message = HumanMessage("x")
    message.content = 5
    with pytest.raises(persist.UnserializableStateError, match="cannot be rebuilt"):
        codec.write([message])


class Meddler:
    """Changes the state when it is captured."""

    def __init__(self, act):
        self.act = act

    def __persist_capture__(self):
        self.act()
        return 1

    @classmethod
    def __persist_restore__(cls, state):
        return cls(state)


@pytest.mark.parametrize(
    "act",
    [
        lambda state: state.update({"more": 1}),
        lambda state: state["list"].append(1),
        lambda state: state["list"].clear(),
        lambda state: state.update(first=[]),
        lambda state: state["list"].reverse(),
        lambda state: state["note"].__dict__.update(text="b"),
        lambda state: state["said"].__dict__.update(content="b"),
        lambda state: state["said"].__dict__.update(name="b"),
        lambda state: state["said"].__dict__.update(content="i", id="c"),
        lambda state: state["said"].__dict__.update(tool_calls=[]),
        lambda state: state["said"].__dict__.update(usage_metadata=dict(USAGE)),
        lambda state: state["said"].usage_metadata.update(output_tokens=9),
        lambda state: state["said"].__dict__.pop("name"),
        lambda state: object.__setattr__(state["said"], "__pydantic_extra__", {"a": 1}),
    ],
)
def test_a_change_while_the_state_is_walked_is_an_error(act):
    said = AIMessage("c", id="i", usage_metadata=USAGE)
    state = {"first": [1], "list": [1, 2], "note": Note("a"), "said": said}
    done = []

    def once():
        if not done:
            done.append(act(state))

    state["meddler"] = Meddler(once)
    with pytest.raises(persist.ConcurrentMutationError):
        codec.write(state, verify=False)


def test_a_thread_that_changes_the_state_gets_whole_states_or_an_error():
    state = {"pairs": [], "by number": {}, "counts": [0, 0]}
    ends = threading.Event()

    def work():
        number = 0
        while not ends.is_set():
            number += 1
            state["counts"][:] = [number, number]
            state["by number"][number % 5000] = [number]
            if number % 3 == 0:
                state["by number"].pop(number % 4999, None)
            state["pairs"].append({"a": number})
            if number % 2000 == 0:
                state["pairs"].clear()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(200):
            try:
                data = codec.write(state, max_pause=0.0).data
            except persist.ConcurrentMutationError:
                continue
            one, other = codec.decode(data)["counts"]
            assert one == other
    finally:
        ends.set()
        thread.join()


def weight(tree):
    """What a tree weighs, as docs/format/v1.md counts."""
    total, pending = 0, [tree]
    while pending:
        node = pending.pop()
        is_container = type(node) in (dict, list)
        total += 8 if is_container else 1
        if is_container:
            pending += node.values() if type(node) is dict else node
    return total


@settings(max_examples=300, deadline=None)
@given(NESTED | sharing())
def test_the_weight_is_that_of_the_text(value):
    written = _persist.walk(value, {**WISHES, "verify": False})
    if written is not None:
        assert written[3] == weight(json.loads(written[0]))
