"""The closed table of chat models, completion models and embeddings that a snapshot may ask for.

A row holds the fields that direct no traffic and run no code, and for each key the one environment
variable that it comes from. What is in no row (addresses, proxies, headers, clients, bodies) needs
`allow=` from the caller of `restore`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Id = tuple[str, ...]

CALL_SETTINGS = frozenset({"tags", "metadata", "name", "verbose", "disable_streaming"})
"""Fields of every model that say how its runs are shown."""
_CALL_ARGUMENTS = (
    "temperature top_p top_k max_tokens max_output_tokens max_completion_tokens stop "
    "stop_sequences seed n frequency_penalty presence_penalty logprobs top_logprobs logit_bias "
    "reasoning_effort functions function_call tools tool_choice parallel_tool_calls strict "
    "thinking method include_raw format response_format response_schema response_mime_type "
    "output_format output_config ls_structured_output_format"
)
_TOOL_TYPES = frozenset({None, "function", "custom"})
_PROVIDERS_TOOLS = re.compile(
    r"(?:web_search(?:_preview)?|file_search|code_interpreter|code_execution|image_generation"
    r"|computer(?:_use_preview)?|local_shell|apply_patch|bash|text_editor|memory"
    r"|tool_search_tool_(?:bm25|regex))(?:_20\d{6}|_20\d\d_\d\d_\d\d)?"
)
"""Tools that a provider brings, which are told by a name and settings; none calls an address."""
_STEERING = re.compile(r"url|uri$|host|endpoint|proxy|header|authorization|token$|key$|server")


def is_harmless_call(arguments: Any) -> bool:
    """Say whether arguments of a model's calls direct no traffic.

    Headers and bodies are not among them, nor are tools that the provider runs: those of an MCP
    server have an address.

    Args:
        arguments: What a call is given by name; it may come from anybody.
    """
    if not isinstance(arguments, dict) or not set(_CALL_ARGUMENTS.split()).issuperset(arguments):
        return False
    tools = arguments.get("tools") or ()
    return isinstance(tools, (list, tuple)) and all(map(_is_harmless_tool, tools))


def _is_harmless_tool(tool: Any) -> bool:
    kind = tool.get("type") if isinstance(tool, dict) else type(tool)
    if not isinstance(kind, (str, type(None))):
        return False
    if kind in _TOOL_TYPES:
        return True
    return bool(kind and _PROVIDERS_TOOLS.fullmatch(kind)) and _is_plain(tool)


def _is_plain(settings: Any) -> bool:
    """Say whether the settings of a provider's tool are plain data, and hold no address or key."""
    pending = [settings]
    met: set[int] = set()
    while pending:
        value = pending.pop()
        if type(value) is dict:
            if not all(type(name) is str and not _STEERING.search(name) for name in value):
                return False
            pending += value.values() if id(value) not in met else ()
        elif type(value) is list:
            pending += value if id(value) not in met else ()
        elif type(value) is str:
            if "://" in value:
                return False
        elif value is not None and type(value) not in (bool, int, float):
            return False
        met.add(id(value))
    return True


@dataclass(frozen=True)
class Model:
    """A row of the table.

    Attributes:
        module: The package that the class is imported from.
        name: The class.
        fields: Fields that direct no traffic and run no code.
        secrets: The environment variable of each field that is a key; the first is always needed.
        identifier: The id that LangChain gives the class.
    """

    module: str
    name: str
    fields: frozenset[str]
    secrets: dict[str, str]
    identifier: Id


def _row(path: str, fields: str, *, secrets: str = "", lc: str = "") -> Model:
    module, _, name = path.partition(":")
    pairs = (pair.partition("=") for pair in secrets.split())
    return Model(
        module,
        name,
        frozenset(fields.split()) | CALL_SETTINGS,
        {field: variable for field, _, variable in pairs},
        tuple(f"{lc or module}.{name}".split(".")),
    )


_OPENAI = (
    "model_name temperature top_p n seed max_tokens max_retries request_timeout streaming stop "
    "presence_penalty frequency_penalty logprobs top_logprobs logit_bias stream_usage reasoning "
    "reasoning_effort verbosity service_tier store truncation use_responses_api "
    "use_previous_response_id include tiktoken_model_name output_version disabled_params "
    "stream_chunk_timeout"
)
_OPENAI_TEXT = (
    "model_name temperature max_tokens top_p frequency_penalty presence_penalty n best_of "
    "batch_size request_timeout logit_bias max_retries seed logprobs streaming tiktoken_model_name "
    "allowed_special disallowed_special"
)
_OPENAI_VECTORS = (
    "model dimensions deployment openai_api_version embedding_ctx_length chunk_size max_retries "
    "request_timeout tiktoken_model_name show_progress_bar skip_empty "
    "retry_min_seconds retry_max_seconds check_embedding_ctx_length allowed_special "
    "disallowed_special"
)
_AZURE = " deployment_name openai_api_version model_version openai_api_type deployment"
_AZURE_KEYS = "openai_api_key=AZURE_OPENAI_API_KEY azure_ad_token=AZURE_OPENAI_AD_TOKEN"
_ANTHROPIC = (
    "model max_tokens temperature top_k top_p default_request_timeout max_retries stop_sequences "
    "streaming stream_usage thinking betas output_config reasoning_effort context_management"
)
_GOOGLE = (
    "model temperature frequency_penalty presence_penalty top_p top_k max_output_tokens n "
    "max_retries timeout response_modalities media_resolution image_config thinking_budget "
    "include_thoughts safety_settings seed labels streaming convert_system_message_to_human stop "
    "response_mime_type response_schema reasoning_effort thinking_config"
)
_OLLAMA = (
    "model reasoning mirostat mirostat_eta mirostat_tau num_ctx num_gpu num_thread num_predict "
    "repeat_last_n repeat_penalty temperature seed logprobs top_logprobs stop tfs_z top_k top_p "
    "format keep_alive dimensions"
)
_BEDROCK = (
    "model_id base_model_id region_name max_tokens stop_sequences temperature top_p provider "
    "streaming timeout max_retries system reasoning_effort service_tier"
)
_AWS_KEYS = (
    "aws_access_key_id=AWS_ACCESS_KEY_ID aws_secret_access_key=AWS_SECRET_ACCESS_KEY "
    "aws_session_token=AWS_SESSION_TOKEN bedrock_api_key=AWS_BEARER_TOKEN_BEDROCK"
)
_CHAT = "langchain.chat_models"

_ROWS = (
    _row(
        "langchain_openai:ChatOpenAI",
        _OPENAI,
        secrets="openai_api_key=OPENAI_API_KEY",
        lc=f"{_CHAT}.openai",
    ),
    _row(
        "langchain_openai:OpenAI",
        _OPENAI_TEXT,
        secrets="openai_api_key=OPENAI_API_KEY",
        lc="langchain.llms.openai",
    ),
    _row(
        "langchain_openai:OpenAIEmbeddings",
        _OPENAI_VECTORS,
        secrets="openai_api_key=OPENAI_API_KEY",
    ),
    _row(
        "langchain_openai:AzureChatOpenAI",
        _OPENAI + _AZURE,
        secrets=_AZURE_KEYS,
        lc=f"{_CHAT}.azure_openai",
    ),
    _row("langchain_openai:AzureOpenAIEmbeddings", _OPENAI_VECTORS + _AZURE, secrets=_AZURE_KEYS),
    _row(
        "langchain_anthropic:ChatAnthropic",
        _ANTHROPIC,
        secrets="anthropic_api_key=ANTHROPIC_API_KEY",
        lc=f"{_CHAT}.anthropic",
    ),
    _row(
        "langchain_google_genai:ChatGoogleGenerativeAI",
        _GOOGLE,
        secrets="google_api_key=GOOGLE_API_KEY",
        lc="langchain_google_genai.chat_models",
    ),
    _row(
        "langchain_google_genai:GoogleGenerativeAIEmbeddings",
        "model task_type output_dimensionality",
        secrets="google_api_key=GOOGLE_API_KEY",
    ),
    _row(
        "langchain_mistralai:ChatMistralAI",
        "model temperature max_tokens top_p random_seed safe_mode streaming stop max_retries "
        "timeout max_concurrent_requests",
        secrets="mistral_api_key=MISTRAL_API_KEY",
        lc=f"{_CHAT}.mistralai",
    ),
    _row(
        "langchain_groq:ChatGroq",
        "model_name temperature stop reasoning_format reasoning_effort request_timeout max_retries "
        "streaming n max_tokens service_tier",
        secrets="groq_api_key=GROQ_API_KEY",
        lc="langchain_groq.chat_models",
    ),
    _row("langchain_ollama:ChatOllama", _OLLAMA),
    _row("langchain_ollama:OllamaLLM", _OLLAMA),
    _row("langchain_ollama:OllamaEmbeddings", _OLLAMA),
    _row(
        "langchain_cohere:ChatCohere",
        "model temperature stop streaming timeout_seconds preamble",
        secrets="cohere_api_key=COHERE_API_KEY",
    ),
    _row(
        "langchain_cohere:CohereEmbeddings",
        "model truncate embedding_types max_retries request_timeout",
        secrets="cohere_api_key=COHERE_API_KEY",
    ),
    _row("langchain_deepseek:ChatDeepSeek", _OPENAI, secrets="api_key=DEEPSEEK_API_KEY"),
    _row(
        "langchain_xai:ChatXAI",
        f"{_OPENAI} search_parameters",
        secrets="xai_api_key=XAI_API_KEY",
        lc="langchain_xai.chat_models",
    ),
    _row(
        "langchain_fireworks:ChatFireworks",
        "model_name temperature stop request_timeout streaming stream_usage n max_tokens "
        "max_retries service_tier reasoning_effort",
        secrets="fireworks_api_key=FIREWORKS_API_KEY",
        lc=f"{_CHAT}.fireworks",
    ),
    _row(
        "langchain_fireworks:FireworksEmbeddings",
        "model",
        secrets="fireworks_api_key=FIREWORKS_API_KEY",
    ),
    _row("langchain_together:ChatTogether", _OPENAI, secrets="together_api_key=TOGETHER_API_KEY"),
    _row(
        "langchain_together:TogetherEmbeddings",
        "model dimensions embedding_ctx_length chunk_size max_retries request_timeout "
        "show_progress_bar skip_empty allowed_special disallowed_special",
        secrets="together_api_key=TOGETHER_API_KEY",
    ),
    _row(
        "langchain_perplexity:ChatPerplexity",
        "model temperature request_timeout max_retries streaming max_tokens use_responses_api "
        "search_mode reasoning_effort language_preference search_domain_filter return_images "
        "return_related_questions search_recency_filter disable_search",
        secrets="pplx_api_key=PPLX_API_KEY",
    ),
    _row(
        "langchain_aws:ChatBedrockConverse",
        _BEDROCK,
        secrets=_AWS_KEYS,
        lc="langchain_aws.chat_models",
    ),
    _row(
        "langchain_aws:BedrockEmbeddings",
        "model_id region_name provider normalize dimensions",
        secrets=_AWS_KEYS.rpartition(" ")[0],
    ),
    _row(
        "langchain_voyageai:VoyageAIEmbeddings",
        "model batch_size output_dimension show_progress_bar truncation",
        secrets="voyage_api_key=VOYAGE_API_KEY",
    ),
)
MODELS: dict[Id, Model] = {row.identifier: row for row in _ROWS}
VARIABLES = frozenset(variable for row in _ROWS for variable in row.secrets.values())
"""The variables of all keys: they reach the models of their rows, and no other place in a state."""
_BY_NAME = {row.name: row for row in _ROWS}

_MADE = frozenset({"client", "async_client", "root_client", "root_async_client", "tokenizer"}) | {
    "bedrock_client",
    "profile",
    "user_agent",
}
"""Fields that the constructor makes."""
_NAMES = frozenset({"model", "model_name", "model_id", "deployment_name", "deployment"}) | {
    "provider",
    "region_name",
}
"""Fields that defaults of others depend on."""


def row_of(value: object) -> Model | None:
    """Return the row of a model's class; None for any other value."""
    cls = type(value)
    return row_named(f"{cls.__module__}.{cls.__qualname__}")


def row_named(name: str) -> Model | None:
    """Return the row of a class, named as `module.qualname`; None when there is none."""
    row = _BY_NAME.get(name.rpartition(".")[2])
    return row if row is not None and name.startswith(f"{row.module}.") else None


def settings(row: Model, model: Any) -> dict[str, Any]:
    """Return the fields of a model that a new one of its class would not have by itself.

    Args:
        row: The row of its class.
        model: The model.

    Returns:
        Values by field; no keys, and nothing that the constructor makes.
    """
    cls: Any = type(model)
    keys = tuple(name for name in row.secrets if getattr(model, name) is not None)
    usual = _usual(cls, keys, _named(model))
    return {
        name: item
        for name, item in ((name, getattr(model, name)) for name in cls.model_fields)
        if name not in row.secrets
        and name not in _MADE
        and not _is_secret(item)
        and not (name in usual and _is_equal(usual[name], item))
    }


def _named(model: Any) -> tuple[tuple[str, Any], ...]:
    """The fields without which there is no such model, or on which defaults depend."""
    fields = type(model).model_fields.items()
    names = [name for name, field in fields if field.is_required() or name in _NAMES]
    return tuple(
        (name, getattr(model, name)) for name in names if isinstance(getattr(model, name), str)
    )


@lru_cache(maxsize=64)
def _usual(cls: Any, keys: tuple[str, ...], named: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """The fields of a new model that was given nothing more than its name."""
    from pydantic import SecretStr

    hidden = dict.fromkeys(keys, SecretStr("a key that is never used"))
    try:
        usual = cls(**by_alias(cls, {**hidden, **dict(named)}))
    except Exception:  # noqa: BLE001 - a class that needs more has the defaults that it declares
        fields = cls.model_fields.items()
        return {name: field.get_default(call_default_factory=True) for name, field in fields}
    required = {name for name, _ in named}
    return {
        name: getattr(usual, name)
        for name, field in cls.model_fields.items()
        if name not in required or getattr(usual, name) == field.default
    }


def by_alias(cls: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a pydantic class's constructor for these fields."""
    config = cls.model_config
    if config.get("populate_by_name") or config.get("validate_by_name"):
        return fields
    return {cls.model_fields[name].alias or name: value for name, value in fields.items()}


def _is_secret(value: object) -> bool:
    return type(value).__name__ in ("SecretStr", "SecretBytes")


def _is_equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
