"""Each class of the table comes back with its settings and never with its key."""

import importlib
import os
import re
import warnings

import persist
import pytest
from persist.codec._models import CALL_SETTINGS, MODELS, by_alias

ROWS = {f"{row.module}.{row.name}": row for row in MODELS.values()}
CANARY = "canary-key-4711"
NEEDED = {
    "AzureChatOpenAI": {
        "azure_endpoint": "https://example.openai.azure.com",
        "openai_api_version": "2024-10-21",
        "deployment_name": "mine",
    },
    "AzureOpenAIEmbeddings": {
        "azure_endpoint": "https://example.openai.azure.com",
        "openai_api_version": "2024-10-21",
        "deployment": "mine",
    },
    "ChatAnthropic": {"model": "claude-sonnet-4-5", "max_tokens": 77},
    "ChatBedrockConverse": {"model_id": "anthropic.claude-3", "region_name": "eu-central-1"},
    "BedrockEmbeddings": {"model_id": "amazon.titan-embed", "region_name": "eu-central-1"},
}
SETTINGS = {
    "temperature": 0.25,
    "max_retries": 5,
    "max_tokens": 77,
    "dimensions": 64,
    "tags": ["a"],
    "metadata": {"team": ("x", 1)},
}


def build(row):
    """A model of this class, with every setting that we know and the class has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cls = getattr(importlib.import_module(row.module), row.name)
        fields = {name: v for name, v in SETTINGS.items() if name in cls.model_fields}
        fields = {name: v for name, v in fields.items() if name in row.fields | CALL_SETTINGS}
        if "model" in cls.model_fields or "model_name" in cls.model_fields:
            fields["model" if "model" in cls.model_fields else "model_name"] = "some-model"
        fields |= NEEDED.get(row.name, {})
        keys = dict.fromkeys(row.secrets, CANARY)
        for either in ("azure_ad_token", "bedrock_api_key"):
            keys.pop(either, None)
        return cls(**by_alias(cls, {**fields, **keys}))


@pytest.fixture(autouse=True)
def _no_keys_in_the_environment(monkeypatch):
    for name in list(os.environ):
        if re.search("_KEY|_TOKEN|OPENAI|AWS_", name):
            monkeypatch.delenv(name)


@pytest.fixture(params=ROWS, ids=lambda name: name)
def row(request):
    return ROWS[request.param]


def shown(model):
    """The fields of a model, but for what its constructor makes."""
    made = ("client", "profile", "tokenizer", "user_agent")
    return {
        name: value
        for name, value in ((name, getattr(model, name)) for name in type(model).model_fields)
        if not any(word in name for word in made)
    }


def allowed(row):
    """What the test's Azure endpoints need."""
    return {f"{row.module}.{row.name}": ["azure_endpoint"]} if "Azure" in row.name else {}


def test_a_model_comes_back_with_the_key_that_the_caller_gives(row):
    model = build(row)
    data = persist.dumps(model, compression="none")
    assert CANARY.encode() not in data
    secrets = dict.fromkeys(row.secrets.values(), CANARY)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        restored = persist.loads(data, secrets=secrets, allow=allowed(row))
    assert type(restored) is type(model)
    assert shown(restored) == shown(model)


def test_a_missing_key_is_named_by_its_variable(row):
    if not row.secrets:
        return
    data = persist.dumps(build(row))
    with pytest.raises(persist.MissingSecretError) as caught:
        persist.loads(data, allow=allowed(row))
    assert next(iter(row.secrets.values())) in caught.value.hint


def test_no_row_holds_a_field_that_directs_traffic_or_runs_code(row):
    cls = getattr(importlib.import_module(row.module), row.name)
    words = "url endpoint proxy header client body credential kwargs callback cache provider_ base"
    for name in row.fields & set(cls.model_fields):
        alias = cls.model_fields[name].alias or name
        for word in words.split():
            assert word not in f"{name} {alias}" or name == "base_model_id", name
    assert row.fields.isdisjoint(row.secrets)
    assert set(row.secrets) <= set(cls.model_fields)


@pytest.mark.parametrize(
    "field",
    [{"base_url": "http://127.0.0.1:1"}, {"default_headers": {"x": "y"}}, {"extra_body": {"a": 1}}],
)
def test_where_a_model_calls_is_not_taken_from_a_file(field):
    from langchain_openai import ChatOpenAI

    data = persist.dumps(ChatOpenAI(model="m", api_key=CANARY, **field))
    secrets = {"OPENAI_API_KEY": CANARY}
    with pytest.raises(persist.UntrustedError) as caught:
        persist.loads(data, secrets=secrets)
    allow = eval(re.search(r"allow=(\{.*?\})", caught.value.hint)[1])  # the line as it is printed
    restored = persist.loads(data, secrets=secrets, allow=allow)
    assert restored.model_dump(include={"openai_api_base", "default_headers", "extra_body"})


@pytest.mark.parametrize("field", ["callbacks", "rate_limiter", "http_client", "cache"])
def test_code_in_a_model_is_refused_by_its_field(field):
    import httpx
    from langchain_core.caches import InMemoryCache
    from langchain_core.callbacks import StdOutCallbackHandler
    from langchain_core.rate_limiters import InMemoryRateLimiter
    from langchain_openai import ChatOpenAI

    code = {
        "callbacks": [StdOutCallbackHandler()],
        "rate_limiter": InMemoryRateLimiter(),
        "http_client": httpx.Client(),
        "cache": InMemoryCache(),
    }[field]
    model = ChatOpenAI(model="m", api_key=CANARY, **{field: code})
    with pytest.raises(persist.UnserializableStateError, match=field):
        persist.dumps({"model": model})
