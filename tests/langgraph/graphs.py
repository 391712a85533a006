"""Graphs that stop halfway, each with what goes on from there.

A scenario is a class with `build(saver)`, `first(graph)`, which stops, and `rest(graph)`, which
goes on and returns what came out.
"""

import datetime as dt
import operator
from itertools import chain
from typing import Annotated, Any

import persist
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, AgentState, HumanInTheLoopMiddleware
from langchain.agents.structured_output import ToolStrategy
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.channels import DeltaChannel
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel
from typing_extensions import NotRequired, TypedDict

CONFIG = {"configurable": {"thread_id": "thread-1"}}
CALL = {"name": "add", "args": {"a": 40, "b": 2}, "id": "call-1"}


class Model(GenericFakeChatModel):
    """A model that answers with the number of messages that it is sent, or with a tool call."""

    messages: Any = iter(())
    calls: bool = False

    def bind_tools(self, tools, **kwargs):
        return self

    def _generate(self, messages, *args, **kwargs):
        answer = AIMessage(f"I saw {len(messages)}: {messages[0].content!r}", id=str(len(messages)))
        if self.calls and messages[-1].type == "human":
            answer = AIMessage("", tool_calls=[CALL], id=str(len(messages)))
        self.messages = iter([answer])
        return super()._generate(messages, *args, **kwargs)


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def said(result):
    return [(message.type, message.content) for message in result["messages"]]


class Counted(AgentState):
    turns: Annotated[int, operator.add]
    seen: Annotated[set, operator.or_]


class Agent:
    """`create_agent` with a tool and state of its own."""

    def build(self, saver):
        return create_agent(Model(calls=True), [add], checkpointer=saver, state_schema=Counted)

    def first(self, graph):
        graph.invoke({"messages": [("user", "Hi")], "turns": 1, "seen": {"a"}}, CONFIG)

    def rest(self, graph):
        done = graph.invoke({"messages": [("user", "And?")], "turns": 1, "seen": {"b"}}, CONFIG)
        return said(done), done["turns"], sorted(done["seen"])


class Approval:
    """`create_agent` that waits for a person to approve a tool call."""

    def build(self, saver):
        middleware = [HumanInTheLoopMiddleware(interrupt_on={"add": True})]
        return create_agent(Model(calls=True), [add], middleware=middleware, checkpointer=saver)

    def first(self, graph):
        graph.invoke({"messages": [("user", "Hi")]}, CONFIG)
        assert graph.get_state(CONFIG).interrupts

    def rest(self, graph):
        decision = Command(resume={"decisions": [{"type": "approve"}]})
        return said(graph.invoke(decision, CONFIG))


@tool
def ask_person(question: str) -> str:
    """Ask a person."""
    return interrupt(question)


class TwoCalls(Model):
    """A model that calls two tools at once."""

    def _generate(self, messages, *args, **kwargs):
        if messages[-1].type != "human":
            return super()._generate(messages, *args, **kwargs)
        ask = {"name": "ask_person", "args": {"question": "Really?"}, "id": "call-2"}
        self.messages = iter([AIMessage("", tool_calls=[CALL, ask], id="two")])
        return GenericFakeChatModel._generate(self, messages, *args, **kwargs)


class InFlight:
    """Two tool calls: one is done, the other waits for a person inside the tool."""

    def build(self, saver):
        return create_agent(TwoCalls(), [add, ask_person], checkpointer=saver)

    def first(self, graph):
        graph.invoke({"messages": [("user", "Hi")]}, CONFIG)
        assert graph.get_state(CONFIG).interrupts

    def rest(self, graph):
        return said(graph.invoke(Command(resume="yes"), CONFIG))


@persist.register
class Weather(BaseModel):
    """What the model is asked to answer with."""

    degrees: int
    when: dt.date


class Answering(Model):
    """A model that answers with the tool of the structured response."""

    def _generate(self, messages, *args, **kwargs):
        call = {"name": "Weather", "args": {"degrees": len(messages), "when": "2026-11-24"}}
        self.messages = iter([AIMessage("", tool_calls=[{**call, "id": f"w{len(messages)}"}])])
        return GenericFakeChatModel._generate(self, messages, *args, **kwargs)


class Remembering(AgentMiddleware):
    """Middleware with state of its own."""

    class Schema(AgentState):
        visits: NotRequired[int]

    state_schema = Schema

    def before_model(self, state, runtime):
        return {"visits": state.get("visits", 0) + 1}


class Structured:
    """A structured response, and middleware that counts."""

    def build(self, saver):
        return create_agent(
            Answering(),
            [],
            response_format=ToolStrategy(Weather),
            middleware=[Remembering()],
            checkpointer=saver,
        )

    def first(self, graph):
        done = graph.invoke({"messages": [("user", "Hi")]}, CONFIG)
        assert type(done["structured_response"]) is Weather

    def rest(self, graph):
        before = graph.get_state(CONFIG).values
        done = graph.invoke({"messages": [("user", "And now?")]}, CONFIG)
        return before["structured_response"], done["structured_response"], done["visits"]


class Words(TypedDict):
    words: list[str]
    upper: Annotated[list[str], operator.add]


class Word(TypedDict):
    word: str


class FanOut:
    """Parallel branches by Send; two of the three stop to ask, one has already written."""

    def build(self, saver):
        def ask(state: Word):
            word = state["word"]
            answer = word if word == "b" else interrupt(f"what is {word}?")
            return {"upper": [f"{word}={answer}"]}

        graph = StateGraph(Words)
        graph.add_node("split", lambda state: {})
        graph.add_node("ask", ask)
        graph.add_edge(START, "split")
        graph.add_conditional_edges(
            "split", lambda state: [Send("ask", {"word": word}) for word in state["words"]], ["ask"]
        )
        graph.add_edge("ask", END)
        return graph.compile(checkpointer=saver)

    def first(self, graph):
        graph.invoke({"words": ["a", "b", "c"], "upper": []}, CONFIG)
        assert len(graph.get_state(CONFIG).interrupts) == 2

    def rest(self, graph):
        asked = graph.get_state(CONFIG).interrupts
        return graph.invoke(Command(resume={each.id: each.value.upper() for each in asked}), CONFIG)


class Inner(TypedDict):
    text: str
    notes: Annotated[list[str], operator.add]


class Outer(TypedDict):
    text: str


class Nested:
    """A subgraph that stops halfway, with notes that only it has."""

    def build(self, saver):
        inner = StateGraph(Inner)
        inner.add_node("note", lambda state: {"notes": [f"saw {state['text']}"]})
        inner.add_node("ask", lambda state: {"text": interrupt("more?"), "notes": ["asked"]})
        inner.add_node("end", lambda state: {"text": f"{state['text']} {state['notes']}"})
        inner.add_edge(START, "note")
        inner.add_edge("note", "ask")
        inner.add_edge("ask", "end")
        outer = StateGraph(Outer)
        outer.add_node("inner", inner.compile())
        outer.add_edge(START, "inner")
        return outer.compile(checkpointer=saver)

    def first(self, graph):
        graph.invoke({"text": "one"}, CONFIG)
        assert graph.get_state(CONFIG).interrupts

    def rest(self, graph):
        return graph.invoke(Command(resume="two"), CONFIG)


class Notes(TypedDict):
    notes: Annotated[list[str], DeltaChannel(lambda notes, new: [*notes, *chain(*new)])]


class Delta:
    """A channel of which a checkpoint holds only what changed."""

    def build(self, saver):
        graph = StateGraph(Notes)
        graph.add_node("count", lambda state: {"notes": [f"{len(state['notes'])} notes"]})
        graph.add_edge(START, "count")
        return graph.compile(checkpointer=saver)

    def first(self, graph):
        for text in ("a", "b"):
            graph.invoke({"notes": [text]}, CONFIG)

    def rest(self, graph):
        return graph.invoke({"notes": ["c"]}, CONFIG)


SCENARIOS = [Agent, Approval, InFlight, Structured, FanOut, Nested, Delta]
