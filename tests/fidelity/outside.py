"""Agents of whose state a part is outside of the process, and agents that go back in time.

Each is a class with `build(folder)`, which makes the agent on what is in a folder, `first(agent)`,
`save(agent, path)`, `restore(path, folder)` and `rest(agent)`, which returns what came out.
"""

from __future__ import annotations

import asyncio
import sys
import warnings
from pathlib import Path
from typing import Any

import persist
from langchain_classic.agents.openai_functions_agent.agent_token_buffer_memory import (
    AgentTokenBufferMemory,
)
from langchain_classic.memory import ConversationBufferMemory, ConversationSummaryMemory
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables.history import RunnableWithMessageHistory
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.store.memory import InMemoryStore

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # langchain-community says that it is being sunset
    from langchain_community.chat_message_histories import (
        FileChatMessageHistory,
        SQLChatMessageHistory,
    )

sys.path.append(str(Path(__file__).parents[1] / "langgraph"))
sys.path.append(str(Path(__file__).parents[2] / "persist-python" / "tests" / "agents"))
import classic
import graphs
from graphs import CONFIG

COPY = {"configurable": {"thread_id": "copy"}}
AGAIN = {"messages": [("user", "And?")], "turns": 1, "seen": {"b"}}


def talk(agent: Any, text: str, *options: Any) -> list[str]:
    """What the model is sent."""
    classic.SEEN.clear()
    agent.invoke(text if options else {"input": text}, *options)
    return list(classic.SEEN)


class Outside:
    """What most have in common."""

    def save(self, agent: Any, path: Path) -> None:
        persist.snapshot(agent, path)

    def restore(self, path: Path, folder: Path) -> Any:
        return persist.restore(path, into=self.build(folder))

    def build(self, folder: Path) -> Any:
        raise NotImplementedError


class File(Outside):
    """A conversation in a file: the snapshot refers to it."""

    def history(self, folder: Path) -> Any:
        return FileChatMessageHistory(folder / "ann.json")

    def build(self, folder: Path) -> Any:
        memory = ConversationBufferMemory(chat_memory=self.history(folder))
        return classic.conversation(memory)

    def first(self, agent: Any) -> None:
        talk(agent, "I am Ann.")

    def rest(self, agent: Any) -> Any:
        return talk(agent, "Who am I?")


class Sql(File):
    """A conversation in SQLite: the snapshot refers to it."""

    def history(self, folder: Path) -> Any:
        return SQLChatMessageHistory("ann", connection=f"sqlite:///{folder / 'ann.db'}")


class Sessions(Outside):
    """Sessions of which one is in a file and one in the process."""

    def build(self, folder: Path) -> Any:
        self.store: dict[str, Any] = {"ann": FileChatMessageHistory(folder / "sessions.json")}
        return RunnableWithMessageHistory(
            classic.ChatModel(),
            lambda name: self.store.setdefault(name, InMemoryChatMessageHistory()),
        )

    def first(self, agent: Any) -> None:
        self.talk(agent, "I am {}.")

    def save(self, agent: Any, path: Path) -> None:
        persist.snapshot(agent, path, session=self.store)

    def restore(self, path: Path, folder: Path) -> Any:
        agent = self.build(folder)
        return persist.restore(path, into=agent, session=self.store)

    def rest(self, agent: Any) -> Any:
        return self.talk(agent, "Who is {}?")

    def talk(self, agent: Any, text: str) -> Any:
        sessions = [(name, {"configurable": {"session_id": name}}) for name in ("ann", "bob")]
        return [talk(agent, text.format(name), config) for name, config in sessions]


class Steps(Outside):
    """A memory of what tools said, by itself."""

    def build(self, folder: Path) -> Any:
        return AgentTokenBufferMemory(llm=classic.Model(), max_token_limit=40)

    def first(self, agent: Any) -> None:
        self.hear(agent, "one")

    def hear(self, agent: Any, word: str) -> None:
        outputs = {"output": [AIMessage(word)], "intermediate_steps": []}
        agent.save_context({"input": [HumanMessage(f"say {word}")]}, outputs)

    def rest(self, agent: Any) -> Any:
        self.hear(agent, "two")
        return str(agent.load_memory_variables({}))


class Summary(Outside):
    """A memory that summarizes, by itself, built again of what the snapshot says."""

    def build(self, folder: Path) -> Any:
        return ConversationSummaryMemory(llm=classic.Model())

    def first(self, agent: Any) -> None:
        agent.save_context({"input": "I am Ann."}, {"output": "Hello Ann."})

    def restore(self, path: Path, folder: Path) -> Any:
        return persist.restore(path, llm=classic.Model())

    def rest(self, agent: Any) -> Any:
        agent.save_context({"input": "Who am I?"}, {"output": "Ann."})
        return agent.buffer


class Store(Outside):
    """A graph whose notes are in an in-memory store."""

    def build(self, folder: Path) -> Any:
        store = InMemoryStore()

        def note(state: Any) -> Any:
            notes = [item.value["text"] for item in store.search(("notes",))]
            key = f"note {len(notes)}"
            store.put(("notes",), key, {"text": state["text"], "raw": (key, b"\0")})
            return {"text": f"{state['text']} {notes}"}

        graph = StateGraph(graphs.Outer)
        graph.add_node("note", note)
        graph.add_edge(START, "note")
        return graph.compile(checkpointer=InMemorySaver(), store=store)

    def first(self, agent: Any) -> None:
        agent.invoke({"text": "tea"}, CONFIG)

    def rest(self, agent: Any) -> Any:
        said = agent.invoke({"text": "coffee"}, CONFIG)
        return said, repr([(i.key, i.value) for i in agent.store.search(("notes",))])


class History(Outside):
    """A thread with all its checkpoints, which goes on from the middle."""

    def build(self, folder: Path) -> Any:
        return graphs.Agent().build(InMemorySaver())

    def first(self, agent: Any) -> None:
        graphs.Agent().first(agent)
        graphs.Agent().rest(agent)

    def save(self, agent: Any, path: Path) -> None:
        persist.snapshot(agent, path, granularity="history")

    def rest(self, agent: Any) -> Any:
        history = list(agent.get_state_history(CONFIG))
        names = [state.config["configurable"]["checkpoint_id"] for state in history]
        parents = [(state.parent_config or state.config)["configurable"] for state in history]
        shown = [
            (names.index(parent["checkpoint_id"]), state.next, state.metadata["step"])
            for state, parent in zip(history, parents, strict=True)
        ]
        middle = next(state for state in history if state.metadata["step"] == 1)
        return shown, graphs.said(agent.invoke(None, middle.config))


class Back(Outside):
    """A thread in SQLite that went on after the snapshot, and goes back to it."""

    config = CONFIG
    options: dict[str, Any] = {"on_existing": "replace"}  # noqa: RUF012 - read only

    def build(self, folder: Path) -> Any:
        saver = SqliteSaver.from_conn_string(str(folder / f"{type(self).__name__}.db"))
        self.saver = saver  # It is closed when nothing holds it.
        return graphs.Agent().build(saver.__enter__())

    def first(self, agent: Any) -> None:
        graphs.Agent().first(agent)

    def save(self, agent: Any, path: Path) -> None:
        persist.snapshot(agent, path)
        graphs.Agent().rest(agent)

    def restore(self, path: Path, folder: Path) -> Any:
        agent = self.build(folder)
        later = graphs.said(agent.get_state(CONFIG).values)
        persist.restore(path, into=agent, **self.options)
        assert (graphs.said(agent.get_state(CONFIG).values) == later) == (self.config is not CONFIG)
        return agent

    def rest(self, agent: Any) -> Any:
        config = self.config if agent.get_state(self.config).values else CONFIG
        done = agent.invoke(AGAIN, config)
        return graphs.said(done), done["turns"], sorted(done["seen"])


class Beside(Back):
    """The same under another name, while the thread stays what it is."""

    config = COPY
    options: dict[str, Any] = {"thread_id": "copy"}  # noqa: RUF012 - read only


class Awaited(Outside):
    """A thread in a checkpointer that can only be awaited; the agent is the name of its file."""

    def build(self, folder: Path) -> Any:
        return folder / "first.db"

    def first(self, agent: Any) -> None:
        hello = {"messages": [("user", "Hi")], "turns": 1, "seen": {"a"}}
        asyncio.run(self.with_graph(agent, lambda graph: graph.ainvoke(hello, CONFIG)))

    def save(self, agent: Any, path: Path) -> None:
        asyncio.run(self.with_graph(agent, lambda graph: persist.asnapshot(graph, path)))

    def restore(self, path: Path, folder: Path) -> Any:
        name = folder / "second.db"
        asyncio.run(self.with_graph(name, lambda graph: persist.arestore(path, into=graph)))
        return name

    def rest(self, agent: Any) -> Any:
        done = asyncio.run(self.with_graph(agent, lambda graph: graph.ainvoke(AGAIN, CONFIG)))
        return graphs.said(done), done["turns"], sorted(done["seen"])

    async def with_graph(self, name: Path, step: Any) -> Any:
        async with AsyncSqliteSaver.from_conn_string(str(name)) as saver:
            return await step(graphs.Agent().build(saver))


OUTSIDE = [File, Sql, Sessions, Steps, Summary, Store, History, Back, Beside, Awaited]
