"""The way through the core in Rust, which walks a value and writes it at once, and what it asks.

What the core leaves to `encode` is written by that from the beginning, to the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from persist import _persist
from persist._checks import names
from persist._choices import check_choice
from persist.codec import _secrets
from persist.codec._decode import decode_trusted
from persist.codec._difference import difference
from persist.codec._encode import IMMUTABLE, check, encode
from persist.codec._registry import counted_as, kind_of
from persist.codec._short import shortened
from persist.codec._types import MOST, Encoded
from persist.codec.kinds import langchain
from persist.exceptions import PersistError, UnserializableStateError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    _Known = tuple[
        Callable[[Any], object],
        str,
        bool,
        bool,
        Callable[[Any], object] | None,
        tuple[str, int] | None,
    ]


def wishes(
    *,
    path: str = "$",
    secrets_policy: Literal["error", "redact", "allow"] = "error",
    redact: Sequence[str] = (),
    verify: bool | None = None,
    max_pause: float | None = None,
) -> dict[str, object]:
    """Say to the core how a value is to be written.

    Args:
        path: See `write`.
        secrets_policy: See `write`.
        redact: See `write`.
        verify: See `write`.
        max_pause: See `write`.

    Raises:
        ConfigurationError: There is no such policy, or the names are none.
    """
    check_choice("secrets_policy", secrets_policy, ("error", "redact", "allow"))
    return {
        "path": path,
        "secrets_policy": secrets_policy,
        "redact": names(redact),
        "verify": verify is not False,
        "max_pause": max_pause,
    }


def write(
    value: object,
    *,
    path: str = "$",
    secrets_policy: Literal["error", "redact", "allow"] = "error",
    redact: Sequence[str] = (),
    verify: bool | None = None,
    max_pause: float | None = None,
) -> Encoded:
    """Write a value as `encode` does, faster.

    Args:
        value: Anything that the kinds know.
        path: What errors call the value itself.
        secrets_policy: What to do with a credential: `error`, `redact`, `allow`.
        redact: Names of fields that are never written.
        verify: Whether to read the text again and compare; None compares what no plan covers.
        max_pause: Seconds after which other threads may run, if it takes longer.

    Returns:
        The text, and the offsets where it may be cut.

    Raises:
        UnserializableStateError: A value cannot come back as it is.
        SecretInStateError: Something looks like a credential.
        ConcurrentMutationError: The value changed meanwhile.
    """
    asked = wishes(
        path=path,
        secrets_policy=secrets_policy,
        redact=redact,
        verify=verify,
        max_pause=max_pause,
    )
    written = _persist.walk(value, asked)
    if written is None:
        return encode(
            value,
            path=path,
            secrets_policy=secrets_policy,
            redact=redact,
            verify=verify is not False,
        )
    data, marks, needs_check, _ = written
    if verify or (needs_check and verify is None):
        check(value, data, path, {})
    return Encoded(data, marks)


def known(value: object) -> _Known | None:
    """Say how values of this class are written.

    Returns:
        What makes the shape, the kind, whether identity counts not, whether they are credentials;
        and, if there is that, what makes a small value that comes back when a long one does, and
        the limit that counts them.
    """
    kind = kind_of(type(value))  # type: ignore[arg-type]
    if kind is None:
        return None
    is_secret = _secrets.hidden_kind(value) is not None
    sample = getattr(kind, "sample", None)
    is_immutable = isinstance(value, IMMUTABLE)
    what = counted_as(kind, value)
    limit = None if what is None else (what, MOST[what])
    return lambda v: kind.encode(v, _refuse), kind.name, is_immutable, is_secret, sample, limit


def _refuse(why: str, hint: str) -> Exception:
    return UnserializableStateError(why, path="", type_name="", hint=hint)


def sample_comes_back(sample: object) -> bool:
    """Say whether a small value comes back, and so the long one that it stands for."""
    try:
        encode(sample)
    except PersistError:
        return False
    return True


def comes_back_shortened(value: object) -> bool:
    """Say whether a value comes back with what is long in it made short, and so as it is."""
    try:
        encode(shortened(value), secrets_policy="allow")
    except (PersistError, RecursionError):
        return False
    return True


def comes_back(value: object, data: bytes) -> bool:
    """Say whether this text gives the value again."""
    try:
        return difference(value, decode_trusted(data, {})) is None
    except Exception:  # noqa: BLE001 - `encode` says what is wrong
        return False


def writes(message: Any, given: tuple[str, ...], empty: tuple[str, ...]) -> bool | None:
    """Say whether `encode` writes these fields of a message; None if it does not come back."""
    try:
        encode(shortened(message), secrets_policy="allow")
        shape: Any = langchain.KIND.encode(message, _refuse)
    except PersistError:
        return None
    is_same = all(shape["kwargs"][name].value is message.__dict__[name] for name in given)
    return is_same and tuple(shape["kwargs"]) == given and tuple(shape["empty"]) == empty


def suspicion(text: str, path: str) -> int:
    """Say whether a text looks like a credential: 0 no, 1 in a conversation, 2 elsewhere."""
    if not _secrets.looks(text):
        return 0
    return 1 if _secrets.is_conversation(path) else 2


def warn(paths: Sequence[str]) -> None:
    """Warn of credentials in conversations."""
    for path in paths:
        _secrets.warn_of(path)
