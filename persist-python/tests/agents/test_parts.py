"""Parts of a chain whose data is elsewhere, or that cannot come back."""

import warnings

import persist
import pytest
from langchain_classic.agents.openai_functions_agent.agent_token_buffer_memory import (
    AgentTokenBufferMemory,
)
from langchain_classic.agents.output_parsers.tools import ToolAgentAction
from langchain_classic.chains import ConversationChain, RetrievalQA
from langchain_classic.memory import ConversationBufferMemory, ConversationSummaryMemory
from langchain_core.callbacks import StdOutCallbackHandler
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.language_models import FakeListChatModel, FakeListLLM
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables.history import RunnableWithMessageHistory
from persist.codec import difference

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # langchain-community says that it is being sunset
    from langchain_community.chat_message_histories import (
        FileChatMessageHistory,
        SQLChatMessageHistory,
    )

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def chain(history=None, **fields):
    memory = ConversationBufferMemory() if history is None else None
    memory = memory or ConversationBufferMemory(chat_memory=history)
    return ConversationChain(llm=FakeListLLM(responses=["Hi.", "Bye."]), memory=memory, **fields)


HISTORIES = {
    "file": lambda folder, name: FileChatMessageHistory(folder / f"{name}.json"),
    "sql": lambda folder, name: SQLChatMessageHistory(
        name, connection=f"sqlite:///{folder / 'sessions.db'}"
    ),
}


@pytest.mark.parametrize("kind", HISTORIES)
def test_a_history_outside_the_process_stays_there(kind, tmp_path):
    make = HISTORIES[kind]
    agent = chain(make(tmp_path, "ann"))
    agent.predict(input="I am Ann.")
    persist.snapshot(agent, tmp_path / "a.json.gz")
    assert "I am Ann" not in str(persist.load_state(tmp_path / "a.json.gz"))
    restored = persist.restore(tmp_path / "a.json.gz", into=chain(make(tmp_path, "ann")))
    assert [message.content for message in restored.memory.chat_memory.messages] == [
        "I am Ann.",
        "Hi.",
    ]


@pytest.mark.parametrize("kind", HISTORIES)
def test_another_history_is_refused(kind, tmp_path):
    make = HISTORIES[kind]
    persist.snapshot(chain(make(tmp_path, "ann")), tmp_path / "a.json.gz")
    with pytest.raises(persist.FingerprintMismatchError, match="ann"):
        persist.restore(tmp_path / "a.json.gz", into=chain(make(tmp_path, "bob")))
    with pytest.raises(persist.NeedsContextError, match="chat_memory"):
        persist.restore(tmp_path / "a.json.gz")


@pytest.mark.parametrize("kind", HISTORIES)
def test_a_history_by_itself_is_kept_as_a_reference(kind, tmp_path):
    make, path = HISTORIES[kind], tmp_path / "a.json.gz"
    history = make(tmp_path, "ann")
    history.add_message(HumanMessage("I am Ann."))
    persist.snapshot(history, path)
    assert "I am Ann" not in str(persist.load_state(path))
    assert persist.restore(path, into=make(tmp_path, "ann")).messages == history.messages
    with pytest.raises(persist.FingerprintMismatchError, match="bob"):
        persist.restore(path, into=make(tmp_path, "bob"))
    with pytest.raises(persist.NeedsContextError):
        persist.restore(path)


def test_a_database_in_memory_is_no_place_to_come_back_to(tmp_path):
    for history in (
        SQLChatMessageHistory("ann", connection="sqlite://"),
        SQLChatMessageHistory("ann", connection="sqlite:///:memory:"),
    ):
        with pytest.raises(persist.UnserializableStateError, match=r"in memory"):
            persist.snapshot(chain(history), tmp_path / "a.json.gz")
    assert not (tmp_path / "a.json.gz").exists()


def test_another_database_is_another_history(tmp_path):
    (tmp_path / "other").mkdir()
    make = HISTORIES["sql"]
    persist.snapshot(chain(make(tmp_path, "ann")), tmp_path / "a.json.gz")
    with pytest.raises(persist.FingerprintMismatchError, match="other"):
        persist.restore(tmp_path / "a.json.gz", into=chain(make(tmp_path / "other", "ann")))


def sessions(store):
    return RunnableWithMessageHistory(FakeListChatModel(responses=["Hi."]), store.get)


@pytest.mark.parametrize("kind", HISTORIES)
def test_a_session_that_is_kept_elsewhere_is_looked_for_in_the_store(kind, tmp_path):
    make, path = HISTORIES[kind], tmp_path / "a.json.gz"
    store = {"ann": make(tmp_path, "ann"), "bob": InMemoryChatMessageHistory()}
    agent = sessions(store)
    for name in store:
        agent.invoke(f"I am {name}.", {"configurable": {"session_id": name}})
    persist.snapshot(agent, path, session=store)
    assert "I am ann." not in str(persist.load_state(path))
    again = {"ann": make(tmp_path, "ann")}
    assert persist.restore(path, into=sessions(again), session=again)
    assert {name: [m.content for m in history.messages] for name, history in again.items()} == {
        "ann": ["I am ann.", "Hi."],
        "bob": ["I am bob.", "Hi."],
    }
    for wrong in ({}, {"ann": make(tmp_path, "eve")}, {"ann": InMemoryChatMessageHistory()}):
        names = list(wrong)
        with pytest.raises(persist.NeedsContextError, match="'ann' is kept in a") as caught:
            persist.restore(path, into=agent, session=wrong)
        assert "store" in caught.value.hint
        assert list(wrong) == names


def test_what_a_file_names_is_not_opened(tmp_path):
    path = tmp_path / "named.json"
    persist.snapshot(chain(FileChatMessageHistory(path)), tmp_path / "a.json.gz")
    path.unlink()
    with pytest.raises(persist.NeedsContextError):
        persist.restore(tmp_path / "a.json.gz")
    assert not path.exists()


class Retriever(BaseRetriever):
    def _get_relevant_documents(self, query, *, run_manager):
        return []


def test_a_part_of_an_unknown_class_is_refused_by_its_path(tmp_path):
    agent = RetrievalQA.from_chain_type(FakeListLLM(responses=["a"]), retriever=Retriever())
    with pytest.raises(persist.UnserializableStateError, match=r"\$\.retriever") as caught:
        persist.snapshot(agent, tmp_path / "a.json.gz")
    assert caught.value.type_name.endswith(".Retriever")
    assert not (tmp_path / "a.json.gz").exists()


def test_a_chain_that_keeps_nothing_is_not_saved_as_nothing(tmp_path):
    agent = chain(callbacks=[StdOutCallbackHandler()])
    agent.memory = None
    with pytest.raises(persist.StateNotOnAgentError, match="no memory"):
        persist.snapshot(agent, tmp_path / "a.json.gz")


@pytest.mark.parametrize(
    "code",
    [{"callbacks": [StdOutCallbackHandler()]}, {"llm_kwargs": {"extra_headers": {"a": "b"}}}],
)
def test_what_is_code_or_steers_calls_needs_the_agent_itself(code, tmp_path):
    persist.snapshot(chain(**code), tmp_path / "a.json.gz")
    with pytest.raises(persist.NeedsContextError, match=next(iter(code))) as caught:
        persist.restore(tmp_path / "a.json.gz")
    assert "into=" in caught.value.hint


def test_a_failed_restore_leaves_every_part_as_it_was(tmp_path, monkeypatch):
    def build():
        return chain_with_summary()

    agent = build()
    agent.predict(input="I am Ann.")
    persist.snapshot(agent, tmp_path / "a.json.gz")
    target = build()
    target.memory.chat_memory.messages = [HumanMessage("kept")]
    target.memory.buffer = "kept"

    def fail(self, name, value):
        if name == "messages" and len(value) > 1:
            message = "no room"
            raise OSError(message)
        object.__setattr__(self, name, value)

    monkeypatch.setattr(type(target.memory.chat_memory), "__setattr__", fail)
    with pytest.raises(OSError, match="no room"):
        persist.restore(tmp_path / "a.json.gz", into=target)
    assert target.memory.buffer == "kept"
    assert [message.content for message in target.memory.chat_memory.messages] == ["kept"]


def chain_with_summary():
    model = FakeListLLM(responses=["Hi.", "A summary."])
    return ConversationChain(llm=model, memory=ConversationSummaryMemory(llm=model))


def test_a_memory_by_itself_is_an_agent_too(tmp_path):
    memory = ConversationSummaryMemory(llm=FakeListLLM(responses=["A summary."]))
    memory.save_context({"input": "I am Ann."}, {"response": "Hi."})
    persist.snapshot(memory, tmp_path / "a.json.gz")
    other = ConversationSummaryMemory(llm=FakeListLLM(responses=["-"]))
    assert persist.restore(tmp_path / "a.json.gz", into=other).buffer == "A summary."
    built = persist.restore(tmp_path / "a.json.gz", llm=other.llm)
    assert (built.buffer, built.llm) == ("A summary.", other.llm)


class Counting(FakeListLLM):
    """A model that needs no tokenizer to count."""

    def get_token_ids(self, text):
        return list(range(len(text.split())))


def test_a_memory_of_steps_comes_back_with_what_the_tools_said(tmp_path):
    def memory():
        model = Counting(responses=["-"])
        return AgentTokenBufferMemory(llm=model, max_token_limit=40, format_as_tools=True)

    def talk(memory, word):
        asked = AIMessage("", tool_calls=[{"name": "add", "args": {}, "id": word}])
        call = ToolAgentAction(
            tool="add", tool_input={}, log=word, tool_call_id=word, message_log=[asked]
        )
        outputs = {"output": [AIMessage(word)], "intermediate_steps": [(call, f"said {word}")]}
        memory.save_context({"input": [HumanMessage(word)]}, outputs)

    first, other = memory(), memory()
    for word in ("one", "two"):
        talk(first, word)
    persist.snapshot(first, tmp_path / "a.json.gz")
    restored = persist.restore(tmp_path / "a.json.gz", into=other)
    for each in (first, restored):
        talk(each, "three")
    assert difference(first.chat_memory.messages, restored.chat_memory.messages) is None
    assert "said two" in str(restored.load_memory_variables({}))
    built = persist.restore(tmp_path / "a.json.gz", llm=other.llm)
    assert (built.format_as_tools, built.max_token_limit) == (True, 40)


def test_a_state_of_a_newer_adapter_is_refused(tmp_path, monkeypatch):
    from persist.adapters import langchain_classic

    monkeypatch.setattr(langchain_classic.ClassicAdapter, "version", 3)
    persist.snapshot(chain(), tmp_path / "a.json.gz")
    monkeypatch.undo()
    with pytest.raises(persist.UnsupportedVersionError, match="version 3"):
        persist.restore(tmp_path / "a.json.gz")


def test_a_migration_is_taken_once_for_each_version(tmp_path, monkeypatch):
    from persist.adapters import langchain_classic

    persist.snapshot(chain(), tmp_path / "a.json.gz")
    monkeypatch.setattr(langchain_classic.ClassicAdapter, "version", 4)
    with pytest.raises(persist.UnsupportedVersionError) as caught:
        persist.restore(tmp_path / "a.json.gz", llm=FakeListLLM(responses=["a"]))
    assert "register_migration('langchain-classic', 2" in caught.value.hint
    steps = []
    for version in (2, 3):
        persist.register_migration(
            "langchain-classic", version, lambda state, n=version: steps.append(n) or state
        )
    persist.restore(tmp_path / "a.json.gz", llm=FakeListLLM(responses=["a"]))
    assert steps == [2, 3]
    with pytest.raises(persist.ConfigurationError, match="already"):
        persist.register_migration("langchain-classic", 2, dict)


@pytest.mark.parametrize(("version", "migrate"), [("1", dict), (True, dict), (1, None)])
def test_a_migration_that_could_not_be_taken_is_refused(version, migrate):
    with pytest.raises(persist.ConfigurationError, match=r"no migration of 'my\.bot'"):
        persist.register_migration("my.bot", version, migrate)


def test_a_factory_that_makes_nothing_is_an_error(tmp_path):
    persist.snapshot(chain(), tmp_path / "a.json.gz")
    with pytest.raises(persist.ConfigurationError, match="returned None"):
        persist.restore(tmp_path / "a.json.gz", factory=lambda: None)


def test_a_factory_is_called_with_the_model_and_the_tools(tmp_path):
    agent = chain()
    agent.predict(input="I am Ann.")
    persist.snapshot(agent, tmp_path / "a.json.gz")
    given = {}

    def build(**arguments):
        given.update(arguments)
        return chain()

    model = FakeListLLM(responses=["a"])
    restored = persist.restore(tmp_path / "a.json.gz", factory=build, llm=model, tools=["t"])
    assert given == {"llm": model, "tools": ["t"]}
    assert restored.memory.chat_memory.messages == agent.memory.chat_memory.messages


def test_tools_that_nobody_takes_are_an_error(tmp_path):
    persist.snapshot(chain(), tmp_path / "a.json.gz")
    for given in ({"into": chain()}, {}):
        with pytest.raises(persist.ConfigurationError, match="factory"):
            persist.restore(tmp_path / "a.json.gz", tools=["t"], **given)
