"""Chains and histories of langchain-classic come back whole, or say what they need."""

import persist
import pytest
from langchain_classic.chains import ConversationChain
from langchain_classic.memory import (
    CombinedMemory,
    ConversationBufferMemory,
    ConversationBufferWindowMemory,
)
from langchain_core.chat_history import BaseChatMessageHistory, InMemoryChatMessageHistory
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate
from langchain_core.runnables import ConfigurableFieldSpec
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_openai import ChatOpenAI
from pydantic import Field

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

KEY = "a key that no file may hold"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "agent.json.gz"


class Recorder(FakeListChatModel):
    """A model that keeps what it is sent."""

    seen: list = Field(default_factory=list)

    def _call(self, messages, *args, **kwargs):
        self.seen.append([(message.type, message.content) for message in messages])
        return super()._call(messages, *args, **kwargs)


def recorder():
    return Recorder(responses=["One.", "Two.", "Three.", "Four."])


def window(**fields):
    return ConversationBufferWindowMemory(
        k=1,
        memory_key="log",
        human_prefix="Ann",
        ai_prefix="Bot",
        input_key="text",
        output_key="said",
        **fields,
    )


def unusual(llm):
    """A chain of which nothing is as by default."""
    return ConversationChain(
        llm=llm,
        memory=window(),
        prompt=PromptTemplate(
            template="{day}\n{log}\n{text}",
            input_variables=["log", "text"],
            partial_variables={"day": "Monday"},
        ),
        input_key="text",
        output_key="said",
        return_final_only=False,
        llm_kwargs={"temperature": 0.1},
        tags=["a", "b"],
        metadata={"when": (2026, 11)},
        name="small talk",
    )


def quiet(llm):
    """The same with messages as messages."""
    messages = [("system", "Be kind."), MessagesPlaceholder("history"), ("human", "{input}")]
    return ConversationChain(
        llm=llm,
        memory=ConversationBufferMemory(return_messages=True),
        prompt=ChatPromptTemplate.from_messages(messages),
    )


HOWS = {
    "llm": lambda build, llm: {"llm": llm},
    "into": lambda build, llm: {"into": build(llm)},
    "factory": lambda build, llm: {"factory": lambda: build(llm)},
}


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("build", [unusual, quiet])
def test_the_model_is_sent_what_it_would_have_been_sent(build, how, path):
    original = build(recorder())
    for text in ("I am Ann.", "I like tea."):
        original.invoke({original.input_key: text})
    persist.snapshot(original, path)
    restored = persist.restore(path, **HOWS[how](build, recorder()))
    for chain in (original, restored):
        chain.llm.seen.clear()
        chain.invoke({chain.input_key: "Who am I?"})
    assert restored.llm.seen == original.llm.seen
    assert "tea" in str(restored.llm.seen)


def test_a_chain_that_is_built_again_has_every_setting(path):
    original = unusual(recorder())
    original.invoke({"text": "I am Ann."})
    persist.snapshot(original, path)
    llm = recorder()
    restored = persist.restore(path, llm=llm)
    for one, other in ((original, restored), (original.memory, restored.memory)):
        for name in set(type(one).model_fields) - {"llm", "memory", "chat_memory"}:
            assert getattr(other, name) == getattr(one, name), name
    assert restored.llm is llm
    assert restored.metadata["when"] == (2026, 11)
    assert restored.memory.chat_memory == original.memory.chat_memory


@pytest.mark.parametrize("verbose", [False, True])
def test_verbose_comes_back(verbose, path):
    persist.snapshot(ConversationChain(llm=recorder(), verbose=verbose), path)
    assert persist.restore(path, llm=recorder()).verbose is verbose


def test_an_agent_that_lives_keeps_its_own_objects(path):
    original = quiet(recorder())
    original.predict(input="I am Ann.")
    persist.snapshot(original, path)
    target = quiet(recorder())
    memory, history, llm = target.memory, target.memory.chat_memory, target.llm
    assert persist.restore(path, into=target) is target
    assert (target.memory is memory, memory.chat_memory is history, target.llm is llm) == (
        True,
    ) * 3
    assert [message.content for message in history.messages] == ["I am Ann.", "One."]
    original.predict(input="I like tea.")
    assert len(history.messages) == 2


def test_a_model_of_the_users_own_has_to_be_passed(path):
    persist.snapshot(quiet(recorder()), path)
    with pytest.raises(persist.NeedsContextError, match="ConversationChain") as caught:
        persist.restore(path)
    assert "Recorder" in caught.value.hint
    assert "llm=" in caught.value.hint


@pytest.fixture
def keyed(path, monkeypatch):
    """A snapshot of a chain whose model needs a key."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    llm = ChatOpenAI(model="gpt-4o-mini", temperature=0.25, api_key=KEY)
    persist.snapshot(ConversationChain(llm=llm), path, compression="gzip")
    return path


def test_a_missing_key_is_named_and_never_saved(keyed):
    assert KEY not in str(persist.load_state(keyed))
    with pytest.raises(
        persist.MissingSecretError, match="ChatOpenAI needs OPENAI_API_KEY"
    ) as caught:
        persist.restore(keyed)
    assert 'secrets={"OPENAI_API_KEY"' in caught.value.hint


def test_the_key_comes_from_the_caller_before_the_environment(keyed, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "of the environment")
    assert _key(persist.restore(keyed)) == "of the environment"
    restored = persist.restore(keyed, secrets={"OPENAI_API_KEY": "of the caller"})
    assert _key(restored) == "of the caller"
    assert (restored.llm.model_name, restored.llm.temperature) == ("gpt-4o-mini", 0.25)


def _key(chain):
    return chain.llm.openai_api_key.get_secret_value()


@pytest.mark.parametrize("how", HOWS)
def test_no_key_is_asked_for_when_the_model_is_there(how, keyed):
    given = ChatOpenAI(model="gpt-4o-mini", api_key="another")
    restored = persist.restore(keyed, **HOWS[how](lambda llm: ConversationChain(llm=llm), given))
    assert restored.llm is given


class Remote(BaseChatMessageHistory):
    """A history of the user's own."""

    messages = ()

    def clear(self):
        raise NotImplementedError


class Memory(ConversationBufferMemory):
    """A memory of the user's own."""


def with_memory(memory, template="{history} {input}"):
    prompt = PromptTemplate.from_template(template)
    return ConversationChain(llm=recorder(), memory=memory, prompt=prompt)


def combined():
    memories = [
        ConversationBufferMemory(input_key="input"),
        Memory(input_key="input", memory_key="more"),
    ]
    return with_memory(CombinedMemory(memories=memories), "{history} {more} {input}")


@pytest.mark.parametrize(
    ("build", "where", "name"),
    [
        (lambda: with_memory(Memory()), "$.memory", ".Memory"),
        (
            lambda: with_memory(ConversationBufferMemory(chat_memory=Remote())),
            "$.memory.chat_memory",
            ".Remote",
        ),
        (combined, "$.memory.memories[1]", ".Memory"),
        (Memory, "$", ".Memory"),
    ],
)
def test_a_memory_that_cannot_come_back_is_refused_by_its_path(build, where, name, path):
    with pytest.raises(persist.UnserializableStateError) as caught:
        persist.snapshot(build(), path)
    assert caught.value.path == where
    assert caught.value.type_name.endswith(name)
    assert not path.exists()


def test_code_in_a_prompt_is_refused_by_its_path(path):
    prompt = PromptTemplate(
        template="{day} {history} {input}",
        input_variables=["history", "input"],
        partial_variables={"day": lambda: "Monday"},
    )
    with pytest.raises(persist.UnserializableStateError) as caught:
        persist.snapshot(ConversationChain(llm=recorder(), prompt=prompt), path)
    assert caught.value.path.endswith("prompt.partial_variables.day")


def with_history(store, llm, **options):
    def history_of(*names):
        name = names if len(names) > 1 else names[0]
        return store.setdefault(name, InMemoryChatMessageHistory())

    messages = [MessagesPlaceholder("past"), ("human", "{text}")]
    return RunnableWithMessageHistory(
        ChatPromptTemplate.from_messages(messages) | llm,
        options.pop("history_of", history_of),
        input_messages_key="text",
        history_messages_key="past",
        **options,
    )


def say(chain, text, **where):
    return chain.invoke({"text": text}, {"configurable": where or {"session_id": "s"}})


def texts(history):
    return [message.content for message in history.messages]


def test_every_session_goes_on_by_itself(path):
    store, other = {}, {}
    original = with_history(store, recorder())
    say(original, "I am Ann.", session_id="ann")
    say(original, "I am Bob.", session_id="bob")
    say(original, "I like tea.", session_id="ann")
    persist.snapshot(original, path, session=store)
    llm = recorder()
    restored = with_history(other, llm)
    assert persist.restore(path, into=restored, session=other) is restored
    assert other == store
    say(restored, "Who am I?", session_id="bob")
    assert llm.seen == [[("human", "I am Bob."), ("ai", "Two."), ("human", "Who am I?")]]
    assert texts(other["ann"]) == ["I am Ann.", "One.", "I like tea.", "Three."]


def test_sessions_that_several_fields_name_come_back_under_them(path):
    fields = [
        ConfigurableFieldSpec(id=name, annotation=str, name=name, is_shared=True)
        for name in ("user_id", "conversation_id")
    ]

    def build(store, llm):
        def history_of(user_id, conversation_id):
            return store.setdefault((user_id, conversation_id), InMemoryChatMessageHistory())

        return with_history(store, llm, history_of=history_of, history_factory_config=fields)

    store, other, llm = {}, {}, recorder()
    original = build(store, recorder())
    say(original, "I am Ann.", user_id="ann", conversation_id="1")
    say(original, "I am Eve.", user_id="ann", conversation_id="2")
    persist.snapshot(original, path, session=store)
    restored = persist.restore(path, into=build(other, llm), session=other)
    say(restored, "Who am I?", user_id="ann", conversation_id="2")
    assert llm.seen == [[("human", "I am Eve."), ("ai", "Two."), ("human", "Who am I?")]]
    assert list(other) == [("ann", "1"), ("ann", "2")]


def test_messages_of_a_session_keep_their_ids_and_calls(path):
    call = {"name": "add", "args": {"a": 1}, "id": "call-1", "type": "tool_call"}
    messages = [HumanMessage("Hi", id="1"), AIMessage("", id="2", tool_calls=[call])]
    store = {"s": InMemoryChatMessageHistory(messages=messages)}
    persist.snapshot(with_history(store, recorder()), path, session=store)
    restored = persist.restore(path)
    assert restored["s"].messages == messages
    assert type(restored["s"]) is InMemoryChatMessageHistory


async def test_asynchronous_code_brings_sessions_too(path):
    store, other = {}, {}
    original = with_history(store, recorder())
    await original.ainvoke({"text": "I am Ann."}, {"configurable": {"session_id": "s"}})
    await persist.asnapshot(original, path, session=store)
    await persist.arestore(path, into=with_history(other, recorder()), session=other)
    assert texts(other["s"]) == ["I am Ann.", "One."]


@pytest.fixture
def session(path):
    """A snapshot of one turn, and the store, in which the session went on."""
    store = {}
    chain = with_history(store, recorder())
    say(chain, "I am Ann.")
    persist.snapshot(chain, path, session=store)
    say(chain, "I like tea.")
    return chain, store


def test_a_session_that_went_on_is_not_cut_without_a_word(session, path):
    chain, store = session
    store["other"] = InMemoryChatMessageHistory(messages=[HumanMessage("Hi")])
    with pytest.raises(persist.RestoreConflictError, match="'s'") as caught:
        persist.restore(path, into=chain, session=store)
    assert 'on_existing="replace"' in caught.value.hint
    assert texts(store["s"]) == ["I am Ann.", "One.", "I like tea.", "Two."]
    persist.restore(path, into=chain, session=store, on_existing="replace")
    assert texts(store["s"]) == ["I am Ann.", "One."]
    assert texts(store["other"]) == ["Hi"]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_session_that_is_behind_catches_up(count, session, path):
    chain, store = session
    del store["s"].messages[count:]
    persist.restore(path, into=chain, session=store)
    assert texts(store["s"]) == ["I am Ann.", "One."]


def test_the_store_has_to_be_handed_in(session, path, tmp_path):
    chain, store = session
    for wrong in (None, [store], InMemoryChatMessageHistory()):
        with pytest.raises(persist.StateNotOnAgentError, match="store of yours") as caught:
            persist.snapshot(chain, tmp_path / "b.json.gz", session=wrong)
        assert "session=store" in caught.value.hint
    assert not (tmp_path / "b.json.gz").exists()
    with pytest.raises(persist.NeedsContextError) as caught:
        persist.restore(path, into=chain)
    assert "session=store" in caught.value.hint


def test_a_history_outside_the_process_is_refused_by_its_session(path):
    store = {"here": InMemoryChatMessageHistory(), ("a", 1): Remote()}
    with pytest.raises(persist.UnserializableStateError) as caught:
        persist.snapshot(with_history(store, recorder()), path, session=store)
    assert caught.value.path == "$.sessions[('a', 1)]"
    assert caught.value.type_name.endswith(".Remote")
    assert not path.exists()
