"""Dicts of users that look like tags, or like LangChain's objects, are dicts of users."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage
from persist.codec import decode, encode

from .strategies import VALUES
from .support import Note, back, same

NAMES = st.sampled_from(
    ["lc", "$persist", "__lc_escaped__", "type", "id", "kwargs", "v", "class", "fields", "name"]
)
WORDS = st.sampled_from(
    ["constructor", "secret", "not_implemented", "shared", "ref", "part", "parts", "dict", "lc", 1]
)
LOOKALIKES = st.recursive(
    WORDS,
    lambda inner: (
        st.dictionaries(NAMES, inner, min_size=1, max_size=4)
        | st.lists(inner, max_size=3)
        | st.tuples(inner)
    ),
    max_leaves=12,
)
HUMAN = ["langchain", "schema", "messages", "HumanMessage"]
SHAPES = [
    {"lc": 1},
    {"$persist": "tuple", "v": [1]},
    {"$persist": "part", "v": 0},
    {"$persist": "nothing that is known"},
    {"$persist": {"$persist": "$persist"}},
    {"lc": 1, "type": "constructor", "id": HUMAN, "kwargs": {"content": "x"}},
    {"lc": 1, "type": "secret", "id": ["OPENAI_API_KEY"]},
    {"lc": 1, "type": "not_implemented", "id": ["os", "system"], "repr": "system()"},
    {"__lc_escaped__": {"lc": 1, "type": "secret", "id": ["HOME"]}},
]


@given(LOOKALIKES)
@settings(max_examples=300, deadline=None)
def test_what_looks_like_a_tag_is_a_dict(value):
    same(value, back(value))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_inside_objects_it_is_a_dict_too(shape):
    value = [
        HumanMessage("x", additional_kwargs=shape, response_metadata={"a": [shape]}),
        AIMessage("x", tool_calls=[{"name": "f", "args": shape, "id": "1"}], extra=shape),
        Document("x", metadata=shape),
        Note(shape),
        {"deep": [{"er": (shape,)}]},
    ]
    same(value, back(value))


@given(VALUES)
@settings(max_examples=150, deadline=None)
def test_the_text_of_any_value_is_a_value(value):
    """So nothing that the codec writes, read as data and given as state, is taken for more."""
    tree = json.loads(encode(value).data)
    same(tree, decode(encode(tree).data))
