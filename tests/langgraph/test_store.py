"""The items of an in-memory store come with the thread."""

import persist
import pytest
from graphs import CONFIG
from langchain_core.embeddings import DeterministicFakeEmbedding
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.store.memory import InMemoryStore


def graph(store):
    built = StateGraph(dict)
    built.add_node("count", lambda state: {"n": state.get("n", 0) + 1})
    built.add_edge(START, "count")
    return built.compile(checkpointer=InMemorySaver(), store=store)


@pytest.fixture
def path(tmp_path):
    store = InMemoryStore(index={"dims": 4, "embed": DeterministicFakeEmbedding(size=4)})
    store.put(("users", "ann"), "likes", {"text": "tea"})
    store.put(("users", "bob"), "likes", {"text": "coffee", "when": (1, b"\0")}, index=False)
    original = graph(store)
    original.invoke({"n": 1}, CONFIG)
    persist.snapshot(original, tmp_path / "a.json.gz")
    return tmp_path / "a.json.gz", store


class Counting(DeterministicFakeEmbedding):
    """An embedding whose every call would cost money."""

    def embed_documents(self, texts):
        raise AssertionError(texts)


def test_items_come_back_with_times_and_vectors_and_nothing_is_embedded_again(path):
    path, original = path
    store = InMemoryStore(index={"dims": 4, "embed": Counting(size=4)})
    persist.restore(path, into=graph(store))
    for namespace in (("users", "ann"), ("users", "bob")):
        assert store.get(namespace, "likes") == original.get(namespace, "likes")
    found = store.search(("users",), query="tea")
    assert [(item.key, item.score) for item in found] == [
        (item.key, item.score) for item in original.search(("users",), query="tea")
    ]


class Own(InMemoryStore):
    """A store of a user's, on LangGraph's."""


def test_items_of_a_derived_store_come_too(tmp_path):
    original = graph(Own())
    original.store.put(("users",), "ann", {"text": "tea"})
    original.invoke({"n": 1}, CONFIG)
    persist.snapshot(original, tmp_path / "a.json.gz")
    restored = persist.restore(tmp_path / "a.json.gz", into=graph(Own()))
    assert restored.store.get(("users",), "ann").value == {"text": "tea"}


def test_items_that_are_there_already_stay(path):
    path, _ = path
    store = InMemoryStore()
    store.put(("users", "eve"), "likes", {"text": "water"})
    persist.restore(path, into=graph(store))
    assert store.get(("users", "eve"), "likes").value == {"text": "water"}


def test_an_item_that_differs_is_a_conflict_and_nothing_changes(path):
    path, _ = path
    store = InMemoryStore()
    store.put(("users", "bob"), "likes", {"text": "water"})
    target = graph(store)
    with pytest.raises(persist.RestoreConflictError, match="bob"):
        persist.restore(path, into=target)
    assert store.get(("users", "ann"), "likes") is None
    assert target.get_state(CONFIG).values == {}
    persist.restore(path, into=target, on_existing="replace")
    assert store.get(("users", "bob"), "likes").value == {"text": "coffee", "when": (1, b"\0")}


def test_a_graph_without_a_store_is_asked_for_one(path):
    with pytest.raises(persist.NeedsContextError, match="2 items") as caught:
        persist.restore(path[0], into=graph(None))
    assert "store=" in caught.value.hint
