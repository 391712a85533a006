"""Messages, prompts, documents and chains of LangChain come back as they were."""

import datetime as dt
import json
from typing import ClassVar
from uuid import UUID

import numpy as np
import persist
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core import messages
from langchain_core.agents import AgentAction, AgentActionMessageLog, AgentFinish
from langchain_core.documents import Document
from langchain_core.exceptions import OutputParserException
from langchain_core.language_models import FakeListChatModel
from langchain_core.load import dumpd
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages import content as blocks
from langchain_core.output_parsers import (
    CommaSeparatedListOutputParser,
    JsonOutputParser,
    StrOutputParser,
)
from langchain_core.outputs import ChatGeneration, ChatResult, Generation, LLMResult, RunInfo
from langchain_core.prompt_values import ChatPromptValue, StringPromptValue
from langchain_core.prompts import (
    ChatPromptTemplate,
    FewShotChatMessagePromptTemplate,
    FewShotPromptTemplate,
    MessagesPlaceholder,
    PromptTemplate,
)
from langchain_core.runnables import RunnableParallel, RunnablePassthrough
from langchain_openai import ChatOpenAI
from persist.codec import difference, encode
from pydantic import BaseModel

from .blocks import BLOCKS, NAMES, NEEDED
from .strategies import VALUES, arrays
from .support import back, same

CONTENT = st.text(max_size=5) | st.lists(
    st.sampled_from(BLOCKS) | st.text(max_size=3) | st.dictionaries(st.text(max_size=3), VALUES),
    max_size=3,
)
METADATA = st.dictionaries(st.text(max_size=5), VALUES, max_size=2)


def test_every_type_of_block_is_here():
    assert {block["type"] for block in BLOCKS} >= blocks.KNOWN_BLOCK_TYPES


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_any_message_of_any_class_comes_back(name, data):
    message = getattr(messages, name)(
        content=data.draw(CONTENT),
        additional_kwargs=data.draw(METADATA),
        response_metadata=data.draw(METADATA),
        id=data.draw(st.none() | st.text(max_size=3)),
        **NEEDED.get(name, {}),
        **{"extra_field": data.draw(VALUES), "another one": (1, b"\0")},
    )
    same(message, back(message))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block["type"])
@pytest.mark.parametrize("name", NAMES)
def test_any_block_comes_back_in_any_message(name, block):
    message = getattr(messages, name)(content=[block, "and text"], **NEEDED.get(name, {}))
    same(message, back(message))


USAGE = {
    "input_tokens": 3,
    "output_tokens": 2**60,
    "total_tokens": 5,
    "input_token_details": {"cache_read": 1},
}
CALLS = [
    {"name": "add", "args": {"a": 1, "b": 2.0, "lc": 1}, "id": "c-1", "type": "tool_call"},
    {"name": "add", "args": {}, "id": None, "type": "tool_call"},
]
WRONG_CALLS = [
    {"name": "f", "args": "{", "id": "c-2", "error": "no JSON", "type": "invalid_tool_call"}
]
CHUNKS = [{"name": "f", "args": '{"a": 1}', "id": "c-3", "index": 0, "type": "tool_call_chunk"}]
WHEN = dt.datetime(2026, 1, 2, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize(
    "message",
    [
        AIMessage("x", tool_calls=CALLS, invalid_tool_calls=WRONG_CALLS, usage_metadata=USAGE),
        AIMessage("", response_metadata={"model_name": "m", "logprobs": {"content": [0.1]}}),
        AIMessageChunk("x", tool_call_chunks=CHUNKS, chunk_position="last", usage_metadata=USAGE),
        AIMessageChunk("a", tool_call_chunks=CHUNKS) + AIMessageChunk("b"),
        ToolMessage("x", tool_call_id="c-1", status="error", artifact={"raw": b"\xff", "at": WHEN}),
        ToolMessage("x", tool_call_id="c-1", artifact=[Document("d", metadata={"at": WHEN})]),
        ToolMessage("x", tool_call_id="c-1", artifact=0),
        RemoveMessage("m-1"),
        HumanMessage("x", name="ada", example=True),
    ],
    ids=str,
)
def test_what_single_classes_have_comes_back(message):
    same(message, back(message))


@given(arrays() | VALUES)
@settings(max_examples=100, deadline=None)
def test_any_artifact_comes_back(artifact):
    message = ToolMessage("x", tool_call_id="c-1", artifact=artifact)
    same(message, back(message))


def test_copies_of_a_message_share_what_they_shared():
    first = AIMessage([{"type": "text", "text": "x"}], tool_calls=CALLS, artifact=[1])
    state = [first, first.model_copy(update={"id": "2"}), first, first.content]
    same(state, back(state))


class Verdict(AIMessage):
    """A message of a user's."""

    score: float = 0.0


def test_a_message_of_a_users_class_comes_back_where_it_is_allowed():
    history = [HumanMessage("x"), Verdict("y", score=0.5, tool_calls=CALLS)]
    data = persist.dumps(history)
    with pytest.raises(persist.UntrustedError, match="Verdict"):
        persist.loads(data)
    same(history, persist.loads(data, allow={f"{__name__}.Verdict": True}))


@given(METADATA, st.none() | st.text(max_size=3))
@settings(max_examples=50, deadline=None)
def test_any_document_comes_back(metadata, identifier):
    document = Document("page", metadata=metadata, id=identifier)
    same(document, back(document))


SUFFIX = PromptTemplate.from_template("{question}")
EXAMPLES = [{"a": "1"}, {"a": "2"}]
CHAT = ChatPromptTemplate.from_messages(
    [
        ("system", "You are {name}"),
        MessagesPlaceholder("history", optional=True, n_messages=3),
        (
            "human",
            [{"type": "text", "text": "{question}"}, {"type": "image_url", "image_url": "u"}],
        ),
        AIMessage("fixed", tool_calls=CALLS),
    ]
)


@pytest.mark.parametrize(
    "prompt",
    [
        PromptTemplate.from_template("{question} {other}", partial_variables={"other": "o"}),
        PromptTemplate.from_template("{{question}}", template_format="mustache"),
        CHAT,
        CHAT.partial(name="Bo"),
        ChatPromptTemplate.from_messages([("placeholder", "{history}")]),
        StringPromptValue(text="x"),
        ChatPromptValue(messages=[HumanMessage("x"), SystemMessage("y")]),
    ],
    ids=lambda prompt: type(prompt).__name__,
)
def test_a_prompt_comes_back_and_says_the_same(prompt):
    restored = back(prompt)
    same(prompt, restored)
    if hasattr(prompt, "invoke"):
        given_values = {"question": "why", "name": "Ada", "history": [HumanMessage("x")]}
        assert restored.invoke(given_values) == prompt.invoke(given_values)


@pytest.mark.parametrize(
    "prompt",
    [
        FewShotPromptTemplate(
            examples=EXAMPLES,
            example_prompt=PromptTemplate.from_template("{a}"),
            suffix="{question}",
            input_variables=["question"],
        ),
        FewShotChatMessagePromptTemplate(
            examples=EXAMPLES, example_prompt=ChatPromptTemplate.from_messages([("human", "{a}")])
        ),
    ],
    ids=lambda prompt: type(prompt).__name__,
)
def test_a_few_shot_prompt_comes_back_where_it_is_allowed(prompt):
    name = f"{type(prompt).__module__}.{type(prompt).__qualname__}"
    restored = persist.loads(persist.dumps(prompt), allow={name: True})
    assert restored.invoke({"question": "why"}) == prompt.invoke({"question": "why"})


def test_a_jinja2_prompt_comes_back_only_where_it_is_allowed():
    prompt = PromptTemplate(template="{{ a }}", template_format="jinja2", input_variables=["a"])
    data = persist.dumps(prompt)
    with pytest.raises(persist.UntrustedError, match="jinja2"):
        persist.loads(data)
    name = "langchain_core.prompts.prompt.PromptTemplate"
    same(prompt, persist.loads(data, allow={name: True}))


@pytest.mark.parametrize(
    "value",
    [
        AgentAction("add", {"a": 1}, "log"),
        AgentActionMessageLog(tool="t", tool_input="x", log="l", message_log=[AIMessage("x")]),
        AgentFinish({"output": b"x"}, "log"),
        [(AgentAction("add", "1", "log"), UUID(int=7))],
        Generation(text="x", generation_info={"p": np.float32(0.5)}),
        ChatGeneration(message=AIMessage("x", response_metadata={"t": (1,)})),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_agents_hold_comes_back(value):
    same(value, back(value))


@pytest.mark.parametrize(
    "value",
    [
        LLMResult(generations=[[Generation(text="x")]], run=[RunInfo(run_id=UUID(int=7))]),
        ChatResult(generations=[ChatGeneration(message=AIMessage("x"))], llm_output={"a": (1,)}),
        JsonOutputParser(),
        FewShotPromptTemplate(
            examples=[{"a": "1"}],
            example_prompt=PromptTemplate.from_template("{a}"),
            suffix="{b}",
            input_variables=["b"],
        ),
        FewShotChatMessagePromptTemplate(
            examples=[{"a": "1"}],
            example_prompt=ChatPromptTemplate.from_messages([("human", "{a}")]),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_data_that_langchain_does_not_serialize_comes_back_without_being_allowed(value):
    assert difference(value, persist.loads(persist.dumps(value))) is None


def test_an_attribute_beside_the_fields_of_a_message_is_refused_and_not_lost():
    message = HumanMessage("x")
    message.__dict__["mood"] = "calm"
    with pytest.raises(persist.UnserializableStateError, match="'mood'"):
        persist.dumps([message])


MODEL = ChatOpenAI(model="gpt-4o-mini", temperature=0.3, api_key="k", tags=["a"], max_retries=0)


@pytest.mark.parametrize(
    "chain",
    [
        CHAT | MODEL | StrOutputParser(),
        CHAT | MODEL.bind(stop=["x"], tools=[{"type": "function"}]) | StrOutputParser(),
        {"a": CHAT | MODEL, "b": RunnablePassthrough()} | CHAT,
        RunnableParallel(a=MODEL, b=CHAT) | RunnablePassthrough.assign(c=CHAT),
        (CHAT | MODEL).with_config(tags=["t"], metadata={"at": (1, 2)}),
        CHAT | CommaSeparatedListOutputParser(),
        MODEL.with_retry(),
        MODEL.with_retry(
            retry_if_exception_type=(TimeoutError, OSError, OutputParserException),
            exponential_jitter_params={"initial": 0.1},
            stop_after_attempt=7,
        ),
        (CHAT | MODEL.with_retry()).with_retry(retry_if_exception_type=(ValueError,)),
        MODEL.with_fallbacks([MODEL.bind(stop=["x"]), FakeListChatModel(responses=["a"])]),
        (CHAT | MODEL).with_fallbacks(
            [CHAT | MODEL], exceptions_to_handle=(KeyError, ValueError), exception_key="error"
        ),
        MODEL.bind_tools([{"type": "web_search_preview", "user_location": {"country": "CH"}}]),
        MODEL.bind_tools([{"type": "code_interpreter", "container": {"type": "auto"}}]),
        MODEL.bind(tools=[{"type": "web_search_20250305", "name": "web_search", "max_uses": 5}]),
    ],
    ids=lambda chain: type(chain).__name__,
)
def test_a_chain_of_parts_comes_back_with_the_key_of_the_caller(chain, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    restored = persist.loads(persist.dumps(chain), secrets={"OPENAI_API_KEY": "given"})
    assert difference(chain, restored) is None
    assert keys_in(restored) == ({"given"} if keys_in(chain) else set())


class QuotaError(Exception):
    """One of a user's."""


def test_what_is_tried_again_on_an_exception_of_others_needs_to_be_allowed():
    data = persist.dumps(MODEL.with_retry(retry_if_exception_type=(QuotaError,)))
    name = f"{QuotaError.__module__}.QuotaError"
    given = {"secrets": {"OPENAI_API_KEY": "given"}}
    with pytest.raises(persist.UntrustedError) as caught:
        persist.loads(data, **given)
    assert f'allow={{"{name}": True}}' in caught.value.hint
    restored = persist.loads(data, allow={name: True}, **given)
    assert restored.retry_exception_types == (QuotaError,)


@persist.register
class Failing(FakeListChatModel):
    calls: ClassVar[list] = []

    def _call(self, *args, **kwargs):
        self.calls.append(args)
        raise TimeoutError


def test_a_chain_that_is_tried_again_does_so_when_it_is_back():
    chain = Failing(responses=["a"]).with_retry(stop_after_attempt=2, wait_exponential_jitter=False)
    chain = chain.with_fallbacks([FakeListChatModel(responses=["instead"])])
    restored = persist.loads(persist.dumps(chain))
    Failing.calls.clear()
    assert restored.invoke("Hello").content == "instead"
    assert len(Failing.calls) == 2


def keys_in(value):
    """The key of every model that a chain holds, however deep."""
    if isinstance(value, ChatOpenAI):
        return {value.openai_api_key.get_secret_value()}
    if isinstance(value, BaseModel):
        value = list(value.__dict__.values())
    parts = value.values() if isinstance(value, dict) else value
    return set().union(*map(keys_in, parts)) if isinstance(value, (dict, list)) else set()


def test_what_langchain_can_write_is_written_as_it_does():
    value = [HumanMessage("x"), AIMessage("y", tool_calls=CALLS[1:]), Document("z"), SUFFIX]
    names = ("lc", "type", "id", "kwargs")
    theirs = [{name: part[name] for name in names} for part in dumpd(value)]
    assert json.loads(encode(value).data) == theirs


@pytest.mark.parametrize("text", [AIMessage("hello").text, HumanMessage([BLOCKS[0]]).text])
def test_the_text_of_a_message_comes_back_as_what_it_is(text):
    restored = back({"answer": text})["answer"]
    assert (type(restored), restored) == (type(text), "hello")
