"""LangChain's own objects: messages, prompts, documents, chains of them, known chat models.

They are written as LangChain writes them (`lc` constructors), so that its tools can read them. A
constructor whose arguments need our tags is written under the kind `lc` instead. What may be built
is langchain-core's own table of classes, and the closed table of models below: the file picks a
row, it never names a module, a field outside the row, or an environment variable.
"""

from __future__ import annotations

import importlib
import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from persist.codec._difference import difference
from persist.codec._models import (
    CALL_SETTINGS,
    MODELS,
    VARIABLES,
    Id,
    Model,
    by_alias,
    is_harmless_call,
    row_named,
    row_of,
    settings,
)
from persist.codec._types import Child
from persist.codec.kinds._simple import Simple
from persist.codec.kinds.classes import is_cached
from persist.exceptions import (
    AdapterNotInstalledError,
    FormatError,
    MissingSecretError,
    UntrustedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import SecretStr

    from persist.codec._types import Read

_BRANCH = "langchain_core.runnables.branch.RunnableBranch"
_ALIASES = frozenset({"langchain_core.language_models.chat_models._ChatModelBinding"})
"""Classes that LangChain writes under the id of another, since they do the same."""
_CODE = frozenset({"cache", "callbacks", "custom_get_token_ids", "rate_limiter"}) | {
    "azure_ad_async_token_provider",
    "azure_ad_token_provider",
    "http_async_client",
    "http_client",
    "http_socket_options",
}


_STEERS = {
    "langchain_core.prompts.structured.StructuredPrompt": "structured_output_kwargs",
    "langchain_core.runnables.base.RunnableBindingBase": "kwargs",
    "langchain_core.runnables.configurable.RunnableConfigurableFields": "fields",
}
"""The fields that reach the calls or the constructor of a model; derived classes have them too."""


class _LangChain:
    """A Serializable of langchain-core, or a model of the table."""

    name = "lc"

    def matches(self, names: Sequence[str]) -> bool:
        """Say whether the class is in langchain-core's table or in ours."""
        if row_named(names[0]) is not None:
            return True
        if "langchain_core.load.serializable.Serializable" not in names:
            return False
        # `RunnableParallel[dict]` is RunnableParallel; what is in the brackets only helps typing.
        name = names[0].partition("[")[0]
        return name in _core_classes() or names[0] in _ALIASES

    def counts(self, value: object) -> str | None:
        """Say which limit counts an object: models have one."""
        return "models" if row_of(value) else None

    def encode(self, value: Any, refuse: Callable[[str, str], Exception]) -> object:
        """Return the id of the class, and the arguments of its constructor."""
        row = row_of(value)
        if row is not None:
            return _encoded_model(row, value, refuse)
        for name in value.__dict__.keys() - type(value).model_fields.keys():
            if not is_cached(value, name):
                raise refuse(f"it has the attribute {name!r} that is no field", "remove it")
        shown = value.to_json()
        identifier = list(shown.get("id", ()))
        if shown.get("type") != "constructor" or _class_path(tuple(identifier)) is None:
            raise refuse("LangChain does not serialize it", "keep its data instead of the object")
        arguments = {**shown["kwargs"], **(value.__pydantic_extra__ or {})}
        arguments.update(_left_out(value, arguments, refuse))
        kwargs = {name: Child(item, f".{name}", name=name) for name, item in arguments.items()}
        return {"id": identifier, "kwargs": kwargs, "empty": _empty(value, arguments)}

    def decode(self, node: Any, read: Read) -> object:
        """Build the object from a constructor that needed tags."""
        return decode({"lc": 1, "type": "constructor", **node}, read, can_share=True)


def _text(node: Any, read: Read) -> object:
    value = read.child(node, "")
    if read.is_plain:
        return value
    from langchain_core.messages.base import TextAccessor

    return TextAccessor(value)


KIND = _LangChain()
KINDS = (
    # What `message.text` returns: a text that can be called.
    Simple(
        "langchain.text",
        "langchain_core.messages.base.TextAccessor",
        lambda v: Child(str(v), ""),
        _text,
    ),
    KIND,
)


def _reference(variable: str) -> dict[str, object]:
    """LangChain's node for a key: the name of its environment variable."""
    return {"lc": 1, "type": "secret", "id": [variable]}


def _encoded_model(row: Model, value: Any, refuse: Callable[[str, str], Exception]) -> object:
    """The fields of a model that were set; for a key, the name of its variable."""
    kwargs: dict[str, object] = {
        name: _reference(variable)
        for name, variable in row.secrets.items()
        if getattr(value, name) is not None
    }
    for name, item in settings(row, value).items():
        if name in _CODE:
            raise refuse(f"its field {name!r} is code", f"set {name}=None for the snapshot")
        kwargs[name] = Child(item, f".{name}", name=name)
    return {"id": list(row.identifier), "kwargs": kwargs, "empty": {}}


def _left_out(
    value: Any, arguments: dict[str, Any], refuse: Callable[[str, str], Exception]
) -> dict[str, Any]:
    """The fields that LangChain drops when it dumps an object: tags, metadata and the like."""
    kept: dict[str, Any] = {}
    for name, field in type(value).model_fields.items():
        item = getattr(value, name)
        if not field.exclude or name in arguments or item is None:
            continue
        if name in _CODE:
            raise refuse(f"its field {name!r} is code", f"set {name}=None for the snapshot")
        # The others (clients, profiles, input types) are made by the constructor.
        if name in CALL_SETTINGS and item != field.get_default(call_default_factory=True):
            kept[name] = item
    return kept


def _empty(value: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """The empty lists and dicts that LangChain leaves out; copies of an object share them."""
    fields = ((name, value.__dict__.get(name)) for name in type(value).model_fields)
    return {
        name: item
        for name, item in fields
        if type(item) in (dict, list) and not item and name not in arguments
    }


def tag_if_needed(node: dict[str, Any]) -> None:
    """Turn a constructor whose arguments hold our tags into the kind `lc`, in place."""
    if _has_tag(node["kwargs"]):
        value = {"id": node["id"], "kwargs": node["kwargs"]}
        node.clear()
        node.update({"$persist": "lc", "v": value})


def _has_tag(tree: Any) -> bool:
    pending = [tree]
    while pending:
        node = pending.pop()
        if type(node) is dict:
            if "$persist" in node:
                return True
            pending.extend(node.values())
        elif type(node) is list:
            pending.extend(node)
    return False


def is_object(node: dict[str, Any]) -> bool:
    """Say whether LangChain takes this dict for one of its objects.

    Args:
        node: A dict that has the key `lc`.
    """
    return node["lc"] == 1 and node.get("type") in ("constructor", "secret", "not_implemented")


def decode(node: dict[str, Any], read: Read, *, can_share: bool = False) -> object:
    """Build an object from LangChain's JSON.

    Args:
        node: A constructor, or a dict that LangChain escaped.
        read: Reads the arguments, and says what may be built.
        can_share: Whether something in the arguments may be shared with others.

    Raises:
        FormatError: It is neither, or it is a marker that holds only a repr.
        UntrustedError: The class or a field is not on the list.
    """
    kind, identifier = node.get("type"), _id_of(node)
    if kind == "secret" and read.is_plain:
        return f"<secret {'.'.join(identifier)}>"
    if kind != "constructor" or not identifier:
        message = f"{read.path} holds no object that can be rebuilt, but LangChain's {kind!r}"
        raise FormatError(message, hint="what LangChain could not serialize was never saved")
    kwargs, path = node.get("kwargs", {}), identifier
    if read.is_plain:
        fields = {name: read.child(item, f".{name}") for name, item in kwargs.items()}
        return {"class": _class_path(path) or ".".join(identifier), "fields": fields}
    if path in MODELS:
        return _model(MODELS[path], kwargs, read)
    made, arguments = _core_object(path, kwargs, read)
    if can_share:
        _share(made, arguments)
    return made


def _id_of(node: dict[str, Any]) -> Id:
    """The id in a node of LangChain's; empty when it is none."""
    steps = node.get("id")
    is_id = type(steps) is list and all(type(step) is str for step in steps)
    return tuple(steps) if is_id else ()  # type: ignore[arg-type]


def _share(made: Any, arguments: dict[str, Any]) -> None:
    """Put back the lists and dicts that the constructor copied: another object may hold them."""
    for name, item in arguments.items():
        held = made.__dict__.get(name)
        if type(item) in (dict, list) and held is not item and difference(held, item) is None:
            made.__dict__[name] = item


def _core_object(path: Id, kwargs: dict[str, Any], read: Read) -> tuple[object, dict[str, Any]]:
    target = _class_path(path)
    if target is None and not _core_ids():
        message = f"{read.path} holds {'.'.join(path)}, and langchain-core is not installed"
        raise AdapterNotInstalledError(message, hint="pip install langchain-core")
    if target is None:
        read.trust.check(".".join(path), read.path)
        message = f"{read.path} asks for {'.'.join(path)}, which is not one of langchain-core's"
        raise UntrustedError(message, hint="rebuild this object and pass it in")
    arguments = {name: read.child(item, f".{name}") for name, item in kwargs.items()}
    if _has_jinja(target, arguments) and not read.trust.allows(target):
        message = f"{read.path} asks for a jinja2 template, which can run code"
        hint = f'if you trust this snapshot, pass allow={{"{target}": True}}'
        raise UntrustedError(message, hint=hint)
    module, _, name = target.rpartition(".")
    cls = getattr(importlib.import_module(module), name)
    made = _branch(cls, **arguments) if target == _BRANCH else cls(**arguments)
    _check_calls(target, made, read)
    return made, arguments


def _branch(cls: Any, *, branches: Any, default: Any, name: str | None = None) -> Any:
    """Call the constructor of the one class that does not take its fields by name."""
    made = cls(*branches, default)
    made.name = name
    return made


def _check_calls(target: str, made: Any, read: Read) -> None:
    """Refuse what would steer a model when it is called: its address, headers, body."""
    for base in type(made).__mro__:
        field = _STEERS.get(f"{base.__module__}.{base.__qualname__}")
        held = getattr(made, field) if field else None
        if field and held and not is_harmless_call(held):
            read.trust.check(target, read.path, field)


def _has_jinja(target: str, arguments: dict[str, Any]) -> bool:
    """Say whether a prompt is to be built of jinja2; it makes prompts of dicts in its arguments."""
    if not target.startswith("langchain_core.prompts."):
        return False
    pending: list[Any] = [arguments]
    met: set[int] = set()
    while pending:
        value = pending.pop()
        if id(value) in met or not isinstance(value, (dict, list, tuple)):
            continue
        met.add(id(value))
        if isinstance(value, dict):
            if value.get("template_format") == "jinja2":
                return True
            pending.extend(value.values())
        else:
            pending.extend(value)
    return False


def _model(row: Model, kwargs: dict[str, Any], read: Read) -> object:
    read.count("models")
    # A field that the file left out is asked for as well: without it, the class would look for it.
    needed = [name for n, name in enumerate(row.secrets) if n == 0 or name in kwargs]
    arguments: dict[str, Any] = {name: _key(row, name, read) for name in needed}
    for name, item in kwargs.items():
        if name in row.secrets:
            continue
        if name not in row.fields:
            read.trust.check(f"{row.module}.{row.name}", read.path, name)
        arguments[name] = read.child(item, f".{name}")
    try:
        module = importlib.import_module(row.module)
    except ImportError:
        message = f"{read.path} needs {row.module}, which is not installed"
        hint = f"pip install {row.module.replace('_', '-')}"
        raise AdapterNotInstalledError(message, hint=hint) from None
    cls = getattr(module, row.name)
    return cls(**by_alias(cls, arguments))


def _key(row: Model, field: str, read: Read) -> SecretStr:
    """The key of a model: from the caller, or from the one variable of its row."""
    # Hidden, since the constructor's errors show what it was given.
    from pydantic import SecretStr

    variable = row.secrets[field]
    if read.is_own:
        return SecretStr("a key that is never used")
    key = read.trust.secrets.get(variable) or os.environ.get(variable)
    if key:
        return SecretStr(key)
    message = f"{row.name} needs {variable}, which snapshots never hold"
    hint = f'set {variable}, or pass secrets={{"{variable}": ...}}'
    raise MissingSecretError(message, hint=hint)


def secret_value(name: str, read: Read) -> str:
    """Return a value that was left out of the snapshot; only the caller can give it.

    Raises:
        MissingSecretError: The caller did not.
        UntrustedError: The file asks for the key of a model, in another place.
    """
    if read.is_plain:
        return f"<secret {name}>"
    if name in VARIABLES:
        message = f"{read.path} asks for {name}, which is for a model alone"
        raise UntrustedError(message, hint="do not trust this snapshot")
    if name in read.trust.secrets:
        return read.trust.secrets[name]
    message = f"the value at {read.path} was left out of the snapshot"
    raise MissingSecretError(message, hint=f'pass secrets={{"{name}": ...}}')


def _class_path(identifier: Id) -> str | None:
    """The class that an id of LangChain's stands for, in langchain-core or our table."""
    row = MODELS.get(identifier)
    if row is not None:
        return f"{row.module}.{row.name}"
    return _core_ids().get(identifier)


@lru_cache(maxsize=1)
def _core_ids() -> dict[Id, str]:
    """langchain-core's table, without what is not its own."""
    try:
        from langchain_core.load.mapping import SERIALIZABLE_MAPPING
    except ImportError:
        return {}
    own = {key: path for key, path in SERIALIZABLE_MAPPING.items() if path[0] == "langchain_core"}
    ids = {tuple(key): ".".join(path) for key, path in own.items()}
    # Ids that are the class's own path stand for themselves.
    return {**ids, **{path: ".".join(path) for path in own.values()}}


@lru_cache(maxsize=1)
def _core_classes() -> frozenset[str]:
    return frozenset(_core_ids().values())
