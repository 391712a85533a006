"""Finds credentials in state before they are written."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from persist._choices import check_choice
from persist._warning import warn
from persist.codec._difference import difference
from persist.exceptions import SecretInConversationWarning, SecretInStateError

_NAMES = re.compile(
    r"(?:^|_)(?:api_?key|access_?token|auth_?token|secret(?:_?key)?|password|authorization|x_api_key)$"
)
_VALUES = re.compile(
    r"\b(?:sk-[A-Za-z0-9_-]{20,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}"
    r"|Bearer [A-Za-z0-9._~+/-]{20,})"
)
_URL = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
_CONVERSATION = re.compile(r"\.(?:content|text|input|output|response)(?:\[|\.|$)")
_HIDDEN = {"SecretStr": "secretstr", "SecretBytes": "secretbytes"}
_HINT = 'remove it, or pass secrets_policy="redact" (or "allow", to store it in clear)'
_NAME_HINT = "to leave it out it needs a name: keep it in a field, or under a key"


@lru_cache(maxsize=4096)
def _is_credential(name: str) -> bool:
    return bool(_NAMES.search(name.lower().replace("-", "_")))


def looks(text: str) -> bool:
    """Say whether there is a credential in a text."""
    return bool(_VALUES.search(text) or ("://" in text and _URL.search(text)))


def is_conversation(path: str) -> bool:
    """Say whether a text at this place is one that people or models wrote."""
    return bool(_CONVERSATION.search(path))


def warn_of(path: str) -> None:
    """Warn of a credential in such a text."""
    message = f"the text at {path} looks like it holds a credential; it is saved as it is"
    warn(message, SecretInConversationWarning)


def hidden_kind(value: object) -> str | None:
    """Return the kind of a value that is a credential by its type; None for any other."""
    kind = _HIDDEN.get(type(value).__name__)
    return kind if type(value).__module__ == "pydantic.types" else None


class Scan:
    """What one walk does with the credentials that it meets.

    Args:
        policy: `error`, `redact` or `allow`.
        names: Names of fields that are never written.
    """

    def __init__(self, policy: Literal["error", "redact", "allow"], names: frozenset[str]) -> None:
        check_choice("secrets_policy", policy, ("error", "redact", "allow"))
        self._policy = policy
        self._names = names
        self.left_out: dict[str, object] = {}
        self.is_ambiguous = False

    def member(self, name: object, value: object, path: str) -> bool:
        """Say whether the value of this field is left out.

        Args:
            name: The key or field.
            value: What it holds.
            path: Where it stands.

        Raises:
            SecretInStateError: It holds a credential, and the policy is `error`.
        """
        if name in self._names or (self._policy == "redact" and hidden_kind(value)):
            return True
        if type(name) is not str or type(value) not in (str, bytes, bytearray) or not value:
            return False
        if _is_credential(name):
            return self._met(path, "is named like a credential")
        is_left_out = self._policy == "redact" and type(value) is str and looks(value)
        return is_left_out and not is_conversation(path) and self._met(path, "looks like one")

    def leave_out(self, name: str, value: object) -> None:
        """Remember a value that is not written, to check what is.

        Args:
            name: What the caller of `restore` gives it by.
            value: The value; one name for different ones cannot be checked.
        """
        held = value.get_secret_value() if hidden_kind(value) else value  # type: ignore[attr-defined]
        known = self.left_out.setdefault(name, held)
        self.is_ambiguous |= difference(known, held) is not None

    def key(self, name: str, path: str) -> None:
        """Look at a key.

        Args:
            name: The key.
            path: Where the dict stands: an error does not repeat the key.

        Raises:
            SecretInStateError: It is a credential, and the policy is `error`.
        """
        self.text(name, f"{path}[key]")

    def text(self, value: str, path: str) -> None:
        """Look at a text.

        Args:
            value: The text.
            path: Where it stands.

        Raises:
            SecretInStateError: It is a credential, and the policy is not `allow`.
        """
        if self._policy == "allow" or not looks(value):
            return
        if is_conversation(path):
            warn_of(path)
        else:
            raise self._error(path, "looks like a credential")

    def value(self, value: object, path: str) -> None:
        """Look at an object: pydantic's secrets are credentials by their type.

        Args:
            value: The object.
            path: Where it stands.

        Raises:
            SecretInStateError: It is a credential, and the policy is not `allow`.
        """
        if self._policy != "allow" and hidden_kind(value):
            raise self._error(path, "is a secret")

    def _met(self, path: str, why: str) -> bool:
        if self._policy == "allow":
            return False
        if self._policy == "redact":
            return True
        raise self._error(path, why)

    def _error(self, path: str, why: str) -> SecretInStateError:
        message = f"the value at {path} {why}; it was not saved"
        return SecretInStateError(message, hint=_HINT if self._policy == "error" else _NAME_HINT)
