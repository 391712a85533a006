"""What strangers put into snapshots: one state for each attack, as JSON.

`CANARY` is a path that must not come to exist, `SECRET` the name of an environment variable that
must not be read, `LISTENER` a loopback address that must not be called.
"""

from __future__ import annotations

from typing import Any

CANARY, SECRET, LISTENER = "@canary@", "CANARY_SECRET", "http://127.0.0.1:@port@"


def constructor(*path: str, **kwargs: Any) -> dict[str, Any]:
    return {"lc": 1, "type": "constructor", "id": list(path), "kwargs": kwargs}


def human(**kwargs: Any) -> dict[str, Any]:
    return constructor("langchain", "schema", "messages", "HumanMessage", content="a", **kwargs)


def openai(**kwargs: Any) -> dict[str, Any]:
    key = {"lc": 1, "type": "secret", "id": ["OPENAI_API_KEY"]}
    kwargs = {"openai_api_key": key, "model_name": "gpt-4o-mini", **kwargs}
    return constructor("langchain", "chat_models", "openai", "ChatOpenAI", **kwargs)


RUNNABLE = ("langchain", "schema", "runnable")


def bound(**kwargs: Any) -> dict[str, Any]:
    return constructor(*RUNNABLE, "RunnableBinding", bound=openai(), kwargs=kwargs)


def tag(kind: str, value: Any) -> dict[str, Any]:
    return {"$persist": kind, "v": value}


def prompt(template: str, form: str) -> dict[str, Any]:
    path = ("langchain", "prompts", "prompt", "PromptTemplate")
    return constructor(*path, template=template, input_variables=[], template_format=form)


LEAK = {"lc": 1, "type": "secret", "id": [SECRET]}
TOUCH = f"touch {CANARY}"
LC2 = {"lc": 2, "type": "constructor", "args": [TOUCH], "kwargs": {}}
JINJA = "{{ ''.__class__.__mro__[1].__subclasses__() }}"

# Written for langchain-core's loads: the state is LangChain's JSON, with or without our tags.
LANGCHAIN: dict[str, Any] = {
    "CVE-2025-68664: a secret in a message": human(additional_kwargs={"key": LEAK}),
    "CVE-2025-68664: a secret in the content": human(response_metadata={"a": [LEAK]}),
    "CVE-2025-68664: a secret by itself": LEAK,
    "CVE-2025-68664: os.system": constructor("os", "system", command=TOUCH),
    "CVE-2025-68664: a class outside the table": constructor(
        "langchain", "llms", "bash", "BashChain", command=TOUCH
    ),
    "CVE-2025-68664: a module of langchain-core that is not in the table": constructor(
        "langchain_core", "tracers", "langchain", "LangChainTracer"
    ),
    "CVE-2025-68664: an escaped constructor is data": {
        "__lc_escaped__": constructor("os", "system", command=TOUCH)
    },
    "CVE-2025-68664: a jinja2 template": prompt(JINJA, "jinja2"),
    "CVE-2025-68664: a jinja2 template in a chat prompt": constructor(
        "langchain",
        "prompts",
        "chat",
        "ChatPromptTemplate",
        messages=[
            constructor(
                "langchain",
                "prompts",
                "chat",
                "HumanMessagePromptTemplate",
                prompt=prompt(JINJA, "jinja2"),
            )
        ],
        input_variables=[],
    ),
    "an f-string that walks attributes": prompt("{a.__class__.__init__.__globals__}", "f-string"),
    "a mustache section": prompt("{{#a}}{{__class__}}{{/a}}", "mustache"),
    "CVE-2025-64439, CVE-2026-48775: lc 2 with a constructor": {**LC2, "id": ["os", "system"]},
    "CVE-2026-48775: lc 2 with a method": {**LC2, "id": ["os"], "method": "system"},
    "CVE-2026-48775: lc 2 with several methods": {
        **LC2,
        "id": ["builtins", "eval"],
        "method": [None, "eval"],
    },
    "CVE-2026-34070: a template read from a file": constructor(
        "langchain", "prompts", "prompt", "PromptTemplate", template_path="/etc/passwd"
    ),
    "CVE-2026-34070: an image prompt that reads a file": constructor(
        "langchain",
        "prompts",
        "image",
        "ImagePromptTemplate",
        template={"path": "/etc/passwd"},
        input_variables=[],
    ),
    "a model that calls elsewhere": openai(openai_api_base=LISTENER),
    "a model with another alias of that": openai(base_url=LISTENER),
    "a model behind a proxy": openai(openai_proxy=LISTENER),
    "a model with headers": openai(default_headers={"Authorization": "x"}),
    "a model with a client": openai(http_client={"base_url": LISTENER}),
    "a model with arguments of a call": openai(model_kwargs={"extra_body": {"a": 1}}),
    "a model with headers at its calls": bound(extra_headers={"Authorization": "x"}),
    "a model with headers when it is tried again": constructor(
        *RUNNABLE, "RunnableRetry", bound=openai(), kwargs={"extra_headers": {"a": "b"}}, config={}
    ),
    "a model with a body at its calls": bound(extra_body={"a": 1}),
    "a model with a tool that the provider calls": bound(
        tools=[{"type": "mcp", "server_url": LISTENER, "server_label": "a"}]
    ),
    "a model with a tool of the provider that has an address": bound(
        tools=[{"type": "web_search", "filters": {"server_url": LISTENER}}]
    ),
    "a model with a tool of the provider that holds a text with one": bound(
        tools=[{"type": "code_interpreter", "container": {"type": LISTENER}}]
    ),
    "a model that is tried again on what a file names": constructor(
        *RUNNABLE,
        "RunnableRetry",
        bound=openai(),
        kwargs={},
        config={},
        retry_exception_types=[tag("exception", "os:system")],
    ),
    "a model whose address is a setting of the run": constructor(
        *RUNNABLE,
        "RunnableBinding",
        bound=constructor(
            *RUNNABLE,
            "RunnableConfigurableFields",
            default=openai(),
            fields={"openai_api_base": ["address"]},
        ),
        kwargs={},
        config={"configurable": {"address": LISTENER}},
    ),
    "a model whose headers come with a prompt": constructor(
        "langchain_core",
        "prompts",
        "structured",
        "StructuredPrompt",
        messages=[human()],
        schema={"title": "A"},
        extra_headers={"Authorization": "x"},
    ),
    "a prompt whose format is a setting of the run": constructor(
        *RUNNABLE,
        "RunnableConfigurableFields",
        default=prompt("a", "f-string"),
        fields={"template_format": ["a"], "template": ["b"]},
    ),
    "a model whose key is another variable": openai(openai_api_key=LEAK),
    "a model whose key is text of the file": openai(openai_api_key="from the file"),
    "a model whose name is a secret": openai(model_name=LEAK),
    "a model with callbacks": openai(callbacks=[constructor("os", "system", command=TOUCH)]),
    "a marker that LangChain wrote": {
        "lc": 1,
        "type": "not_implemented",
        "id": ["os", "system"],
        "repr": TOUCH,
    },
}


def doubled(levels: int) -> dict[str, Any]:
    """A list of two lists of two lists: each level is written once."""
    first = {"$persist": "shared", "id": 0, "v": ["ha"]}
    rest = [
        {"$persist": "shared", "id": n, "v": [tag("ref", n - 1), tag("ref", n - 1)]}
        for n in range(1, levels)
    ]
    return {"all": [first, *rest]}


def doubled_slices(levels: int) -> list[dict[str, Any]]:
    """The same with slices, which newer Pythons hash by what is in them."""
    first = {"$persist": "shared", "id": 0, "v": tag("slice", ["ha", None, None])}
    rest = [
        {
            "$persist": "shared",
            "id": n,
            "v": tag("slice", [tag("ref", n - 1), tag("ref", n - 1), None]),
        }
        for n in range(1, levels)
    ]
    return [first, *rest]


def colliding(count: int) -> list[dict[str, Any]]:
    """Integers that Python gives one and the same hash."""
    return [tag("int", str((2**61 - 1) * (n + 2**20))) for n in range(count)]


def rows(count: int) -> dict[str, Any]:
    return {"index": {"names": [None], "range": [0, count, 1]}, "attrs": {}}


# Written for the typed JSON.
TYPED: dict[str, Any] = {
    **{
        f"CVE-2026-28277: {kind} of {name}": tag(kind, {"class": name, **fields})
        for name in ("os:system", "builtins:eval", "subprocess:Popen", "pickle:loads")
        for kind, fields in {
            "enum": {"value": TOUCH},
            "dataclass": {"fields": {"command": TOUCH}},
            "namedtuple": {"fields": [TOUCH]},
            "pydantic": {"fields": {"command": TOUCH}, "set": [], "extra": None, "private": None},
            "custom": {"state": TOUCH},
        }.items()
    },
    **{
        f"an exception that is {name}": tag("exception", name)
        for name in ("os:system", "builtins:eval", "builtins:object", "subprocess:TimeoutExpired")
    },
    "CVE-2026-28277: a class that walks attributes": tag(
        "enum", {"class": "logging:os.environ", "name": SECRET}
    ),
    "CVE-2026-27794: a pickle as an array of objects": tag(
        "ndarray", {"dtype": "|O", "shape": [1], "data": "gASVFQ=="}
    ),
    "a secret by name": tag("secret", SECRET),
    "a zone that is a path": tag("zone", {"key": "../../../etc/passwd"}),
    "an array that takes all memory": tag(
        "ndarray", {"dtype": "<f8", "shape": [2**40], "data": ""}
    ),
    "an array without bytes that takes all memory": tag(
        "ndarray", {"dtype": "|S0", "shape": [2**40], "data": ""}
    ),
    "a factory that is code": tag("defaultdict", {"factory": "os.system", "items": []}),
    "lc in the tag": tag("lc", {"id": ["os", "system"], "kwargs": {"command": TOUCH}}),
    "lc in the tag, overriding its type": tag("lc", {"type": "secret", "id": [SECRET], "lc": 1}),
    "an unknown kind": tag("os.system", TOUCH),
    "a reference to what is not there": tag("ref", 7),
    "a reference to what holds it": {
        "$persist": "shared",
        "id": 0,
        "v": tag("tuple", [tag("ref", 0)]),
    },
    "a set of what holds it": {
        "$persist": "shared",
        "id": 0,
        "v": tag("frozenset", [tag("tuple", [tag("ref", 0)])]),
    },
    "doubled lists": doubled(60),
    "parts of parts": tag("parts", [tag("part", 1), tag("part", 0)]),
    "a prompt of examples with a jinja2 template": tag(
        "pydantic",
        {
            "class": "langchain_core.prompts.few_shot:FewShotPromptTemplate",
            "fields": {"template_format": "jinja2", "suffix": JINJA, "input_variables": []},
            "set": [],
        },
    ),
    "keys of one hash": tag("dict", [[key, 0] for key in colliding(100_000)]),
    "elements of one hash": tag("set", colliding(100_000)),
    "a key of doubled lists": tag("dict", [[doubled(60)["all"], 1]]),
    "a key of doubled slices": tag("set", [tag("tuple", doubled_slices(60))]),
    "a series of one value and very many rows": tag(
        "series", {**rows(2**50), "name": None, "values": {"array": 1}}
    ),
    "a frame of one value and very many rows": tag(
        "dataframe",
        {
            **rows(2**50),
            "columns": {"names": [None], "range": [0, 1, 1]},
            "values": [{"array": 1}],
        },
    ),
    "a million keys": {f"k{n}": None for n in range(1_000_000)},
}


def envelope(adapter: str, state: Any, **fields: Any) -> dict[str, Any]:
    return {
        "adapter": adapter,
        "adapter_version": 1,
        "class": "os.system",
        "framework": {},
        "python": "3.11",
        "fingerprint": {},
        "requires": [],
        "state": state,
        **fields,
    }


MEMORY = {"class": "os.system", "fields": {"command": TOUCH}, "messages": []}
CHAIN = {"prompt": prompt(JINJA, "jinja2"), "settings": {}, "llm": None}

# Written for the adapters: what is in the envelope.
ADAPTERS: dict[str, dict[str, Any]] = {
    "an adapter that is a module": envelope("os", {}),
    "an adapter that is a path": envelope("../../etc", {}),
    "a memory that is a function": envelope("langchain-classic", {"memory": MEMORY}),
    "a chain with a jinja2 prompt": envelope("langchain-classic", {"memory": MEMORY, **CHAIN}),
    "a chain that is not one": envelope("langchain-classic", [1]),
    "a graph without checkpoints": envelope("langgraph", {"thread_id": "a"}),
    "sessions that are not a dict": envelope("langchain-history", {"sessions": 7}),
    "a version that is text": envelope("langgraph", {}, adapter_version="x"),
    "frameworks that are not a dict": envelope("langgraph", {}, framework=[1]),
    "a distribution that is a path": envelope("langgraph", {}, framework={"../../x": "1"}),
}
