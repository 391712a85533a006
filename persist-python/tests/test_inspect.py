"""What `inspect` says of an agent: all that is refused, and not the first alone."""

import dataclasses
import threading

import persist
import pytest
from langchain_classic.base_memory import BaseMemory
from langchain_classic.chains import ConversationChain
from langchain_classic.memory import CombinedMemory, ConversationBufferMemory
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import ToolMessage
from langchain_core.prompts import PromptTemplate
from langchain_openai import ChatOpenAI

FUNCTION = "builtins.builtin_function_or_method"


@persist.register
class Halved:
    """Comes back with half of what it was."""

    def __init__(self, n):
        self.n = n

    def __eq__(self, other):
        return type(other) is Halved and other.n == self.n

    __hash__ = object.__hash__

    def __persist_capture__(self):
        return self.n

    @classmethod
    def __persist_restore__(cls, state):
        return cls(state // 2)


class Unknown(BaseMemory):
    """A memory of a user's."""

    key: str

    @property
    def memory_variables(self):
        return [self.key]

    def load_memory_variables(self, inputs):
        return {self.key: ""}

    def save_context(self, inputs, outputs):
        pass

    def clear(self):
        pass


AGENT = {
    "handler": print,
    "fine": [1, (2, {3})],
    "deep": [{"lock": threading.Lock()}, (n for n in "a")],
    "password": "canary",
    "note": "Bearer " + "x" * 30,
    "message": ToolMessage("a", tool_call_id="1", artifact=len),
    "halved": Halved(7),
    "keyed": {object(): 1},
    "tools": ({"run": open},),
}
REFUSED = {
    "$.handler": FUNCTION,
    "$.deep[0].lock": "_thread.lock",
    "$.deep[1]": "builtins.generator",
    "$.password": "named like a credential",
    "$.note": "looks like a credential",
    "$.message.artifact": FUNCTION,
    "$.halved": "does not come back as it was",
    "$.keyed[key 0]": "builtins.object",
    "$.tools[0].run": FUNCTION,
}


def test_all_that_is_refused_is_listed():
    found = persist.inspect(AGENT)
    assert len(found.refused) == len(REFUSED), found
    for path, why in REFUSED.items():
        (told,) = [line for line in found.refused if f"{path} " in line or f"{path}:" in line]
        assert why in told
        assert "hint: " in told
    assert "canary" not in str(found)
    assert found.state_size is None
    assert all(told in str(found) for told in found.refused)


def test_credentials_that_are_left_out_are_not_listed():
    found = persist.inspect(AGENT, secrets_policy="redact", redact=["handler"])
    named = " ".join(found.refused)
    assert "$.password" not in named
    assert "$.handler" not in named
    assert len(found.refused) == len(REFUSED) - 3


def test_what_refers_to_what_is_refused_is_listed_once():
    state = {"handler": print}
    state["self"] = state
    state["twice"] = [state["handler"]]
    assert [line.split()[3] for line in persist.inspect(state).refused] == [
        "$.handler",
        "$.twice[0]",
    ]


def test_all_parts_of_a_chain_that_are_refused_are_listed():
    memories = [Unknown(key=name) for name in ("a", "b")]
    known = ConversationBufferMemory(memory_key="c", input_key="input")
    chain = ConversationChain(
        llm=FakeListChatModel(responses=["a"]),
        memory=CombinedMemory(memories=[*memories, known]),
        prompt=PromptTemplate.from_template("{a}{b}{c}{input}"),
    )
    found = persist.inspect(chain)
    assert found.adapter == "langchain-classic"
    assert found.state_size is None
    assert len(found.refused) == 2
    for path, told in zip(("memories[0]", "memories[1]"), found.refused, strict=True):
        assert path in told
        assert "Unknown" in told
        assert "hint: " in told
    with pytest.raises(persist.UnserializableStateError, match=r"memories\[0\]"):
        persist.dumps(chain)


@dataclasses.dataclass
class Unregistered:
    """A class that a restore has to allow."""

    n: int = 1


def model(**fields):
    return ChatOpenAI(model="m", api_key="canary", **fields)


NEEDS = {
    "data": ([{"a": (1, b"")}], []),
    "a class": ([Unregistered()], [f"allow ({__name__}.Unregistered)"]),
    "a model": ([model()], ["secrets (OPENAI_API_KEY)"]),
    "a model at an address": (
        [model(base_url="http://127.0.0.1:1")],
        [
            "secrets (OPENAI_API_KEY)",
            "allow (langchain_openai.ChatOpenAI: openai_api_base)",
        ],
    ),
    "a template that can run code": (
        PromptTemplate(template="{{ a }}", template_format="jinja2", input_variables=["a"]),
        ["allow (langchain_core.prompts.prompt.PromptTemplate)"],
    ),
    "a chain with a model": (ConversationChain(llm=model()), ["secrets (OPENAI_API_KEY)"]),
    "what is left out": ({"password": "canary"}, ["secrets (password)"]),
}


@pytest.mark.parametrize("kind", NEEDS)
def test_what_a_restore_asks_for_is_told_before(kind, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    agent, expected = NEEDS[kind]
    found = persist.inspect(agent, secrets_policy="redact")
    assert list(found.requires) == expected
    assert "canary" not in str(found)
    data = persist.dumps(agent, secrets_policy="redact")
    if expected:
        with pytest.raises((persist.MissingSecretError, persist.UntrustedError)):
            persist.loads(data)
    allow = {}
    for line in found.requires:
        name, _, field = line.partition("allow (")[2].rstrip(")").partition(": ")
        if name:
            allow[name] = [field] if field else True
    secrets = [line.partition("secrets (")[2].rstrip(")") for line in found.requires]
    persist.loads(data, allow=allow, secrets=dict.fromkeys(filter(None, secrets), "given"))
