"""Text of a stranger gives a value or an error of ours; it imports, runs and fills nothing."""

import contextlib
import json
import subprocess
import sys
import tracemalloc

import persist
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_openai import ChatOpenAI
from persist.codec import decode, decode_original, encode, plain
from persist.codec._registry import _by_attribute, _kinds

from . import support
from .strategies import VALUES, arrays
from .support import snapshot_of

MESSAGES = [
    AIMessage("x", tool_calls=[{"name": "f", "args": {"a": (1,)}, "id": "1"}], of_mine=b"x"),
    ToolMessage([{"type": "text", "text": "x"}], tool_call_id="1", artifact={1: 2}),
    Document("x", metadata={"a": {1}}),
    ChatPromptTemplate.from_messages([("human", "{a}"), MessagesPlaceholder("b")]),
    ChatOpenAI(model="gpt-4o-mini", api_key="k", temperature=0.5),
]
KINDS = sorted(
    {kind.name for kind in [*_kinds, *_by_attribute.values()]}
    | {"dict", "shared", "ref", "parts", "part", "int", "float", "str", "secret", "lc"}
)
CLASSES = [
    f"{support.__name__}:{name}"
    for name in ("Colour", "Rights", "Point", "Note", "Slotted", "Settings", "Box", "Session")
]
JUNK = st.recursive(
    st.sampled_from([None, True, 0, -1, 2**53, 10**400, 0.5, "", "x", "jinja2", "\ud800"])
    | st.sampled_from(["$persist", "lc", *KINDS, *CLASSES]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "lc", "v", "id", "class", "fields"]), inner)
        | st.builds(lambda kind, v: {"$persist": kind, "v": v}, st.sampled_from(KINDS), inner)
    ),
    max_leaves=4,
)


@st.composite
def trees(draw):
    """What the codec writes, with up to four places spoilt."""
    value = draw(VALUES | arrays() | st.sampled_from(MESSAGES))
    tree = [json.loads(encode(value).data)]
    for _ in range(draw(st.integers(1, 4))):
        spoil(tree, draw)
    return tree[0]


def spoil(tree, draw):
    places = list(places_in(tree))
    holder, key = places[draw(st.integers(0, len(places) - 1))]
    action = draw(st.sampled_from(["replace", "delete", "wrap", "move", "twice", "retag"]))
    if action == "delete" and holder is not tree:
        del holder[key]
    elif action == "wrap":
        holder[key] = draw(st.sampled_from([[holder[key]], {"v": holder[key]}]))
    elif action == "move":
        source, other = places[draw(st.integers(0, len(places) - 1))]
        holder[key] = json.loads(json.dumps(source[other]))
    elif action == "twice" and isinstance(holder, list) and holder is not tree:
        holder.append(holder[key])
    elif action == "retag" and isinstance(holder[key], dict) and "$persist" in holder[key]:
        holder[key]["$persist"] = draw(st.sampled_from(KINDS))
    else:
        holder[key] = draw(JUNK)


def places_in(tree):
    pending = [tree]
    while pending:
        holder = pending.pop()
        for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
            yield holder, key
            if isinstance(holder[key], (dict, list)):
                pending.append(holder[key])


def read_all(text, *, reads):
    """Any error but ours fails the test."""
    for read in reads:
        with contextlib.suppress(persist.PersistError):
            read(text)


@given(trees())
@settings(max_examples=500, deadline=None)
def test_a_spoilt_tree_is_a_value_or_an_error_of_ours(tree):
    text = json.dumps(tree)
    read_all(text.encode(), reads=[decode, plain])
    read_all(snapshot_of(text), reads=[lambda data: persist.loads(data, trusted=True)])


@given(st.sampled_from(KINDS), JUNK)
@settings(max_examples=600, deadline=None)
def test_any_kind_with_any_shape_is_a_value_or_an_error_of_ours(kind, shape):
    text = json.dumps({"$persist": kind, "v": shape}).encode()
    read_all(text, reads=[decode, plain])


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_spoilt_tree_of_langchain_is_a_value_or_an_error_of_ours(data):
    tree = [json.loads(json.dumps([dumpd(message) for message in MESSAGES]))]
    for _ in range(data.draw(st.integers(1, 4))):
        spoil(tree, data.draw)
    read_all(json.dumps(tree[0]).encode(), reads=[decode, decode_original])


@given(
    st.binary(max_size=30) | st.text('[]{}",:0truefalsnl$persitv \\', max_size=30).map(str.encode)
)
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_value_or_an_error_of_ours(data):
    read_all(data, reads=[decode, plain, decode_original, persist.loads])


# what may be built

NAMES = ["os:system", "builtins:eval", "pickle:loads", "subprocess:Popen", "this:s", "pty:spawn"]


def shapes_of(name):
    fields = {"args": ["true"], "command": "true"}
    constructor = {"lc": 1, "type": "constructor", "id": name.replace(":", ".").split(".")}
    return [
        {"$persist": "enum", "v": {"class": name, "value": "true"}},
        {"$persist": "namedtuple", "v": {"class": name, "fields": fields}},
        {"$persist": "dataclass", "v": {"class": name, "fields": fields}},
        {"$persist": "pydantic", "v": {"class": name, "fields": fields, "set": []}},
        {"$persist": "custom", "v": {"class": name, "state": "true"}},
        {**constructor, "kwargs": fields},
        {"$persist": "lc", "v": {"id": constructor["id"], "kwargs": fields}},
    ]


@pytest.mark.parametrize("name", [*NAMES, f"{support.__name__}:Unregistered"])
def test_a_name_beyond_the_list_is_refused_before_it_is_imported(name):
    imported = set(sys.modules)
    for shape in shapes_of(name):
        text = json.dumps([{"fine": 1}, shape])
        with pytest.raises(persist.UntrustedError, match=name.replace(":", r"\.")):
            persist.loads(snapshot_of(text))
        plain(text.encode())
    assert set(sys.modules) == imported


@pytest.mark.parametrize("name", NAMES[:4])
def test_even_a_trusted_file_builds_only_what_its_kinds_are(name, monkeypatch):
    monkeypatch.setattr(subprocess.Popen, "__init__", lambda *_: pytest.fail("it was run"))
    for shape in shapes_of(name):
        with pytest.raises((persist.FormatError, persist.UntrustedError)):
            persist.loads(snapshot_of(json.dumps(shape)), trusted=True)


def test_a_module_of_a_stranger_is_not_imported(tmp_path, monkeypatch):
    (tmp_path / "of_a_stranger.py").write_text("raise SystemExit('it was imported')")
    monkeypatch.syspath_prepend(tmp_path)
    for shape in shapes_of("of_a_stranger:Anything"):
        with pytest.raises(persist.UntrustedError):
            persist.loads(snapshot_of(json.dumps(shape)))
    assert "of_a_stranger" not in sys.modules


def test_allowing_a_package_does_not_allow_what_it_imports():
    allow = {f"{support.__name__}.*": True}
    shape = {"class": f"{support.__name__}:dataclasses.Field", "fields": {}}
    with pytest.raises(persist.UntrustedError, match=r"dataclasses\.Field"):
        persist.loads(snapshot_of(json.dumps({"$persist": "dataclass", "v": shape})), allow=allow)


@pytest.mark.parametrize("kind", ["dataclass", "pydantic", "namedtuple"])
def test_allowing_some_fields_does_not_allow_others(kind):
    shape = {"class": f"{support.__name__}:Unregistered", "fields": {"n": 1, "m": 2}, "set": []}
    data = snapshot_of(json.dumps({"$persist": kind, "v": shape}))
    with pytest.raises(persist.UntrustedError, match="the field 'm'"):
        persist.loads(data, allow={f"{support.__name__}.Unregistered": ["n"]})


@pytest.mark.parametrize("kind", ["enum", "namedtuple", "dataclass", "pydantic", "custom"])
@pytest.mark.parametrize("name", CLASSES)
def test_a_class_is_built_as_what_it_is_or_not_at_all(kind, name):
    kinds = {"Colour": "enum", "Rights": "enum", "Point": "namedtuple", "Session": "custom"}
    kinds |= {"Note": "dataclass", "Slotted": "dataclass", "Settings": "pydantic"}
    fields = {"x": 1, "y": 2} if kind == "namedtuple" else {}
    shape = {"class": name, "name": "RED" if "Col" in name else "READ", "fields": fields, "set": []}
    data = snapshot_of(json.dumps({"$persist": kind, "v": {**shape, "state": {"turns": 1}}}))
    if kinds.get(name.partition(":")[2], "pydantic") == kind:
        persist.loads(data)
    else:
        with pytest.raises(persist.FormatError):
            persist.loads(data)


PROMPT = ["langchain", "prompts", "prompt", "PromptTemplate"]
CHAT = ["langchain", "prompts", "chat", "ChatPromptTemplate"]
FEW = ["langchain", "prompts", "few_shot_with_templates", "FewShotPromptWithTemplates"]
JINJA = {"template": "{{ a }}", "input_variables": ["a"], "template_format": "jinja2"}


@pytest.mark.parametrize(
    ("identifier", "arguments"),
    [
        (PROMPT, JINJA),
        (
            PROMPT,
            {**JINJA, "template_format": {"$persist": "str", "v": "006a0069006e006a00610032"}},
        ),
        (PROMPT, {**JINJA, "template_format": {"$persist": "shared", "id": 1, "v": "jinja2"}}),
        (CHAT, {"messages": [["human", "{{ a }}"]], "template_format": "jinja2"}),
        (FEW, {"examples": [{}], "example_prompt": JINJA, "suffix": JINJA, "input_variables": []}),
        (FEW, {"example_prompt": {"$persist": "dict", "v": [[k, JINJA[k]] for k in JINJA]}}),
    ],
)
def test_a_template_that_can_run_code_is_refused_however_it_is_written(identifier, arguments):
    node = {"lc": 1, "type": "constructor", "id": identifier, "kwargs": arguments}
    with pytest.raises(persist.UntrustedError, match="jinja2"):
        persist.loads(snapshot_of(json.dumps([node])))


OPENAI = ["langchain", "chat_models", "openai", "ChatOpenAI"]
TRAFFIC = ["openai_api_base", "base_url", "openai_proxy", "default_headers", "http_client"]


@pytest.mark.parametrize("name", [*TRAFFIC, "model_kwargs", "callbacks", "cache", "no_such_field"])
def test_a_file_cannot_turn_the_traffic_of_a_model(name):
    arguments = {"model_name": "m", name: "https://of.a.stranger"}
    node = {"lc": 1, "type": "constructor", "id": OPENAI, "kwargs": arguments}
    with pytest.raises(persist.UntrustedError, match=f"the field '{name}'"):
        persist.loads(snapshot_of(json.dumps(node)), secrets={"OPENAI_API_KEY": "k"})


@pytest.mark.parametrize(
    "node",
    [
        {"$persist": "secret", "v": "OF_THE_USER"},
        {"lc": 1, "type": "secret", "id": ["OF_THE_USER"]},
        {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "document", "Document"]}
        | {"kwargs": {"page_content": {"lc": 1, "type": "secret", "id": ["OF_THE_USER"]}}},
        {"lc": 1, "type": "constructor", "id": OPENAI}
        | {"kwargs": {"openai_api_key": {"lc": 1, "type": "secret", "id": ["OF_THE_USER"]}}},
        {"lc": 1, "type": "constructor", "id": OPENAI}
        | {"kwargs": {"model_name": {"$persist": "secret", "v": "OF_THE_USER"}}},
    ],
    ids=str,
)
def test_a_file_cannot_name_a_variable_to_be_read(node, monkeypatch):
    monkeypatch.setenv("OF_THE_USER", "canary")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises((persist.MissingSecretError, persist.FormatError)) as caught:
        persist.loads(snapshot_of(json.dumps(node)), trusted=True)
    assert "canary" not in str(caught.value)


# depth, size and time


@pytest.mark.parametrize("depth", [400, 513, 100_000])
@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("[", "]"),
        ('{"a":', "}"),
        ('{"$persist":"tuple","v":[', "]}"),
        ('{"$persist":"dict","v":[[1,', "]]}"),
        ('{"$persist":"shared","id":1,"v":', "}"),
        ('{"$persist":"lazy","v":', "}"),
        ('{"lc":1,"type":"constructor","id":["langchain"],"kwargs":{"a":', "}}"),
    ],
)
def test_depth_crashes_nothing(opening, closing, depth):
    text = opening * depth + "1" + closing * depth
    read_all(text.encode(), reads=[decode, plain, decode_original])
    read_all(snapshot_of(text), reads=[persist.loads])


HUGE = 2**62


@pytest.mark.parametrize(
    "node",
    [
        {"$persist": "range", "v": [0, {"$persist": "int", "v": str(HUGE)}, 1]},
        {"$persist": "deque", "v": {"maxlen": HUGE, "items": []}},
        {"$persist": "ndarray", "v": {"dtype": "<f8", "shape": [HUGE], "data": ""}},
        {"$persist": "ndarray", "v": {"dtype": "<f8", "shape": [0, HUGE], "data": ""}},
        {"$persist": "ndarray", "v": {"dtype": "<f8", "shape": [-1, -HUGE], "data": ""}},
        {"$persist": "ndarray", "v": {"dtype": "<f8", "shape": [1] * 1000, "data": "AAAAAAAAAAA="}},
        {"$persist": "ndarray", "v": {"dtype": "<U999999999", "shape": [], "data": ""}},
        {"$persist": "ndarray", "v": {"dtype": "|O", "shape": [1], "data": "AAAAAAAAAAA="}},
        {"$persist": "npscalar", "v": {"dtype": "|V999999999", "data": ""}},
        {"$persist": "fraction", "v": ["1e999999999", None]},
        {"$persist": "decimal", "v": "1e999999999"},
        {"$persist": "int", "v": "9" * 5000},
        {"$persist": "int", "v": f"{'_'.join('9' * 3000)}"},
        {"$persist": "timedelta", "v": [HUGE, 0, 0]},
        {"$persist": "parts", "v": [{"$persist": "part", "v": HUGE}]},
        {"$persist": "zone", "v": {"key": "../../../../etc/passwd"}},
        {"$persist": "zone", "v": {"key": "x" * 100_000}},
    ],
    ids=lambda node: f"{node['$persist']} {json.dumps(node['v'])[:50]}",
)
def test_a_large_claim_takes_no_memory(node):
    data = snapshot_of(json.dumps([node]))
    tracemalloc.start()
    try:
        read_all(data, reads=[persist.loads])
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    finally:
        tracemalloc.stop()


def test_no_hash_takes_for_ever():
    """A tuple of a tuple of ..., each twice: 2**60 of them are to be hashed as a key."""
    node = {"$persist": "shared", "id": 0, "v": {"$persist": "tuple", "v": []}}
    for level in range(1, 60):
        twice = [node, {"$persist": "ref", "v": level - 1}]
        node = {"$persist": "shared", "id": level, "v": {"$persist": "tuple", "v": twice}}
    with pytest.raises(persist.FormatError):
        decode(json.dumps({"$persist": "set", "v": [node]}).encode())


def test_what_is_built_later_fails_with_an_error_of_ours():
    lazy = decode(b'[{"$persist":"lazy","v":{"$persist":"complex","v":7}}]')[0]
    with pytest.raises(persist.FormatError, match=r"\$\[0\]"):
        lazy.get()


def test_no_file_fills_the_memory_with_models():
    constructor = {"lc": 1, "type": "constructor", "id": ["langchain", "chat_models", "openai"]}
    constructor["id"] = [*constructor["id"], "ChatOpenAI"]
    file = snapshot_of(json.dumps([{**constructor, "kwargs": {"model_name": "m"}}] * 257))
    with pytest.raises(persist.LimitExceededError, match="more than 256 models"):
        persist.loads(file, secrets={"OPENAI_API_KEY": "k"})
    assert len(persist.loads(file, trusted=True, secrets={"OPENAI_API_KEY": "k"})) == 257
