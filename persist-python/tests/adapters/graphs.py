"""What the tests of graphs share: checkpointers of every kind, and graphs that stop halfway."""

import contextlib
import operator
from typing import Annotated, TypedDict

from langgraph.channels import DeltaChannel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt

CONFIG = {"configurable": {"thread_id": "thread-1"}}
SAVERS = ("memory", "sqlite", "async-sqlite")


@contextlib.asynccontextmanager
async def saver_of(kind, path=":memory:"):
    """A real checkpointer of its own."""
    if kind == "memory":
        yield InMemorySaver()
    elif kind == "sqlite":
        with SqliteSaver.from_conn_string(str(path)) as saver:
            yield saver
    else:
        async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
            yield saver


async def run(graph, given, config=CONFIG):
    """Run a graph as its checkpointer wants it."""
    if isinstance(graph.checkpointer, SqliteSaver):
        return graph.invoke(given, config)
    return await graph.ainvoke(given, config)


async def state_of(graph, config=CONFIG):
    if isinstance(graph.checkpointer, SqliteSaver):
        return graph.get_state(config)
    return await graph.aget_state(config)


def contents(saver, config=CONFIG):
    """Everything that a checkpointer tells about a thread."""
    return list(saver.list(config))


class Order(TypedDict):
    items: list[str]
    checked: Annotated[list[str], operator.add]
    report: str


class Item(TypedDict):
    item: str


class Review(TypedDict):
    checked: list[str]
    report: str
    notes: Annotated[list[str], operator.add]


def review():
    """Takes a note, asks, and reports; the notes are its own."""
    graph = StateGraph(Review)
    graph.add_node("note", lambda state: {"notes": [f"saw {len(state['checked'])}"]})
    graph.add_node("ask", lambda state: {"notes": [interrupt("fine?")]})
    graph.add_node("report", lambda state: {"report": f"{state['checked']} {state['notes']}"})
    graph.add_edge(START, "note")
    graph.add_edge("note", "ask")
    graph.add_edge("ask", "report")
    return graph.compile()


def order(saver):
    """Checks items in parallel, asking about those in capitals, and reviews in a subgraph."""

    def check(state: Item):
        item = state["item"]
        return {"checked": [interrupt(f"{item}?") if item.isupper() else item]}

    graph = StateGraph(Order)
    graph.add_node("split", lambda state: {})
    graph.add_node("check", check)
    graph.add_node("review", review())
    graph.add_edge(START, "split")
    graph.add_conditional_edges(
        "split", lambda state: [Send("check", {"item": item}) for item in state["items"]], ["check"]
    )
    graph.add_edge("check", "review")
    return graph.compile(checkpointer=saver)


def answers(state, text):
    """A command that answers every question of a state."""
    return Command(resume={asked.id: text + asked.value for asked in state.interrupts})


def joined(notes, new):
    return [*notes, *(note for each in new for note in each)]


class Notes(TypedDict):
    notes: Annotated[list[str], DeltaChannel(joined)]


def diary(saver):
    """One note for each run, in a channel of which checkpoints hold only what changed."""
    graph = StateGraph(Notes)
    graph.add_node("count", lambda state: {"notes": [f"{len(state['notes'])} before"]})
    graph.add_edge(START, "count")
    return graph.compile(checkpointer=saver)


def pair(saver):
    """Two branches write notes at once; the first stops to ask."""
    graph = StateGraph(Notes)
    graph.add_node("a", lambda state: {"notes": [interrupt("a?")]})
    graph.add_node("b", lambda state: {"notes": ["b"]})
    graph.add_edge(START, "a")
    graph.add_edge(START, "b")
    return graph.compile(checkpointer=saver)


class Inner(TypedDict):
    text: str
    notes: Annotated[list[str], DeltaChannel(joined)]


class Outer(TypedDict):
    text: str


def nested(saver, *, is_hidden=False):
    """A subgraph with a delta channel of its own that stops halfway.

    Hidden, it is started by a node's code, so that nobody can see it from outside.
    """
    inner = StateGraph(Inner)
    inner.add_node("note", lambda state: {"notes": [f"saw {state['text']}"]})
    inner.add_node("ask", lambda state: {"text": interrupt("more?"), "notes": ["asked"]})
    inner.add_node("end", lambda state: {"text": f"{state['text']} {state['notes']}"})
    inner.add_edge(START, "note")
    inner.add_edge("note", "ask")
    inner.add_edge("ask", "end")
    graphs = {"inner": inner.compile()}
    outer = StateGraph(Outer)
    hidden = lambda state: graphs["inner"].invoke({"text": state["text"]})  # noqa: E731
    outer.add_node("inner", hidden if is_hidden else graphs["inner"])
    outer.add_edge(START, "inner")
    return outer.compile(checkpointer=saver)
