"""Each class of the table comes back with its settings and never with its key."""

import importlib
import os
import re
import warnings

import persist
import pytest

from .rows import CANARY, ROWS, allowed, build, shown


@pytest.fixture(autouse=True)
def _no_keys_in_the_environment(monkeypatch):
    for name in list(os.environ):
        if re.search("_KEY|_TOKEN|OPENAI|AWS_", name):
            monkeypatch.delenv(name)


@pytest.fixture(params=ROWS, ids=lambda name: name)
def row(request):
    return ROWS[request.param]


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
