"""An agent that is snapshotted and restored at any time never differs from its twin that is not."""

import contextlib

import hypothesis.strategies as st
import persist
import pytest
from graphs import CONFIG, Approval
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from langchain_classic.chains import ConversationChain
from langchain_classic.memory import ConversationSummaryBufferMemory
from langchain_core.language_models.llms import LLM
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)


class Graphs(RuleBasedStateMachine):
    """A `create_agent` with approvals; the second twin moves from checkpointer to checkpointer."""

    def __init__(self):
        super().__init__()
        self.case = Approval()
        self.twins = [self.case.build(InMemorySaver()) for _ in range(2)]
        self.is_waiting = False
        self.open = contextlib.ExitStack()

    def teardown(self):
        self.open.close()

    def both(self, step):
        for twin in self.twins:
            step(twin)
        self.is_waiting = bool(self.twins[0].get_state(CONFIG).interrupts)

    @precondition(lambda self: not self.is_waiting)
    @rule(text=TEXTS)
    def say(self, text):
        self.both(lambda twin: twin.invoke({"messages": [("user", text)]}, CONFIG))

    @precondition(lambda self: self.is_waiting)
    @rule(kind=st.sampled_from(["approve", "reject"]))
    def decide(self, kind):
        decision = Command(resume={"decisions": [{"type": kind}]})
        self.both(lambda twin: twin.invoke(decision, CONFIG))

    @precondition(lambda self: self.twins[0].get_state(CONFIG).values)
    @rule(
        granularity=st.sampled_from(["thread", "history"]),
        compression=st.sampled_from(["gzip", "zstd", "none"]),
        is_sqlite=st.booleans(),
    )
    def move(self, granularity, compression, is_sqlite):
        data = persist.dumps(self.twins[1], granularity=granularity, compression=compression)
        saver = InMemorySaver()
        if is_sqlite:
            saver = self.open.enter_context(SqliteSaver.from_conn_string(":memory:"))
        self.twins[1] = persist.loads(data, into=self.case.build(saver))

    @invariant()
    def they_hold_the_same(self):
        one, other = (_bare(twin) for twin in self.twins)
        assert one == other


def _bare(twin):
    """What the twins share: their ids and times are their own."""
    state = twin.get_state(CONFIG)
    messages = [
        (message.type, message.content, getattr(message, "tool_calls", None))
        for message in state.values.get("messages", ())
    ]
    return messages, state.next, [each.value for each in state.interrupts]


class Summarizing(LLM):
    """A model that answers with the length of its prompt."""

    @property
    def _llm_type(self):
        return "scripted"

    def _call(self, prompt, stop=None, run_manager=None, **kwargs):
        return f"{len(prompt)} characters, {prompt[-30:]!r}"

    def get_token_ids(self, text):
        return list(range(len(text.split())))


def conversation():
    memory = ConversationSummaryBufferMemory(llm=Summarizing(), max_token_limit=30)
    return ConversationChain(llm=Summarizing(), memory=memory)


class Conversations(RuleBasedStateMachine):
    """A chain whose memory summarizes what is too long."""

    def __init__(self):
        super().__init__()
        self.twins = [conversation(), conversation()]

    @rule(text=TEXTS)
    def say(self, text):
        one, other = (twin.predict(input=text) for twin in self.twins)
        assert one == other

    @rule(how=st.sampled_from(["into", "llm"]))
    def move(self, how):
        data = persist.dumps(self.twins[1])
        given = {"into": conversation()} if how == "into" else {"llm": Summarizing()}
        self.twins[1] = persist.loads(data, **given)

    @invariant()
    def they_remember_the_same(self):
        one, other = (twin.memory.load_memory_variables({}) for twin in self.twins)
        assert one == other


SETTINGS = settings(max_examples=25, stateful_step_count=12, deadline=None)
TestGraphs = Graphs.TestCase
TestGraphs.settings = SETTINGS
TestConversations = pytest.mark.filterwarnings("ignore::DeprecationWarning")(Conversations.TestCase)
TestConversations.settings = SETTINGS
