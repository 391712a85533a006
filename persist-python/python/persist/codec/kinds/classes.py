"""Objects of a user's classes: enums, named tuples, dataclasses, pydantic models."""

from __future__ import annotations

import dataclasses
import enum
import importlib
import inspect
import sys
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from persist.codec._registry import class_name, registered
from persist.codec._types import Child, Lazy
from persist.exceptions import FormatError, PersistError, RestoreError, UntrustedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from persist.codec._types import Read

_ABSENT = object()

SAFE_CLASSES = frozenset(
    f"langchain_core.{name}"
    for name in (
        "chat_history.InMemoryChatMessageHistory",
        "exceptions.ContextOverflowError",
        "exceptions.LangChainException",
        "exceptions.OutputParserException",
        "exceptions.TracerException",
        "language_models.fake.FakeListLLM",
        "language_models.fake.FakeStreamingListLLM",
        "language_models.fake_chat_models.FakeListChatModel",
        "language_models.fake_chat_models.FakeMessagesListChatModel",
        "language_models.fake_chat_models.ParrotFakeChatModel",
        "output_parsers.json.JsonOutputParser",
        "output_parsers.openai_tools.JsonOutputKeyToolsParser",
        "output_parsers.openai_tools.JsonOutputToolsParser",
        "outputs.chat_result.ChatResult",
        "outputs.llm_result.LLMResult",
        "outputs.run_info.RunInfo",
        "prompts.few_shot.FewShotChatMessagePromptTemplate",
        "prompts.few_shot.FewShotPromptTemplate",
    )
)
"""Classes of langchain-core that hold data alone, and that LangChain does not serialize."""


def named(cls: type, refuse: Callable[[str, str], Exception]) -> str:
    """Return the name that a class is found by again, or refuse the value."""
    name = class_name(cls)
    if registered(name) is not cls and _lookup(cls.__module__, cls.__qualname__) is not cls:
        raise refuse("its class cannot be imported by name", "define it at the top of a module")
    return f"{cls.__module__}:{cls.__qualname__}"


def resolve(node: Any, read: Read, fields: Iterable[str] = ()) -> Any:
    """Find a class that a snapshot names; None when only data is wanted.

    Raises:
        UntrustedError: It is neither registered nor allowed, or one of its fields is not.
        FormatError: There is no such class.
    """
    if not isinstance(node, str) or node.count(":") != 1:
        message = f"{read.path} names no class"
        raise FormatError(message)
    if read.is_plain:
        return None
    module, qualname = node.split(":")
    known = registered(f"{module}.{qualname}")
    if known is not None:
        return known
    name = f"{module}.{qualname}"
    if name not in SAFE_CLASSES:
        read.trust.check(name, read.path)
        for field in fields:
            read.trust.check(name, read.path, field)
    found = _lookup(module, qualname, load=True)
    if not isinstance(found, type):
        message = f"{read.path} names the class {name}, which is not there"
        raise FormatError(message, hint="install the package that the class comes from")
    if class_name(found) != name and name not in read.trust.allow:
        # `pkg.*` is about the classes of pkg, not about those that it imports.
        read.trust.check(class_name(found), read.path)
    return found


def _lookup(module: str, qualname: str, *, load: bool = False) -> object:
    found: object = sys.modules.get(module)
    if found is None and load:
        try:
            found = importlib.import_module(module)
        except ImportError:
            return None
    for step in qualname.split("."):
        found = getattr(found, step, None)
    return found


def _shown(node: Any, fields: dict[str, Any], read: Read) -> dict[str, Any]:
    """What stands for an object when only data is wanted; it may contain itself."""
    shown: dict[str, Any] = {}
    made = read.keep({"class": str(node["class"]).replace(":", "."), "fields": shown})
    shown.update(_read_fields(fields, read))
    return made


def _children(values: dict[str, Any]) -> dict[str, Child]:
    return {name: Child(value, f".{name}", name=name) for name, value in values.items()}


def _read_fields(node: Any, read: Read) -> dict[str, Any]:
    return {name: read.child(item, f".{name}") for name, item in node.items()}


def is_cached(value: object, name: str) -> bool:
    """Say whether an attribute is computed again when it is asked for."""
    return isinstance(inspect.getattr_static(type(value), name, None), cached_property)


def _wrong(read: Read, cls: type, why: str) -> FormatError:
    return FormatError(f"{read.path}: {class_name(cls)} {why}")


class _Enum:
    """A member of an enum, by its name; a combination of flags by its value."""

    name = "enum"

    def matches(self, names: Sequence[str]) -> bool:
        """Say whether the class is an enum."""
        return "enum.Enum" in names

    def encode(self, value: Any, refuse: Callable[[str, str], Exception]) -> object:
        """Return class and member."""
        node: dict[str, object] = {"class": named(type(value), refuse)}
        if type(value).__members__.get(value.name) is value:
            return {**node, "name": value.name}
        return {**node, "value": Child(value.value, ".value")}

    def decode(self, node: Any, read: Read) -> object:
        """Find the member."""
        cls = resolve(node["class"], read)
        if cls is None:
            return _shown(node, {k: v for k, v in node.items() if k != "class"}, read)
        if not issubclass(cls, enum.Enum):
            raise _wrong(read, cls, "is not an enum")
        return cls[node["name"]] if "name" in node else cls(read.child(node["value"], ".value"))


class _NamedTuple:
    """A named tuple."""

    name = "namedtuple"

    def matches(self, names: Sequence[str]) -> bool:
        """Say whether the class is a tuple with named fields; checked again in `encode`."""
        return list(names[1:]) == ["builtins.tuple", "builtins.object"]

    def encode(self, value: Any, refuse: Callable[[str, str], Exception]) -> object:
        """Return class and fields."""
        if not hasattr(value, "_fields"):
            raise refuse("it is a subclass of tuple", "use a tuple or a named tuple")
        fields = _children(dict(zip(value._fields, value, strict=True)))
        return {"class": named(type(value), refuse), "fields": fields}

    def decode(self, node: Any, read: Read) -> object:
        """Build the named tuple."""
        cls = resolve(node["class"], read, node["fields"])
        if cls is None:
            return _shown(node, node["fields"], read)
        if not issubclass(cls, tuple) or list(getattr(cls, "_fields", ())) != list(node["fields"]):
            raise _wrong(read, cls, "has other fields")
        return tuple.__new__(cls, _read_fields(node["fields"], read).values())


class _Dataclass:
    """A dataclass: every field as it is, also those that `__init__` does not take."""

    name = "dataclass"

    def matches(self, names: Sequence[str]) -> bool:
        """Never by name: a dataclass shows on the class alone, and the registry looks there."""
        del names
        return False

    def encode(self, value: Any, refuse: Callable[[str, str], Exception]) -> object:
        """Return class and fields."""
        names = [field.name for field in dataclasses.fields(value)]
        for name in _attributes(value):
            if name not in names and not is_cached(value, name):
                raise refuse(f"it has the attribute {name!r} that is no field", "declare it")
        present = {n: getattr(value, n) for n in names if getattr(value, n, _ABSENT) is not _ABSENT}
        return {"class": named(type(value), refuse), "fields": _children(present)}

    def decode(self, node: Any, read: Read) -> object:
        """Build the object and set its fields; no code of the class runs."""
        cls = resolve(node["class"], read, node["fields"])
        if cls is None:
            return _shown(node, node["fields"], read)
        if not hasattr(cls, "__dataclass_fields__"):
            raise _wrong(read, cls, "is not a dataclass")
        known = {field.name: field for field in dataclasses.fields(cls)}
        made = read.keep(object.__new__(cls))
        for name, item in node["fields"].items():
            if name not in known:
                raise _wrong(read, cls, f"has no field {name!r}")
            object.__setattr__(made, name, read.child(item, f".{name}"))
        _add_defaults(made, [field for name, field in known.items() if name not in node["fields"]])
        return made


def _attributes(value: Any) -> list[str]:
    """The names that an object itself holds something under."""
    cls: Any = type(value)
    held = (name for name in slots(cls) if hasattr(value, name))
    return [*getattr(value, "__dict__", ()), *held]


@lru_cache(maxsize=4096)
def slots(cls: Any) -> list[str]:
    """Return the names of the slots of a class and its bases."""
    return [
        name
        for base in cls.__mro__
        for name, member in vars(base).items()
        if inspect.ismemberdescriptor(member)
    ]


def _add_defaults(made: object, missing: Iterable[dataclasses.Field[Any]]) -> None:
    """Fill fields that the class got after the snapshot was taken."""
    for field in missing:
        if field.default_factory is not dataclasses.MISSING:
            object.__setattr__(made, field.name, field.default_factory())
        elif field.default is not dataclasses.MISSING:
            object.__setattr__(made, field.name, field.default)


class _Pydantic:
    """A pydantic model: fields, extra and private attributes as they are."""

    name = "pydantic"

    def matches(self, names: Sequence[str]) -> bool:
        """Say whether the class is a pydantic model."""
        return "pydantic.main.BaseModel" in names

    def encode(self, value: Any, refuse: Callable[[str, str], Exception]) -> object:
        """Return class, fields, extra and private attributes, and which fields were set."""
        fields = type(value).model_fields
        for name in value.__dict__:
            if name not in fields and not is_cached(value, name):
                raise refuse(f"it has the attribute {name!r} that is no field", "declare it")
        node: dict[str, object] = {
            "class": named(type(value), refuse),
            "fields": _children({n: v for n, v in value.__dict__.items() if n in fields}),
            "set": sorted(value.__pydantic_fields_set__),
        }
        if value.__pydantic_extra__:
            node["extra"] = _children(dict(value.__pydantic_extra__))
        if value.__pydantic_private__:
            node["private"] = _children(dict(value.__pydantic_private__))
        return node

    def decode(self, node: Any, read: Read) -> object:
        """Build the model and set its fields; they were valid when they were written."""
        open_fields = {**node["fields"], **node.get("extra", {})}
        cls = resolve(node["class"], read, open_fields)
        if cls is None:
            return _shown(node, {**open_fields, **node.get("private", {})}, read)
        if "pydantic.main.BaseModel" not in map(class_name, cls.__mro__):
            raise _wrong(read, cls, "is not a pydantic model")
        has_extra = cls.model_config.get("extra") == "allow"
        unknown = set(node["fields"] if has_extra else open_fields) - set(cls.model_fields)
        unknown |= set(node.get("private", {})) - set(cls.__private_attributes__)
        if unknown:
            raise _wrong(read, cls, f"has no field {min(unknown)!r}")
        made = read.keep(cls.__new__(cls))
        fields = _read_fields(node["fields"], read)
        _refuse_jinja(cls, fields, read)
        for name, field in cls.model_fields.items():
            # A field that the class got after the snapshot was taken.
            if name not in fields and not field.is_required():
                fields[name] = field.get_default(call_default_factory=True)
        extra = _read_fields(node.get("extra", {}), read) if has_extra else None
        private = _read_fields(node.get("private", {}), read)
        object.__setattr__(made, "__dict__", fields)
        object.__setattr__(made, "__pydantic_extra__", extra)
        object.__setattr__(made, "__pydantic_fields_set__", set(node["set"]))
        has_private = bool(cls.__private_attributes__)
        object.__setattr__(made, "__pydantic_private__", private if has_private else None)
        return made


def _refuse_jinja(cls: Any, fields: dict[str, Any], read: Read) -> None:
    """A prompt of langchain-core is data, unless its template is one that can run code."""
    name = class_name(cls)
    is_jinja = name in SAFE_CLASSES and fields.get("template_format") == "jinja2"
    if is_jinja and not read.trust.allows(name):
        message = f"{read.path} asks for a jinja2 template, which can run code"
        hint = f'if you trust this snapshot, pass allow={{"{name}": True}}'
        raise UntrustedError(message, hint=hint)


class _Custom:
    """An object whose class says itself what to keep: `__persist_capture__`."""

    name = "custom"

    def matches(self, names: Sequence[str]) -> bool:
        """Never by name: the method shows on the class, and the registry looks there."""
        del names
        return False

    def encode(self, value: Any, refuse: Callable[[str, str], Exception]) -> object:
        """Return class and state."""
        try:
            state = value.__persist_capture__()
        except PersistError:
            raise
        except Exception as error:
            why = f"its __persist_capture__ failed with {type(error).__name__}: {error}"
            raise refuse(why, "repair the method") from error
        return {"class": named(type(value), refuse), "state": Child(state, "")}

    def decode(self, node: Any, read: Read) -> object:
        """Let the class rebuild the object from its state."""
        cls = resolve(node["class"], read)
        if cls is None:
            return _shown(node, {"state": node["state"]}, read)
        if not hasattr(cls, "__persist_restore__"):
            raise _wrong(read, cls, "has no __persist_restore__")
        state = read.child(node["state"], "")
        try:
            return cls.__persist_restore__(state)
        except PersistError:
            raise
        except Exception as error:
            message = f"could not rebuild {read.path}: {class_name(cls)}.__persist_restore__ failed"
            raise RestoreError(f"{message}: {type(error).__name__}: {error}") from error


class _Lazy:
    """A value that is built only when it is asked for."""

    name = "lazy"

    def matches(self, names: Sequence[str]) -> bool:
        """Say whether the class is `Lazy`."""
        return names[0] == "persist.codec._types.Lazy"

    def encode(self, value: Any, refuse: Callable[[str, str], Exception]) -> object:
        """Return the value as it is now."""
        del refuse
        return Child(value.get(), "")

    def decode(self, node: Any, read: Read) -> object:
        """Return what builds the value; for reading only, the value itself."""
        if read.is_plain:
            return read.child(node, "")
        return Lazy(read.later(node))


KINDS = (_Lazy(), _Enum(), _NamedTuple(), _Pydantic())
DATACLASS = _Dataclass()
CUSTOM = _Custom()
