"""The kinds and classes that the codec knows."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from persist.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from persist.codec._types import Kind

C = TypeVar("C", bound=type)

_kinds: list[Kind] = []
_by_attribute: dict[str, Kind] = {}
_classes: dict[str, type] = {}
_loaders: list[Callable[[], object]] = []


def class_name(cls: type) -> str:
    """Return the name of a class, as `module.qualname`."""
    return f"{cls.__module__}.{cls.__qualname__}"


def register(cls: C) -> C:
    """Mark a class as safe to build when a snapshot is restored.

    Args:
        cls: A dataclass, an enum, a named tuple, a pydantic model, or a class
            with `__persist_capture__`.

    Returns:
        The class, so that this serves as a decorator.

    Example:
        >>> import dataclasses
        >>> @persist.register
        ... @dataclasses.dataclass
        ... class Order:
        ...     number: int
        >>> persist.loads(persist.dumps(Order(7)))
        Order(number=7)
    """
    _classes[class_name(cls)] = cls
    return cls


def registered(name: str) -> type | None:
    """Return the class that `register` marked under this name."""
    return _classes.get(name)


def register_kind(kind: Kind) -> None:
    """Teach the codec a kind of your own.

    Args:
        kind: The kind; its name contains a dot, as `acme.money`.

    Raises:
        ConfigurationError: The name is taken or has no dot.
    """
    if "." not in kind.name:
        message = f"the kind {kind.name!r} has no dot in its name"
        raise ConfigurationError(message, hint='name it after your package, as "acme.money"')
    if any(known.name == kind.name for known in _kinds):
        message = f"the kind {kind.name!r} is there already"
        raise ConfigurationError(message)
    _kinds.insert(0, kind)
    kind_of.cache_clear()


def add_builtin(*kinds: Kind) -> None:
    """Add kinds of Persist's own; earlier ones are asked first."""
    _kinds.extend(kinds)


def add_by_attribute(attribute: str, kind: Kind) -> None:
    """Add a kind of Persist's own that classes with this attribute are."""
    _by_attribute[attribute] = kind


@lru_cache(maxsize=4096)
def kind_of(cls: type) -> Kind | None:
    """Return the kind that values of this class are."""
    if hasattr(cls, "__persist_capture__"):
        return _by_attribute["__persist_capture__"]
    names = [class_name(base) for base in cls.__mro__]
    by_name = next((kind for kind in _kinds if kind.matches(names)), None)
    if by_name is not None or _is_builtin_value(names):
        return by_name
    return next((kind for name, kind in _by_attribute.items() if hasattr(cls, name)), None)


def _is_builtin_value(names: list[str]) -> bool:
    """Say whether the class is a subclass of a value that JSON or a kind would make plain."""
    plain = ("str", "int", "float", "dict", "list", "bytes", "tuple", "set", "frozenset")
    return any(f"builtins.{name}" in names for name in plain)


def counted_as(kind: Kind, value: object) -> str | None:
    """Return which limit of `MOST` counts a value, if there is one."""
    counts: Callable[[object], str | None] | None = getattr(kind, "counts", None)
    return None if counts is None else counts(value)


def bring_kinds(load: Callable[[], object]) -> None:
    """Say what to call when a kind is read that is not known: packages may bring some.

    Args:
        load: Loads what is installed; its kinds are registered by then.
    """
    _loaders.append(load)


def kind_named(name: str) -> Kind | None:
    """Return the kind of this name."""
    found = _named(name)
    if found is None and "." in name:
        for load in _loaders:
            load()
        found = _named(name)
    return found


def _named(name: str) -> Kind | None:
    every = [*_kinds, *_by_attribute.values()]
    return next((kind for kind in every if kind.name == name), None)
