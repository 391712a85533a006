"""The parts of a langchain-classic agent that hold state: found, read, filled again, built.

A chain is code; what a run changes lives in parts below it: memories, histories, entity stores,
vector stores. Each class of part that is known is a row of a closed table. A part of any other
class is refused by name; a part whose data lives outside the process is kept as a reference to it.
"""

from __future__ import annotations

import importlib
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from persist import codec
from persist.adapters._common import class_name
from persist.adapters._refusals import refuse
from persist.exceptions import (
    CaptureError,
    FingerprintMismatchError,
    MissingSecretError,
    NeedsContextError,
    RestoreError,
    UnserializableStateError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_MEMORY = "langchain_classic.memory."
_HISTORY = "langchain_core.chat_history.InMemoryChatMessageHistory"


@dataclass(frozen=True)
class Part:
    """A row of the table: what a part of this class consists of.

    Attributes:
        content: Fields that a run changes.
        settings: Fields that its constructor is given.
        parts: Fields that hold parts.
        code: Fields that hold a model.
    """

    content: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    code: tuple[str, ...] = ()


_CHAT_SETTINGS = ("output_key", "input_key", "return_messages", "human_prefix", "ai_prefix")


def _chat(content: str = "", settings: str = "", parts: str = "", code: str = "") -> Part:
    """A memory over a history of messages."""
    return Part(
        tuple(content.split()),
        (*_CHAT_SETTINGS, *settings.split()),
        ("chat_memory", *parts.split()),
        tuple(code.split()),
    )


_TABLE: dict[str, Part] = {
    _HISTORY: Part(content=("messages",)),
    f"{_MEMORY}buffer.ConversationBufferMemory": _chat(settings="memory_key"),
    f"{_MEMORY}buffer_window.ConversationBufferWindowMemory": _chat(settings="memory_key k"),
    f"{_MEMORY}buffer.ConversationStringBufferMemory": Part(
        ("buffer",), ("human_prefix", "ai_prefix", "output_key", "input_key", "memory_key")
    ),
    f"{_MEMORY}summary.ConversationSummaryMemory": _chat("buffer", "memory_key prompt", "", "llm"),
    f"{_MEMORY}summary_buffer.ConversationSummaryBufferMemory": _chat(
        "moving_summary_buffer", "memory_key prompt max_token_limit", "", "llm"
    ),
    f"{_MEMORY}token_buffer.ConversationTokenBufferMemory": _chat(
        "", "memory_key max_token_limit", "", "llm"
    ),
    f"{_MEMORY}vectorstore_token_buffer_memory.ConversationVectorStoreTokenBufferMemory": _chat(
        "_timestamps",
        "memory_key max_token_limit previous_history_template split_chunk_size",
        "retriever",
        "llm",
    ),
    "langchain_classic.agents.openai_functions_agent.agent_token_buffer_memory."
    "AgentTokenBufferMemory": _chat(
        "", "memory_key max_token_limit intermediate_steps_key format_as_tools", "", "llm"
    ),
    f"{_MEMORY}entity.ConversationEntityMemory": _chat(
        "entity_cache",
        "k chat_history_key entity_extraction_prompt entity_summarization_prompt",
        "entity_store",
        "llm",
    ),
    f"{_MEMORY}entity.InMemoryEntityStore": Part(content=("store",)),
    f"{_MEMORY}combined.CombinedMemory": Part(parts=("memories",)),
    f"{_MEMORY}readonly.ReadOnlySharedMemory": Part(parts=("memory",)),
    f"{_MEMORY}simple.SimpleMemory": Part(content=("memories",)),
    f"{_MEMORY}vectorstore.VectorStoreRetrieverMemory": Part(
        settings=("memory_key", "input_key", "return_docs", "exclude_input_keys"),
        parts=("retriever",),
    ),
    "langchain_core.vectorstores.base.VectorStoreRetriever": Part(
        settings=("search_type", "search_kwargs", "tags", "metadata"), parts=("vectorstore",)
    ),
    "langchain_core.vectorstores.in_memory.InMemoryVectorStore": Part(
        content=("store",), code=("embedding",)
    ),
}

_COMMUNITY = "langchain_community."
_TABLE[f"{_COMMUNITY}memory.kg.ConversationKGMemory"] = _chat(
    "", "k memory_key knowledge_extraction_prompt entity_extraction_prompt", "kg", "llm"
)
_KNOWLEDGE = f"{_COMMUNITY}graphs.networkx_graph.NetworkxEntityGraph"
_TABLE[_KNOWLEDGE] = Part(content=("knowledge",))

# Their data lives in a file or a database: what is kept is where.
_SQL = "langchain_community.chat_message_histories.sql.SQLChatMessageHistory"
OUTSIDE: dict[str, tuple[str, ...]] = {
    "langchain_community.chat_message_histories.file.FileChatMessageHistory": ("file_path",),
    _SQL: ("session_id", "database"),
    f"{_MEMORY}entity.SQLiteEntityStore": ("session_id", "table_name", "database"),
}

_HOLDS_PARTS = (
    "langchain_classic.chains.base.Chain",
    "langchain_classic.agents.agent.BaseSingleActionAgent",
    "langchain_classic.agents.agent.BaseMultiActionAgent",
)
_IS_PART = (
    "langchain_classic.base_memory.BaseMemory",
    "langchain_classic.memory.entity.BaseEntityStore",
    "langchain_core.chat_history.BaseChatMessageHistory",
    "langchain_core.retrievers.BaseRetriever",
    "langchain_core.vectorstores.base.VectorStore",
)


def find(agent: Any) -> dict[str, Any]:
    """Return the parts of an agent by path, each after what it is in.

    Args:
        agent: A chain or a memory.

    Returns:
        Parts; a part that is met again is there twice.

    Raises:
        UnserializableStateError: There is a part of a class that is not known.
    """
    found: dict[str, Any] = {}
    pending = [("$", agent)]
    seen: set[int] = set()
    while pending:
        path, value = pending.pop()
        fields = _fields(path, value)
        if fields is None:
            continue
        if _is_part(value):
            found[path] = value
        if id(value) not in seen:
            seen.add(id(value))
            pending += reversed(list(_items(path, value, fields)))
    return found


def _fields(path: str, value: Any) -> Sequence[str] | None:
    """The fields below which there may be parts; None for a value that holds none."""
    name = class_name(value)
    if name in _TABLE:
        return _TABLE[name].parts
    if is_outside(value):
        return ()
    names = {f"{base.__module__}.{base.__qualname__}" for base in type(value).__mro__}
    if not names.isdisjoint(_IS_PART):
        hint = "snapshot what it holds by itself, or put a part of a known class in its place"
        message = f"could not capture {path} ({name}): its class is not one that comes back"
        refuse(UnserializableStateError(message, path=path, type_name=name, hint=hint))
        return None
    return list(type(value).model_fields) if not names.isdisjoint(_HOLDS_PARTS) else None


def _is_part(value: Any) -> bool:
    return class_name(value) in _TABLE or is_outside(value)


def _items(path: str, value: Any, fields: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for field in fields:
        item = getattr(value, field)
        if isinstance(item, (list, tuple)):
            yield from ((f"{path}.{field}[{n}]", each) for n, each in enumerate(item))
        else:
            yield f"{path}.{field}", item


def capture(agent: Any) -> dict[str, dict[str, Any]]:
    """Return the state of all parts.

    Args:
        agent: A chain or a memory.

    Returns:
        A record by path: `class` with `content`, `settings`, `code` and `parts`; or
        `outside`, where the data is; or `same_as`, the path of the same part.

    Raises:
        UnserializableStateError: There is a part of a class that is not known.
    """
    first: dict[int, str] = {}
    records: dict[str, dict[str, Any]] = {}
    for path, part in find(agent).items():
        if id(part) in first:
            records[path] = {"same_as": first[id(part)]}
        else:
            first[id(part)] = path
            records[path] = _record(part, path)
    return records


def _record(part: Any, path: str) -> dict[str, Any]:
    name = class_name(part)
    if is_outside(part):
        return reference(part, path)
    row = _TABLE[name]
    models = {field: model(getattr(part, field), f"{path}.{field}") for field in row.code}
    if getattr(part, "summary_message_cls", None) not in (None, _default_class()):
        models["summary_message_cls"] = None
    return {
        "class": name,
        "content": {field: _copied(_get(part, field)) for field in row.content},
        "settings": {field: getattr(part, field) for field in row.settings},
        "code": models,
        "parts": {field: _shape(getattr(part, field)) for field in row.parts},
    }


def _default_class() -> Any:
    from langchain_core.messages import SystemMessage

    return SystemMessage


def _get(part: Any, field: str) -> Any:
    """A field of a part; `knowledge` is what a graph of entities holds."""
    if field != "knowledge":
        return getattr(part, field)
    graph = part._graph  # noqa: SLF001 - its own calls leave out entities without relations
    return {"entities": list(graph.nodes), "relations": [list(edge) for edge in graph.edges.data()]}


def _set(part: Any, field: str, value: Any) -> None:
    if field != "knowledge":
        setattr(part, field, value)
        return
    graph = importlib.import_module("networkx").DiGraph()
    graph.add_nodes_from(value["entities"])
    graph.add_edges_from(map(tuple, value["relations"]))
    part._graph = graph  # noqa: SLF001


def _copied(value: Any) -> Any:
    """The container alone: what the living part appends must not show in what was captured."""
    return type(value)(value) if isinstance(value, (list, dict)) else value


def _shape(value: Any) -> int | None:
    """How many parts the field holds; None for one that is not in a list."""
    return len(value) if isinstance(value, list) else None


def model(value: Any, path: str) -> codec.Lazy | None:
    """Return a model as data when anybody can build it again, else None."""
    try:
        codec.decode(codec.encode(value, path=path).data)
    except MissingSecretError:
        return codec.Lazy(lambda: value)
    except (CaptureError, RestoreError):
        return None
    return codec.Lazy(lambda: value)


def load(records: Mapping[str, Any], agent: Any) -> None:
    """Put the content of records into the parts of a living agent, all or none.

    Args:
        records: What `capture` returned.
        agent: The agent; when this raises, it is as it was.

    Raises:
        FingerprintMismatchError: It has other parts.
    """
    parts = find(agent)
    _check_same(records, parts)
    done: list[tuple[Any, str, Any]] = []
    try:
        for path, record in records.items():
            for field, value in record.get("content", {}).items():
                done.append((parts[path], field, _get(parts[path], field)))
                _set(parts[path], field, value)
    except BaseException:
        for part, field, value in reversed(done):
            _set(part, field, value)
        raise


def _check_same(records: Mapping[str, Any], parts: Mapping[str, Any]) -> None:
    saved = {path: _resolved(records, path)["class"] for path in records}
    living = {path: class_name(part) for path, part in parts.items()}
    lines = [
        f"{path}: {saved.get(path, 'nothing')} in the snapshot, {living.get(path, 'nothing')} here"
        for path in {**saved, **living}
        if saved.get(path) != living.get(path)
    ]
    lines += [
        f"{path}: {record['outside']} in the snapshot, {_outside(parts[path])} here"
        for path, record in records.items()
        if not lines and "outside" in record and not is_same_place(record, parts[path])
    ]
    if lines:
        message = "the agent is not the one that the snapshot was taken from: " + "; ".join(lines)
        hint = "give it the same memories, histories and stores"
        raise FingerprintMismatchError(message, differences=tuple(lines), hint=hint)


def is_outside(part: Any) -> bool:
    """Say whether the data of a part lives in a file or a database.

    Args:
        part: Anything.
    """
    return class_name(part) in OUTSIDE


def reference(part: Any, path: str) -> dict[str, Any]:
    """Return where the data of a part is, as a record.

    Args:
        part: A part whose data lives outside the process.
        path: Where it stands.

    Raises:
        UnserializableStateError: Its database is in memory, and ends with the process.
    """
    name, where = class_name(part), _outside(part)
    if where.get("database") in ("", ":memory:"):
        message = f"could not capture {path} ({name}): its database is in memory"
        hint = "keep it in a file, or use InMemoryChatMessageHistory"
        refuse(UnserializableStateError(message, path=path, type_name=name, hint=hint))
    return {"class": name, "outside": where}


def is_same_place(record: Mapping[str, Any], part: Any) -> bool:
    """Say whether a part is the one that a reference stands for.

    Args:
        record: What `reference` returned.
        part: A part of a living agent.
    """
    if class_name(part) != record["class"]:
        return False
    living = _outside(part)
    return all(living.get(field) == place for field, place in record["outside"].items())


def _outside(part: Any) -> dict[str, str]:
    return {field: str(_place(part, field)) for field in OUTSIDE[class_name(part)]}


def _place(part: Any, field: str) -> Any:
    if field != "database":
        return getattr(part, field)
    if class_name(part) == _SQL:
        engine = getattr(part, "engine", None) or part.async_engine
        return engine.url.database or ""
    return part.conn.execute("PRAGMA database_list").fetchone()[2]


def _resolved(records: Mapping[str, Any], path: str) -> Any:
    record = records[path]
    return records[record["same_as"]] if "same_as" in record else record


def build(records: Mapping[str, Any], path: str, llm: Any) -> Any:
    """Build a part, and the parts below it.

    Args:
        records: What `capture` returned.
        path: The path of the part.
        llm: The model that parts are given; None takes the one that they were saved with.

    Returns:
        The part.

    Raises:
        NeedsContextError: It needs code that is not in the snapshot.
    """
    built: dict[str, Any] = {}

    def at(path: str) -> Any:
        first = records[path].get("same_as", path)
        if first not in built:
            built[first] = _build(records[first], first, llm, at)
        return built[first]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return at(path)


def _build(record: Mapping[str, Any], path: str, llm: Any, at: Callable[[str], Any]) -> Any:
    if "outside" in record:
        raise _needs_into(path, record["class"])
    row = _TABLE[record["class"]]
    arguments = {field: record["settings"][field] for field in row.settings}
    for field, saved in record["code"].items():
        arguments[field] = _code(saved, field, path, llm)
    for field in row.parts:
        count = record["parts"][field]
        arguments[field] = (
            at(f"{path}.{field}")
            if count is None
            else [at(f"{path}.{field}[{n}]") for n in range(count)]
        )
    module, _, name = record["class"].rpartition(".")
    part = getattr(importlib.import_module(module), name)(**arguments)
    for field in row.content:
        _set(part, field, record["content"][field])
    return part


def _code(saved: codec.Lazy | None, field: str, path: str, llm: Any) -> Any:
    if field == "llm" and llm is not None:
        return llm
    if saved is None:
        raise _needs_into(f"{path}.{field}", "model")
    return saved.get()


def _needs_into(path: str, name: str) -> NeedsContextError:
    message = f"the snapshot does not hold what {path} ({name}) needs to be built again"
    return NeedsContextError(message, hint="call persist.restore(path, into=agent), or pass llm=")


def memory_of_version_1(state: Mapping[str, Any], path: str) -> dict[str, dict[str, Any]]:
    """Return the records of a memory as version 1 of the adapter wrote it."""
    row = _TABLE[state["class"]]
    return {
        path: {
            "class": state["class"],
            "content": {},
            "settings": {field: state["fields"][field] for field in row.settings},
            "code": {},
            "parts": {"chat_memory": None},
        },
        f"{path}.chat_memory": {
            "class": _HISTORY,
            "content": {"messages": state["messages"]},
            "settings": {},
            "code": {},
            "parts": {},
        },
    }
