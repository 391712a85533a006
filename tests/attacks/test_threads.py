"""Threads of a stranger, restored into checkpointers that hold those of others."""

import contextlib
import json
import pickle
from pathlib import Path
from typing import Any, TypedDict

import persist
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from loading import load

attacks = load(Path(__file__).with_name("attacks.py"))


class State(TypedDict):
    held: Any


class Lax:
    """A serializer that takes everything, as the stranger's may."""

    def dumps_typed(self, value):
        return "pickle", pickle.dumps(value)

    def loads_typed(self, data):
        return pickle.loads(data[1])


def graph(saver):
    built = StateGraph(State)
    built.add_node("keep", lambda state: {})
    built.add_edge(START, "keep")
    return built.compile(checkpointer=saver)


def config(thread, **metadata):
    return {"configurable": {"thread_id": thread}, "metadata": metadata}


def hostile(held, thread="stranger", **metadata):
    """The snapshot of a thread that holds this."""
    agent = graph(InMemorySaver(serde=Lax()))
    agent.invoke({"held": held}, config(thread, **metadata))
    return persist.dumps(agent, granularity="history")


@pytest.fixture
def savers(tmp_path):
    """Checkpointers in which somebody else has a thread."""
    with contextlib.ExitStack() as stack:
        path = str(tmp_path / "threads.db")
        sqlite = stack.enter_context(SqliteSaver.from_conn_string(path))
        made = {"memory": InMemorySaver(), "sqlite": sqlite}
        for saver in made.values():
            graph(saver).invoke({"held": "mine"}, config("bystander"))
        yield made


def others(saver):
    """What the thread of somebody else is."""
    return [
        (each.checkpoint, each.metadata, each.parent_config, each.pending_writes)
        for each in saver.list(config("bystander"))
    ]


QUOTES = ["x' OR '1'='1", "x'; DROP TABLE checkpoints; --", 'x") OR 1=1 --', "%", "x\0y", "../x"]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("text", QUOTES)
def test_cve_2025_67644_names_are_no_sql(text, kind, savers):
    saver = savers[kind]
    before = others(saver)
    data = hostile("theirs", text, **{text: text, f"{text}') --": 1})
    for options in ({}, {"on_existing": "replace"}):
        restored = persist.loads(data, into=graph(saver), **options)
        assert restored.get_state(config(text)).values == {"held": "theirs"}
        assert {each.config["configurable"]["thread_id"] for each in saver.list(None)} == {
            "bystander",
            text,
        }
        assert others(saver) == before
    found = {each.metadata.get(text) for each in saver.list(config(text))}
    # LangGraph takes NUL out of metadata.
    assert found == {text.replace("\0", "")}


CONSTRUCTORS = {
    "CVE-2025-64439, CVE-2026-48775": {**attacks.LC2, "id": ["os", "system"]},
    "CVE-2026-48775": {**attacks.LC2, "id": ["os"], "method": "system"},
    "CVE-2025-68664": attacks.LANGCHAIN["CVE-2025-68664: os.system"],
    "CVE-2025-68664: a secret": attacks.LEAK,
}


@pytest.fixture
def aimed(tmp_path):
    """Aims an attack at a canary of this test, which must not be there afterwards."""
    canary = tmp_path / "a.canary"
    yield lambda attack: json.loads(json.dumps(attack).replace(attacks.CANARY, str(canary)))
    assert not canary.exists()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("name", CONSTRUCTORS)
def test_a_constructor_in_a_channel_stays_a_dict(name, kind, savers, aimed):
    held = {"a": aimed(CONSTRUCTORS[name])}
    restored = persist.loads(hostile(held), into=graph(savers[kind]))
    assert restored.get_state(config("stranger")).values == {"held": held}
    restored.invoke({"held": held}, config("stranger"))


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_cve_2025_64439_text_that_msgpack_has_not_builds_nothing(kind, savers, aimed):
    before = others(savers[kind])
    attack = aimed(CONSTRUCTORS["CVE-2025-64439, CVE-2026-48775"])
    data, target = hostile(["\ud800", attack]), graph(savers[kind])
    with pytest.raises(persist.LossyTargetError, match=r"held\[0\] \(str\) becomes another"):
        persist.loads(data, into=target)
    assert target.get_state(config("stranger")).values == {}
    with pytest.warns(UserWarning, match="becomes another"):
        restored = persist.loads(data, into=target, strict=False)
    assert restored.get_state(config("stranger")).values["held"][1] == attack
    assert others(savers[kind]) == before


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_list_of_lists_that_are_one_list_fills_no_memory(kind, savers):
    held = ["one"]
    for _ in range(60):
        held = [held, held]
    before = others(savers[kind])
    data = hostile(held)
    assert len(data) < 10_000
    for strict in (True, False):
        with pytest.raises(persist.LimitExceededError, match="times as large") as caught:
            persist.loads(data, into=graph(savers[kind]), strict=strict)
        assert "serde=" in caught.value.hint
    assert others(savers[kind]) == before
    lax = InMemorySaver(serde=Lax())
    restored = persist.loads(data, into=graph(lax)).get_state(config("stranger")).values["held"]
    assert restored[0] is restored[1]


def test_what_a_thread_shares_in_moderation_is_written_twice(savers):
    row = ["a"] * 10
    with pytest.warns(UserWarning, match="becomes another"):
        restored = persist.loads(hostile([row] * 20), into=graph(savers["memory"]), strict=False)
    assert restored.get_state(config("stranger")).values["held"] == [row] * 20
