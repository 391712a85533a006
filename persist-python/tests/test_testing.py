"""What adapter authors test with: it passes what is right and finds what is not."""

import persist
import pytest
from hypothesis import given, settings
from langchain_classic.chains import ConversationChain
from langchain_classic.memory import ConversationSummaryMemory
from langchain_core.language_models.llms import LLM
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from persist import testing
from persist.adapters import Captured, _registry
from persist.codec import _registry as _kinds


@settings(max_examples=30, deadline=None)
@given(testing.messages())
def test_conversations_come_back(messages):
    testing.check_round_trip(messages)


def test_a_value_that_changes_is_found_by_its_place(monkeypatch):
    class Forgetful:
        name = "acme.forgetful"

        def matches(self, names):
            return names[0].endswith(".Tracked")

        def encode(self, value, refuse):
            return list(value)

        def decode(self, node, read):
            return Tracked([*node, "more"])

    class Tracked(list):
        pass

    monkeypatch.setattr(_kinds, "_kinds", [*_kinds._kinds])
    persist.register_kind(Forgetful())
    with pytest.raises((AssertionError, persist.UnserializableStateError), match=r"\$"):
        testing.check_round_trip({"a": Tracked([1])})


class Model(LLM):
    """A model that answers with the length of its prompt."""

    @property
    def _llm_type(self):
        return "scripted"

    def _call(self, prompt, stop=None, run_manager=None, **kwargs):
        return str(len(prompt))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_chain_passes():
    def build():
        return ConversationChain(llm=Model(), memory=ConversationSummaryMemory(llm=Model()))

    acts = [lambda agent, text=text: agent.predict(input=text) for text in ("a", "bb", "ccc")]
    testing.check_adapter(build, acts, lambda agent: agent.memory.load_memory_variables({}))


def test_a_graph_passes():
    config = {"configurable": {"thread_id": "t"}}

    def build():
        graph = StateGraph(dict)
        graph.add_node("count", lambda state: {**state, "n": state.get("n", 0) + 1})
        graph.add_edge(START, "count")
        return graph.compile(checkpointer=InMemorySaver())

    acts = [lambda agent: agent.invoke({"n": 1}, config), lambda agent: agent.invoke({}, config)]
    testing.check_adapter(build, acts, lambda agent: agent.get_state(config).values)


class Bot:
    """An agent of somebody, with two things to remember."""

    def __init__(self):
        self.seen, self.mood = [], 0


class HalfAdapter:
    """Forgets the mood."""

    id, version, distributions, classes = "acme-half", 1, (), ()

    def matches(self, names):
        return 10 * names[0].endswith(".Bot")

    def capture(self, agent, options):
        return Captured(self.id, self.version, {"seen": list(agent.seen)}, "acme.Bot")

    def restore(self, document, context):
        bot = context.agent()
        bot.seen = document["state"]["seen"]
        return bot


def test_an_adapter_that_forgets_is_found(monkeypatch):
    monkeypatch.setattr(_registry, "_registered", {})
    persist.register_adapter(HalfAdapter())

    def act(bot):
        bot.mood += 1
        bot.seen.append(bot.mood)

    with pytest.raises(AssertionError, match="after 1 acts"):
        testing.check_adapter(Bot, [act, act], lambda bot: (bot.seen, bot.mood))
