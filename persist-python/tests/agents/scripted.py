"""Runs one half of the lives of some agents in a process of its own.

usage: python scripted.py STEP FOLDER, where STEP is first, second or whole.

`first` talks and snapshots; `second`, started fresh, restores and talks on; `whole` does both
without a break. The scripted models record what they are sent; the last line printed is what each
saw last.
"""

import json
import sys
import warnings
from pathlib import Path

import persist
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.language_models.fake_chat_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

KINDS = ("agent", "interrupt", "conversation", "messages", "history")
SEEN = []
CONFIG = {"configurable": {"thread_id": "thread-1"}}


class Recorder(GenericFakeChatModel):
    """A model that answers from a list and records what it is sent."""

    def bind_tools(self, tools, **kwargs):
        return self

    def _generate(self, messages, *args, **kwargs):
        SEEN.append([[m.type, m.content, getattr(m, "tool_calls", [])] for m in messages])
        return super()._generate(messages, *args, **kwargs)


class RecordingList(FakeListChatModel):
    """The same, with text alone."""

    def _call(self, messages, *args, **kwargs):
        SEEN.append([[m.type, m.content] for m in messages])
        return super()._call(messages, *args, **kwargs)


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


CALL = AIMessage("", tool_calls=[{"name": "add", "args": {"a": 40, "b": 2}, "id": "call-1"}])


def graph(answers, *, interrupted=False):
    middleware = [HumanInTheLoopMiddleware(interrupt_on={"add": True})] if interrupted else []
    model = Recorder(messages=iter(answers))
    return create_agent(model, [add], middleware=middleware, checkpointer=InMemorySaver())


def agent_first(path):
    agent = graph([CALL, AIMessage("It is 42.")])
    agent.invoke({"messages": [("user", "I am Ann. What is 40 + 2?")]}, CONFIG)
    return agent, lambda: persist.snapshot(agent, path, agent_id="ann")


def agent_second(agent):
    agent.invoke({"messages": [("user", "Who am I?")]}, CONFIG)


def interrupt_first(path):
    agent = graph([CALL], interrupted=True)
    agent.invoke({"messages": [("user", "What is 40 + 2?")]}, CONFIG)
    assert agent.get_state(CONFIG).interrupts
    return agent, lambda: persist.snapshot(agent, path, agent_id="ann")


def interrupt_second(agent):
    agent.invoke(Command(resume={"decisions": [{"type": "approve"}]}), CONFIG)


def conversation_first(path):
    from langchain_classic.chains import ConversationChain

    chain = ConversationChain(llm=RecordingList(responses=["Hello Ann.", "You are Ann."]))
    chain.predict(input="I am Ann.")
    return chain, lambda: persist.snapshot(chain, path, agent_id="ann")


def conversation_second(chain):
    chain.predict(input="Who am I?")


def messages_first(path):
    model = Recorder(messages=iter([CALL]))
    history = [HumanMessage("What is 40 + 2?", id="1")]
    history.append(model.invoke(history))
    history.append(add.invoke(history[-1].tool_calls[0]))
    return history, lambda: persist.snapshot(history, path, agent_id="ann")


def messages_second(history):
    Recorder(messages=iter([AIMessage("42")])).invoke(history)


def history_chain(store, answers):
    from langchain_core.chat_history import InMemoryChatMessageHistory

    prompt = ChatPromptTemplate.from_messages([MessagesPlaceholder("past"), ("human", "{text}")])
    return RunnableWithMessageHistory(
        prompt | Recorder(messages=iter(map(AIMessage, answers))),
        lambda session_id: store.setdefault(session_id, InMemoryChatMessageHistory()),
        input_messages_key="text",
        history_messages_key="past",
    )


STORE = {}


def history_first(path):
    chain = history_chain(STORE, ["Hello Ann."])
    chain.invoke({"text": "I am Ann."}, {"configurable": {"session_id": "s"}})
    return chain, lambda: persist.snapshot(chain, path, session=STORE)


def history_second(chain):
    del chain
    history_chain(STORE, ["Ann."]).invoke(
        {"text": "Who am I?"}, {"configurable": {"session_id": "s"}}
    )


def restored(kind, path):
    if kind == "agent":
        return persist.restore(path, into=graph([AIMessage("You are Ann.")]))
    if kind == "interrupt":
        return persist.restore(
            path, factory=lambda: graph([AIMessage("It is 42.")], interrupted=True)
        )
    if kind == "conversation":
        return persist.restore(path, llm=RecordingList(responses=["You are Ann."]))
    if kind == "history":
        return persist.restore(path, into=history_chain(STORE, []), session=STORE)
    return persist.restore(path)


def main(step, folder):
    seen = {}
    for kind in KINDS:
        SEEN.clear()
        _run(kind, step, Path(folder, f"{kind}.json.gz"))
        seen[kind] = SEEN[-1] if SEEN else None
    print(json.dumps(seen))


def _run(kind, step, path):
    second = globals()[f"{kind}_second"]
    if step == "second":
        second(restored(kind, path))
        return
    agent, save = globals()[f"{kind}_first"](path)
    if step == "first":
        save()
    else:
        _give_the_next_answer(kind, agent)
        second(agent)


def _give_the_next_answer(kind, agent):
    """Let the unbroken run answer as the restored one does."""
    answers = {"agent": "You are Ann.", "interrupt": "It is 42."}
    if kind in answers:
        fresh = graph([AIMessage(answers[kind])], interrupted=kind == "interrupt")
        agent.nodes.update(fresh.nodes)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
