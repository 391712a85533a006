"""An agent that is snapshotted and restored at any time never differs from its twin that is not."""

import contextlib
import pickle
from typing import Any
from uuid import UUID

import hypothesis.strategies as st
import persist
import pytest
from graphs import CONFIG, Approval, Model, add
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from langchain.agents import create_agent
from langchain.agents.middleware import AgentState, HumanInTheLoopMiddleware
from langchain_classic.chains import ConversationChain
from langchain_classic.memory import ConversationBufferMemory, ConversationSummaryBufferMemory
from langchain_core.language_models.llms import LLM
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command
from persist import testing
from persist.codec import difference
from typing_extensions import NotRequired

# hypothesis makes a failing life smaller for 300 s; an end before that looks as if it were flaky.
pytestmark = pytest.mark.timeout(900)

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
MESSAGES = testing.messages().filter(bool)
VALUES = testing.values(max_leaves=6) | testing.arrays()


def own(value):
    """A copy that shares nothing, as `copy.deepcopy` would share decimals."""
    return pickle.loads(pickle.dumps(value))


def check(twins, look):
    place = difference(*map(look, twins))
    assert place is None, f"the twins differ in ${place}"


class Graphs(RuleBasedStateMachine):
    """A `create_agent` with approvals; the second twin moves from checkpointer to checkpointer."""

    def __init__(self):
        super().__init__()
        self.open = contextlib.ExitStack()
        self.twins = [self.build(is_sqlite=False) for _ in range(2)]
        self.is_waiting = False

    def teardown(self):
        self.open.close()

    def build(self, *, is_sqlite, serde=None):
        saver = InMemorySaver(serde=serde)
        if is_sqlite:
            saver = self.open.enter_context(SqliteSaver.from_conn_string(":memory:"))
            saver.serde = serde or saver.serde
        return self.agent(saver)

    def agent(self, saver):
        return Approval().build(saver)

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
        self.twins[1] = persist.loads(data, into=self.build(is_sqlite=is_sqlite))

    @invariant()
    def they_hold_the_same(self):
        check(self.twins, _bare)


def _bare(twin):
    """What the twins share: times, and ids that are made up, are their own."""
    state = twin.get_state(CONFIG)
    values = {**state.values, "messages": [*map(_nameless, state.values.get("messages", ()))]}
    return values, state.next, [each.value for each in state.interrupts]


def _nameless(message):
    try:
        UUID(message.id)
    except ValueError:
        return message
    return message.model_copy(update={"id": None})


class Exact:
    """A serializer of checkpoints that changes nothing, so that what differs is Persist's."""

    def dumps_typed(self, value):
        return "pickle", pickle.dumps(value)

    def loads_typed(self, data):
        return pickle.loads(data[1])


class Holding(AgentState):
    """State with a place for anything."""

    held: NotRequired[Any]


class Holders(Graphs):
    """The same, with any messages, and anything in its state and its store.

    LangGraph's own serializer refuses some of this and changes more.
    """

    def build(self, **options):
        return super().build(serde=Exact(), **options)

    def agent(self, saver):
        return create_agent(
            Model(calls=True),
            [add],
            middleware=[HumanInTheLoopMiddleware(interrupt_on={"add": True})],
            state_schema=Holding,
            checkpointer=saver,
            store=InMemoryStore(),
        )

    @precondition(lambda self: not self.is_waiting)
    @rule(messages=MESSAGES, held=VALUES)
    def hand_over(self, messages, held):
        given = {"messages": messages, "held": held}
        self.both(lambda twin: twin.invoke(own(given), CONFIG))

    @rule(key=st.sampled_from("ab"), value=VALUES)
    def put(self, key, value):
        self.both(lambda twin: twin.store.put(("notes",), key, {"value": own(value)}))

    @invariant()
    def their_stores_hold_the_same(self):
        check(self.twins, lambda twin: [(n.key, n.value) for n in twin.store.search(("notes",))])


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


class Counting(Model):
    """A model that keeps what it was sent last."""

    seen: Any = None

    def _generate(self, messages, *args, **kwargs):
        self.seen = messages
        return super()._generate(messages, *args, **kwargs)


def remembering():
    prompt = ChatPromptTemplate.from_messages(
        [MessagesPlaceholder("history"), ("human", "{input}")]
    )
    memory = ConversationBufferMemory(return_messages=True)
    return ConversationChain(llm=Counting(), memory=memory, prompt=prompt)


class Memories(RuleBasedStateMachine):
    """A chain whose model is sent any messages."""

    def __init__(self):
        super().__init__()
        self.twins = [remembering(), remembering()]

    @rule(text=TEXTS)
    def say(self, text):
        for twin in self.twins:
            twin.predict(input=text)
        check(self.twins, lambda twin: twin.llm.seen)

    @rule(messages=MESSAGES)
    def hand_over(self, messages):
        for twin in self.twins:
            twin.memory.chat_memory.add_messages(own(messages))

    @rule(how=st.sampled_from(["into", "llm"]))
    def move(self, how):
        data = persist.dumps(self.twins[1])
        given = {"into": remembering()} if how == "into" else {"llm": Counting()}
        self.twins[1] = persist.loads(data, **given)

    @invariant()
    def they_remember_the_same(self):
        check(self.twins, lambda twin: twin.memory.chat_memory.messages)


SETTINGS = settings(max_examples=25, stateful_step_count=12, deadline=None)
TestGraphs = Graphs.TestCase
TestGraphs.settings = SETTINGS
TestHolders = Holders.TestCase
TestHolders.settings = SETTINGS
TestConversations = pytest.mark.filterwarnings("ignore::DeprecationWarning")(Conversations.TestCase)
TestConversations.settings = SETTINGS
TestMemories = pytest.mark.filterwarnings("ignore::DeprecationWarning")(Memories.TestCase)
TestMemories.settings = SETTINGS
