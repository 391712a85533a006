"""Agents that are saved halfway: does their model see what it would have seen anyway?

Persist saves the agent, and loads it into one of the same code. A peer saves a chain as it is; of
a graph it saves what `get_state` gives, and a fresh graph takes that by `update_state`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import persist
from langgraph.checkpoint.memory import InMemorySaver

if TYPE_CHECKING:
    from collections.abc import Callable

sys.path.append(str(Path(__file__).parents[1] / "langgraph"))
sys.path.append(str(Path(__file__).parents[2] / "persist-python" / "tests" / "agents"))
sys.path.append(str(Path(__file__).parents[2] / "persist-python" / "tests" / "models"))
import classic
import graphs
import rows


@dataclass(frozen=True)
class Life:
    """One kind of agent, and the two halves of its life."""

    build: Callable[[], Any]
    first: Callable[[Any], object]
    rest: Callable[[Any], Any]
    take: Callable[[Any], Any]
    put: Callable[[Any], Any]

    def halfway(self) -> Any:
        """An agent that has lived the first half."""
        agent = self.build()
        self.first(agent)
        return agent

    def through(self, way: Callable[[Any], Any]) -> Any:
        """The agent that comes back when a peer saves it halfway."""
        return self.put(way(self.take(self.halfway())))

    def through_persist(self) -> Any:
        """The agent that comes back when Persist saves it halfway."""
        return persist.loads(persist.dumps(self.halfway()), into=self.build())


class ModelLife(Life):
    """A model lives by its settings alone, and gets its key when it is back."""

    def through_persist(self) -> Any:
        """The model that comes back without another of the same code."""
        return persist.loads(persist.dumps(self.halfway()), secrets=KEYS)


def _model(name: str) -> Life:
    return ModelLife(
        build=lambda: rows.build(rows.ROWS[name]),
        first=lambda _model: None,
        rest=lambda model: (type(model), repr(rows.shown(model))),
        take=lambda model: model,
        put=lambda model: model,
    )


def _talk(agent: Any, *texts: str) -> list[str]:
    classic.SEEN.clear()
    for text in texts:
        classic.talk(agent, text)
    return list(classic.SEEN)


def _chain(kind: str) -> Life:
    return Life(
        build=classic.KINDS[kind],
        first=lambda agent: _talk(agent, "I am Ann.", "I like green tea."),
        rest=lambda agent: _talk(agent, "Who is Ann?", "What does Ann like?"),
        take=lambda agent: agent,
        put=lambda agent: agent,
    )


def _graph(scenario: type) -> Life:
    case = scenario()
    build = partial(_built, case)
    return Life(
        build=build,
        first=case.first,
        rest=lambda graph: repr(case.rest(graph)),
        take=lambda graph: graph.get_state(graphs.CONFIG).values,
        put=lambda values: _filled(build(), values),
    )


def _built(case: Any) -> Any:
    return case.build(InMemorySaver())


def _filled(graph: Any, values: Any) -> Any:
    graph.update_state(graphs.CONFIG, values)
    return graph


def _title(kind: str) -> str:
    return f"langchain-classic: {kind.replace('_', ' ')}"


CHAINS = {_title(kind): _chain(kind) for kind in classic.KINDS}
GRAPHS = {
    "create_agent with state of its own": _graph(graphs.Agent),
    "create_agent that waits for approval": _graph(graphs.Approval),
    "two tool calls, one in flight": _graph(graphs.InFlight),
    "structured response, middleware": _graph(graphs.Structured),
    "parallel branches by Send": _graph(graphs.FanOut),
    "subgraph that stopped halfway": _graph(graphs.Nested),
    "DeltaChannel": _graph(graphs.Delta),
}
KEYS = {name: rows.CANARY for row in rows.ROWS.values() for name in row.secrets.values()}
MODELS = {
    name.rpartition(".")[2]: _model(name)
    for name in (
        "langchain_openai.ChatOpenAI",
        "langchain_openai.OpenAIEmbeddings",
        "langchain_anthropic.ChatAnthropic",
        "langchain_ollama.ChatOllama",
        "langchain_groq.ChatGroq",
        "langchain_mistralai.ChatMistralAI",
    )
}
LIVES = {**GRAPHS, **CHAINS, **MODELS}
