"""A model of each row of the table, with every setting that we know."""

import importlib
import warnings

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
