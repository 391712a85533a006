"""Finds all that `encode` refuses in a value, and not the first alone."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from persist._checks import names
from persist.codec import _secrets
from persist.codec._encode import Encoder, encode
from persist.exceptions import CaptureError, SecretInStateError

if TYPE_CHECKING:
    from collections.abc import Sequence


def refusals(
    value: object,
    *,
    path: str = "$",
    secrets_policy: Literal["error", "redact", "allow"] = "error",
    redact: Sequence[str] = (),
) -> list[CaptureError]:
    """Return what in a value cannot be written.

    Args:
        value: Anything.
        path: What errors call the value itself.
        secrets_policy: See `encode`.
        redact: See `encode`.

    Returns:
        The errors that `encode` raises for one part of it after the other.
    """
    found: list[CaptureError] = []
    surveyor = _Surveyor(_Scan(secrets_policy, names(redact), found), found)
    surveyor.options = {"secrets_policy": secrets_policy, "redact": redact}
    # It may be nested too deep, or change: `encode` says so, and no more of it can be looked at.
    with suppress(RuntimeError):
        surveyor.run(value, path)
    return found


class _Scan(_secrets.Scan):
    """Notes credentials, and goes on."""

    def __init__(
        self,
        policy: Literal["error", "redact", "allow"],
        left_out: frozenset[str],
        found: list[CaptureError],
    ) -> None:
        super().__init__(policy, left_out)
        self._found = found

    def member(self, name: object, value: object, path: str) -> bool:
        try:
            return super().member(name, value, path)
        except SecretInStateError as error:
            self._found.append(error)
            # Left out, so that its text is not met once more.
            return True

    def text(self, value: str, path: str) -> None:
        if not _secrets.is_conversation(path):
            super().text(value, path)

    def key(self, name: str, path: str) -> None:
        try:
            super().key(name, path)
        except SecretInStateError as error:
            self._found.append(error)


class _Surveyor(Encoder):
    """A walk that notes what is refused, and goes on behind it."""

    options: dict[str, Any]

    def __init__(self, scan: _Scan, found: list[CaptureError]) -> None:
        super().__init__(scan)
        self._found = found
        self._kinds = 0

    def _put(
        self, slot: Any, key: Any, value: Any, path: str, depth: int, *, can_wait: bool = True
    ) -> None:
        lookers = self._lookers
        try:
            super()._put(slot, key, value, path, depth, can_wait=can_wait)
        except CaptureError as error:
            self._found.append(error)
            self._lookers = lookers
            slot[key] = None

    def _kind(self, slot: Any, key: Any, value: Any, path: str, depth: int) -> None:
        before = len(self._found)
        self._kinds += 1
        try:
            super()._kind(slot, key, value, path, depth)
        finally:
            self._kinds -= 1
        if not self._kinds and len(self._found) == before:
            self._compare(value, path)

    def _compare(self, value: object, path: str) -> None:
        """Note what is written, and does not come back as it was."""
        try:
            encode(value, path=path, verify=False, **self.options)
        except CaptureError:
            # It refers to what is refused where that stands.
            return
        encode(value, path=path, **self.options)
