"""Arguments that are one of a few words."""

from __future__ import annotations

from persist.exceptions import ConfigurationError


def check_choice(name: str, given: object, choices: tuple[str, ...]) -> None:
    """Refuse a word that is none of those that an argument can be.

    Args:
        name: The argument.
        given: What the caller gave.
        choices: What it can be.

    Raises:
        ConfigurationError: It is none of them; a typing error must not choose.
    """
    if given not in choices:
        message = f"unknown {name} {given!r}"
        raise ConfigurationError(message, hint=f"use {' or '.join(map(repr, choices))}")
