"""What is long is written part by part, to the same bytes, and is back as it was."""

from functools import reduce
from random import Random

import numpy as np
import persist
import pytest
from langchain_core.documents import Document
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI
from persist import codec

from .support import Deeper, Note, Slotted
from .test_walk import Meddler

LONG = Random(3).randbytes(1_500_001)
ARRAY = np.frombuffer(LONG[:1_500_000], "<f4").reshape(3, -1)
LONG_VALUES = {
    "bytes": LONG,
    "bytearray": bytearray(LONG),
    "array": ARRAY,
    "array by columns": np.asfortranarray(ARRAY),
    "array backwards": ARRAY[::-1, ::-1],
    "array of another order of bytes": ARRAY.astype(">f4"),
    "array of records": np.frombuffer(LONG[:1_500_000], [("a", "<i8"), ("b", "<f4")]),
    "array of dates": np.frombuffer(LONG[:1_500_000], "<i4").astype("M8[s]"),
    "array of text": np.array(["ab", "\u00e9"] * 200_000),
    "array of one long element": np.array([LONG], f"S{len(LONG)}"),
    "text": "abc\n" * 400_000,
}
LONG_PLACES = {
    "in a dict": lambda v: {"a": [0, (v, 1)]},
    "twice": lambda v: {"a": [v], "b": v},
    "in a message": lambda v: [ToolMessage("a", tool_call_id="1", artifact=[v]), HumanMessage("b")],
    "in a message alone": lambda v: ToolMessage("a", tool_call_id="1", artifact=v),
    "in messages inside one another": lambda v: {
        "a": ToolMessage("a", tool_call_id="1", artifact={"b": [Document("c", metadata={"d": v})]})
    },
    "deep in messages": lambda v: reduce(
        lambda held, _: ToolMessage("a", tool_call_id="1", artifact=[held, HumanMessage("b")]),
        range(20),
        Note(v),
    ),
    "in a dataclass": lambda v: [Note(v)],
    "in objects inside one another": lambda v: {
        "a": Document("b", metadata={"c": Slotted(1, [Note((v,)), Deeper(n=1, more=[v])])})
    },
    "in a dataclass with what is shared": lambda v: [Note([shared := [1], shared, v])],
    "under other keys": lambda v: {1: v},
}


@pytest.mark.parametrize("place", LONG_PLACES)
@pytest.mark.parametrize("kind", LONG_VALUES)
def test_what_is_long_is_streamed_to_the_same_bytes(kind, place, tmp_path):
    value = LONG_PLACES[place](LONG_VALUES[kind])
    expected = codec.encode(value).data
    assert codec.write(value).data == expected
    persist.snapshot(value, tmp_path / "a.json", max_pause=0.0)
    text = (tmp_path / "a.json").read_bytes()
    assert text.partition(b',"agent_state":')[2] == expected + b"}"
    restored = persist.restore(tmp_path / "a.json")
    assert codec.difference(value, restored) is None
    if isinstance(value, dict) and isinstance(value.get("b"), (bytearray, np.ndarray)):
        assert restored["b"] is restored["a"][0]


@persist.register
class Cutting:
    """A class of a user's that keeps no more than a part."""

    def __init__(self, held):
        self.held = held

    def __persist_capture__(self):
        return self.held

    @classmethod
    def __persist_restore__(cls, state):
        return cls(state[:1000])


@pytest.mark.parametrize("place", [list, tuple, dict.fromkeys, Note, lambda v: Deeper(more=v)])
def test_a_long_value_that_its_class_cuts_is_refused(place, tmp_path):
    short, long = (place([Cutting(held)]) for held in (LONG[:1000], LONG))
    persist.snapshot(short, tmp_path / "a.json.gz")
    with pytest.raises(persist.UnserializableStateError, match="does not come back as it was"):
        persist.snapshot(long, tmp_path / "b.json.gz")
    assert not (tmp_path / "b.json.gz").exists()


@pytest.mark.parametrize("make", [lambda: bytearray(LONG), ARRAY.copy])
def test_a_long_value_that_changes_while_it_is_written_is_an_error(make, tmp_path):
    value = make()
    state = {"long": value, "meddler": Meddler(lambda: value.__setitem__(0, 7))}
    with pytest.raises(persist.ConcurrentMutationError):
        persist.snapshot(state, tmp_path / "a.json.gz", verify=False)
    assert list(tmp_path.iterdir()) == []


def test_a_long_array_whose_kind_does_not_come_back_is_refused(tmp_path):
    array = np.zeros(500_000, np.dtype([("a", "<i4")], metadata={"unit": "m"}))
    with pytest.raises(persist.UnserializableStateError, match="titles or metadata"):
        persist.snapshot({"a": array}, tmp_path / "a.json.gz")


MANY = ChatOpenAI(model="m", api_key="k")


def test_a_state_holds_so_many_models_and_no_more():
    models = [MANY.model_copy() for _ in range(257)]
    assert len(persist.loads(persist.dumps(models[1:]), secrets={"OPENAI_API_KEY": "k"})) == 256
    for verify in (None, True):
        with pytest.raises(
            persist.UnserializableStateError, match="more than 256 models"
        ) as caught:
            persist.dumps({"a": models}, verify=verify)
        assert caught.value.path == "$.a[256]"
    shared = persist.loads(persist.dumps([MANY] * 300), secrets={"OPENAI_API_KEY": "k"})
    assert shared[0] is shared[299]
