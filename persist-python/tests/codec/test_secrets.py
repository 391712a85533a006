"""No key reaches a file, an error or a repr; the caller gives it back."""

import gzip
import json
import traceback
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from typing import NamedTuple

import persist
import pydantic
import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import AzureChatOpenAI, ChatOpenAI, OpenAI, OpenAIEmbeddings
from persist.codec import Trust

from .support import Note, Settings, Slotted, back, same, snapshot_of

# Looks like no credential of anybody: only its place tells what it is.
CANARY = "f4n4ry"
PROMPT = ChatPromptTemplate.from_messages([("human", "{a}")])


def written(value, path, **options):
    """The text in the file; None when nothing was written, and what was raised says nothing."""
    try:
        persist.snapshot(value, path, **options)
    except persist.PersistError as error:
        shown = "".join(traceback.format_exception(error)) + repr(error) + str(error.hint)
        assert CANARY not in shown
        assert not path.exists()
        return None
    return gzip.decompress(path.read_bytes()).decode()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "agent.json.gz"


MODELS = {
    "chat": lambda: ChatOpenAI(api_key=CANARY),
    "text": lambda: OpenAI(api_key=CANARY),
    "embeddings": lambda: OpenAIEmbeddings(api_key=CANARY),
    "azure": lambda: AzureChatOpenAI(
        api_key=CANARY, azure_ad_token=CANARY, azure_endpoint="https://a.b", api_version="1"
    ),
    "chain": lambda: PROMPT | ChatOpenAI(api_key=CANARY) | StrOutputParser(),
    "bound": lambda: ChatOpenAI(api_key=CANARY).bind(stop=["x"]),
    "header": lambda: ChatOpenAI(api_key="k", default_headers={"X-Api-Key": CANARY}),
    "argument": lambda: ChatOpenAI(api_key="k", model_kwargs={"extra": {"api_key": CANARY}}),
    "address": lambda: ChatOpenAI(api_key="k", base_url=f"https://user:{CANARY}@a.b/v1"),
    "proxy": lambda: ChatOpenAI(api_key="k", openai_proxy=f"http://user:{CANARY}@a.b"),
    "call": lambda: ChatOpenAI(api_key=lambda: CANARY),
}


@pytest.mark.parametrize("policy", ["error", "redact"])
@pytest.mark.parametrize("name", MODELS)
def test_the_key_of_a_model_is_in_no_file_and_no_error(name, policy, path):
    value = MODELS[name]()
    for holder in (value, [value], {"llm": value}, Slotted(value)):
        assert CANARY not in (written(holder, path, secrets_policy=policy) or "")
        assert CANARY not in str(persist.inspect(holder)) + repr(persist.inspect(holder))
        path.unlink(missing_ok=True)


def test_the_key_from_the_environment_is_not_written_either(path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    text = written(ChatOpenAI(), path)
    assert "OPENAI_API_KEY" in text
    assert CANARY not in text


def test_a_model_gets_its_key_from_the_caller_or_its_own_variable(path, monkeypatch):
    persist.snapshot(ChatOpenAI(api_key=CANARY, temperature=0.5), path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(persist.MissingSecretError, match="OPENAI_API_KEY") as caught:
        persist.restore(path)
    assert 'secrets={"OPENAI_API_KEY": ...}' in caught.value.hint
    monkeypatch.setenv("OPENAI_API_KEY", "of the environment")
    assert key_of(persist.restore(path)) == "of the environment"
    restored = persist.restore(path, secrets={"OPENAI_API_KEY": "of the caller"})
    assert key_of(restored) == "of the caller"
    assert restored.temperature == 0.5


def key_of(model):
    return model.openai_api_key.get_secret_value()


@pytest.mark.parametrize("fields", [{"n": -1}, {"temperature": [1]}, {"metadata": 5}, {"tags": 7}])
def test_a_model_that_cannot_be_built_does_not_show_its_key(fields):
    node = {"lc": 1, "type": "constructor", "id": ["langchain", "chat_models", "openai"]}
    node = {**node, "id": [*node["id"], "ChatOpenAI"], "kwargs": fields}
    with pytest.raises(persist.FormatError) as caught:
        persist.loads(snapshot_of(json.dumps(node)), secrets={"OPENAI_API_KEY": CANARY})
    shown = "".join(traceback.format_exception(caught.value))
    # pydantic shows the start and the end of what it was given.
    assert CANARY[:3] not in shown
    assert CANARY[-3:] not in shown


# credentials of users


class Login(NamedTuple):
    user: str
    password: str


class Account(pydantic.BaseModel):
    key: pydantic.SecretStr
    raw: pydantic.SecretBytes = pydantic.SecretBytes(b"")


class Access(pydantic.BaseModel):
    api_key: str
    user: str = "ada"


@dataclass
class Card:
    client_secret: str
    owner: str


ALLOW = {f"{__name__}.*": True}
HOLDERS = {
    "dict": ({"api_key": CANARY, "b": 1}, "api_key"),
    "dict with other keys": ({"MY_API_KEY": CANARY, 1: 1}, "MY_API_KEY"),
    "header": ({"Authorization": CANARY}, "Authorization"),
    "dashes": ({"X-Api-Key": CANARY}, "X-Api-Key"),
    "ordered": (OrderedDict(access_token=CANARY), "access_token"),
    "default": (defaultdict(int, {"auth_token": CANARY}), "auth_token"),
    "named tuple": (Login("ada", CANARY), "password"),
    "dataclass": (Card(CANARY, "ada"), "client_secret"),
    "model": (Access(api_key=CANARY), "api_key"),
    "extra field": (Settings(secret_key=CANARY), "secret_key"),
    "bytes": ({"api_key": CANARY.encode()}, "api_key"),
    "message": (HumanMessage("x", additional_kwargs={"password": CANARY}), "password"),
    "extra of a message": (AIMessage("x", api_key=CANARY), "api_key"),
    "tool call": (
        AIMessage("", tool_calls=[{"name": "f", "args": {"apikey": CANARY}, "id": "1"}]),
        "apikey",
    ),
    "hidden": (Account(key=CANARY), "key"),
    "hidden bytes": ({"blob": pydantic.SecretBytes(CANARY.encode())}, "blob"),
}


@pytest.mark.parametrize("name", HOLDERS)
def test_a_credential_is_refused_by_its_path(name, path):
    value, field = HOLDERS[name]
    with pytest.raises(persist.SecretInStateError) as caught:
        persist.snapshot([value], path)
    assert field in str(caught.value)
    assert str(caught.value).startswith("the value at $[0]")
    assert "redact" in caught.value.hint
    assert written([value], path) is None


@pytest.mark.parametrize("name", HOLDERS)
def test_a_redacted_credential_comes_back_from_the_caller_alone(name, path, monkeypatch):
    value, field = HOLDERS[name]
    monkeypatch.setenv(field, CANARY)
    text = written([value], path, secrets_policy="redact", redact=["raw"])
    assert CANARY not in text
    assert field in text
    with pytest.raises(persist.MissingSecretError, match=field):
        persist.restore(path, allow=ALLOW, secrets={"another": "x"})
    given = CANARY.encode() if name == "bytes" else CANARY
    restored = persist.restore(path, allow=ALLOW, secrets={field: given, "raw": ""})
    same([value], restored)
    assert CANARY not in repr(persist.load_state(path))


@pytest.mark.parametrize("name", HOLDERS)
def test_a_credential_that_the_caller_allows_comes_back(name):
    value, _ = HOLDERS[name]
    same([value], persist.loads(persist.dumps([value], secrets_policy="allow"), allow=ALLOW))


@pytest.mark.parametrize("value", [[pydantic.SecretStr(CANARY)], {pydantic.SecretStr(CANARY): 1}])
def test_a_hidden_value_without_a_name_cannot_be_given_back(value, path):
    with pytest.raises(persist.SecretInStateError) as caught:
        persist.snapshot(value, path, secrets_policy="redact")
    assert "field" in caught.value.hint
    assert written(value, path, secrets_policy="redact") is None


@pytest.mark.parametrize(
    "value",
    [
        {"owner": CANARY},
        OrderedDict(owner=CANARY),
        Card("", CANARY),
        Settings(owner=CANARY),
        HumanMessage("x", owner=CANARY),
        {"owner": [{"of": CANARY}], 1: 2},
        [Note({"owner": Note(CANARY)})],
    ],
    ids=lambda value: type(value).__name__,
)
def test_fields_that_the_caller_names_are_never_written(value, path):
    text = written(value, path, redact=["owner"])
    assert CANARY not in text
    with pytest.raises(persist.MissingSecretError, match="owner"):
        persist.restore(path, allow=ALLOW)


def test_names_that_only_sound_like_credentials_are_kept():
    names = ["max_tokens", "input_tokens", "token_limit", "token_usage", "secretary", "author"]
    value = {**dict.fromkeys(names, "text"), "api_key": "", "password": None, "secret": 7}
    same(value, back(value))


LOOKS = [
    "sk-" + "a1" * 12,
    "AKIA" + "A1B2C3D4E5F6G7H8",
    "ghp_" + "a1" * 18,
    "Bearer " + "a1" * 12,
    "postgresql://ada:pass@host/db",
]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(
    "hold",
    [
        lambda look: {"note": f"see {look} there"},
        lambda look: {look.ljust(20): 1},
        lambda look: {look: 1, 2: 3},
        lambda look: {(look, 1): 1},
        lambda look: {look},
        lambda look: Slotted((look,)),
        lambda look: HumanMessage("x", additional_kwargs={"k": look}),
    ],
)
def test_a_text_that_looks_like_a_credential_is_refused_and_not_repeated(hold, look, path):
    with pytest.raises(persist.SecretInStateError) as caught:
        persist.snapshot({"a": hold(look)}, path)
    assert look not in str(caught.value)
    assert not path.exists()


@pytest.mark.parametrize("look", LOOKS)
def test_a_text_that_looks_like_a_credential_is_redacted_by_its_name_alone(look, path):
    value = [{"note": look}, Card("", look), OrderedDict(owner=look)]
    persist.snapshot(value, path, secrets_policy="redact")
    assert look not in gzip.decompress(path.read_bytes()).decode()
    same(value, persist.restore(path, allow=ALLOW, secrets={"note": look, "owner": look}))
    for nameless in ([look], {look.ljust(20): 1}, {"a": (look,)}):
        with pytest.raises(persist.SecretInStateError, match="needs a name"):
            persist.dumps(nameless, secrets_policy="redact")


class Forgetful:
    """Gives less than it takes."""

    def __init__(self, *turns):
        self.turns = turns

    def __persist_capture__(self):
        return list(self.turns)

    @classmethod
    def __persist_restore__(cls, turns):
        return cls(*turns[1:])


def test_what_is_redacted_is_verified_as_well(path):
    with pytest.raises(persist.UnserializableStateError, match="does not come back"):
        persist.snapshot(
            {"password": CANARY, "bot": Forgetful(1, 2)}, path, secrets_policy="redact"
        )
    assert not path.exists()


def test_credentials_of_one_name_need_not_be_the_same(path):
    assert CANARY not in written(
        [{"password": CANARY}, {"password": "b"}], path, redact=["password"]
    )


@pytest.mark.parametrize("look", LOOKS)
def test_a_conversation_is_never_rewritten(look):
    message = HumanMessage(f"my key is {look}")
    with pytest.warns(persist.SecretInConversationWarning, match=r"\$\[0\]\.content") as warned:
        data = persist.dumps([message])
    assert look not in str(warned[0].message)
    assert {warning.filename for warning in warned} == {__file__}
    assert persist.loads(data) == [message]


def test_keys_of_the_caller_are_in_no_repr(path, capfd, caplog):
    assert CANARY not in repr(Trust(secrets={"OPENAI_API_KEY": CANARY}))
    persist.snapshot(ChatOpenAI(api_key=CANARY), path)
    restored = persist.restore(path, secrets={"OPENAI_API_KEY": CANARY})
    out, err = capfd.readouterr()
    assert CANARY not in repr(restored) + str(restored) + out + err + caplog.text
