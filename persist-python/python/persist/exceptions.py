"""Every exception that Persist raises.

::

    PersistError
    ├ NotFoundError (FileNotFoundError)
    ├ AccessDeniedError (PermissionError)
    ├ ConflictError (FileExistsError)
    ├ ConfigurationError (ValueError)
    ├ StorageError (OSError)
    │ ├ S3Error: S3NotFoundError, S3AccessDeniedError, S3ConflictError,
    │ │ S3TimeoutError
    │ ├ AzureError: AzureNotFoundError, AzureAccessDeniedError, AzureConflictError,
    │ │ AzureTimeoutError
    │ ├ GCSError: GCSNotFoundError, GCSAccessDeniedError, GCSConflictError,
    │ │ GCSTimeoutError
    │ ├ TimeoutExceededError (TimeoutError)
    │ ├ OperationCancelledError
    │ └ NoSpaceError
    ├ CaptureError
    │ ├ UnserializableStateError (TypeError)
    │ ├ UnsupportedAgentError (TypeError)
    │ ├ StateNotOnAgentError
    │ ├ SecretInStateError
    │ ├ ConcurrentMutationError
    │ └ AmbiguousAdapterError
    ├ FormatError (ValueError)
    │ ├ IntegrityError
    │ ├ UnsupportedVersionError
    │ └ LimitExceededError
    └ RestoreError
      ├ NeedsContextError
      ├ FingerprintMismatchError
      ├ MissingSecretError
      ├ UntrustedError
      ├ RestoreConflictError
      ├ LossyTargetError (TypeError)
      └ AdapterNotInstalledError (ImportError)

Each carries `kind` (a code that never changes its meaning), `hint` (what to
do next, or None) and `retryable` (whether the same call can succeed later).
Where a built-in exception has the right word, ours is that exception too, so
`except FileNotFoundError` works as well as `except persist.NotFoundError`.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AccessDeniedError",
    "AdapterNotInstalledError",
    "AmbiguousAdapterError",
    "AzureAccessDeniedError",
    "AzureConflictError",
    "AzureError",
    "AzureNotFoundError",
    "AzureTimeoutError",
    "CaptureError",
    "ConcurrentMutationError",
    "ConfigurationError",
    "ConflictError",
    "FingerprintMismatchError",
    "FormatError",
    "FrameworkVersionWarning",
    "GCSAccessDeniedError",
    "GCSConflictError",
    "GCSError",
    "GCSNotFoundError",
    "GCSTimeoutError",
    "IntegrityError",
    "LimitExceededError",
    "LossyTargetError",
    "MissingSecretError",
    "NeedsContextError",
    "NoSpaceError",
    "NotFoundError",
    "OperationCancelledError",
    "PersistError",
    "RestoreConflictError",
    "RestoreError",
    "S3AccessDeniedError",
    "S3ConflictError",
    "S3Error",
    "S3NotFoundError",
    "S3TimeoutError",
    "SecretInConversationWarning",
    "SecretInStateError",
    "StateNotOnAgentError",
    "StorageError",
    "TimeoutExceededError",
    "UnserializableStateError",
    "UnsupportedAgentError",
    "UnsupportedVersionError",
    "UntrustedError",
]


class PersistError(Exception):
    """The root of every exception that Persist raises.

    Args:
        message: What failed, on what, and why.
        hint: What to do next.
        retryable: Whether the same call can succeed later.

    Attributes:
        store: The store that failed, as `s3://bucket`, when it is a cloud's.
        key: The key in that store.
        operation: What was done there: `read`, `write`, `find`, `delete` or `list`.
        request_id: The store's name for the request, for its support.
    """

    kind: ClassVar[str] = "persist"
    """A code that never changes its meaning; the Rust core uses the same codes."""

    store: str | None = None
    key: str | None = None
    operation: str | None = None
    request_id: str | None = None

    def __init__(
        self, message: str = "", *, hint: str | None = None, retryable: bool = False
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.retryable = retryable

    def __str__(self) -> str:
        """Return the message, followed by the hint on a line of its own."""
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the trip between processes with the hint and the rest intact."""
        return (type(self), (self.message,), self.__dict__)


class NotFoundError(PersistError, FileNotFoundError):
    """There is no snapshot at this place."""

    kind = "not_found"


class AccessDeniedError(PersistError, PermissionError):
    """The store refused the caller."""

    kind = "access_denied"


class ConflictError(PersistError, FileExistsError):
    """Somebody else wrote first, and `overwrite=False` was asked."""

    kind = "conflict"


class ConfigurationError(PersistError, ValueError):
    """An argument, option or environment variable is wrong or missing."""

    kind = "configuration"


class StorageError(PersistError, OSError):
    """The store failed in a way that is neither absence nor refusal."""

    kind = "storage"


class S3Error(StorageError):
    """An S3 operation failed."""

    kind = "s3"


class S3NotFoundError(S3Error, NotFoundError):
    """The bucket or the object does not exist."""

    kind = "s3_not_found"


class S3AccessDeniedError(S3Error, AccessDeniedError):
    """S3 refused the credentials, or they lack a permission."""

    kind = "s3_access_denied"


class S3ConflictError(S3Error, ConflictError):
    """The object exists already, or changed meanwhile."""

    kind = "s3_conflict"


class AzureError(StorageError):
    """An Azure Blob operation failed."""

    kind = "azure"


class AzureNotFoundError(AzureError, NotFoundError):
    """The container or the object does not exist."""

    kind = "azure_not_found"


class AzureAccessDeniedError(AzureError, AccessDeniedError):
    """Azure refused the credentials, or they lack a permission."""

    kind = "azure_access_denied"


class AzureConflictError(AzureError, ConflictError):
    """The object exists already, or changed meanwhile."""

    kind = "azure_conflict"


class GCSError(StorageError):
    """A Google Cloud Storage operation failed."""

    kind = "gcs"


class GCSNotFoundError(GCSError, NotFoundError):
    """The bucket or the object does not exist."""

    kind = "gcs_not_found"


class GCSAccessDeniedError(GCSError, AccessDeniedError):
    """Google Cloud refused the credentials, or they lack a permission."""

    kind = "gcs_access_denied"


class GCSConflictError(GCSError, ConflictError):
    """The object exists already, or changed meanwhile."""

    kind = "gcs_conflict"


class TimeoutExceededError(StorageError, TimeoutError):
    """The store did not answer before the deadline."""

    kind = "timeout"


class S3TimeoutError(S3Error, TimeoutExceededError):
    """S3 did not answer before the deadline."""

    kind = "s3_timeout"


class AzureTimeoutError(AzureError, TimeoutExceededError):
    """Azure did not answer before the deadline."""

    kind = "azure_timeout"


class GCSTimeoutError(GCSError, TimeoutExceededError):
    """Google Cloud Storage did not answer before the deadline."""

    kind = "gcs_timeout"


class OperationCancelledError(StorageError):
    """The caller ended the operation; no new object was left."""

    kind = "cancelled"


class NoSpaceError(StorageError):
    """The store has no room left; what was there before is intact."""

    kind = "no_space"


class CaptureError(PersistError):
    """An agent could not be turned into a snapshot; nothing was written."""

    kind = "capture"


class UnserializableStateError(CaptureError, TypeError):
    """A value in the state cannot come back as it is.

    Args:
        message: What cannot be captured and why.
        path: Where in the state, as `$.memory.messages[3].when`.
        type_name: The value's type, as `module.qualname`.
        hint: What to do about it.
    """

    kind = "unserializable_state"

    def __init__(
        self,
        message: str = "",
        *,
        path: str = "$",
        type_name: str = "",
        hint: str | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message, hint=hint, retryable=retryable)
        self.path = path
        self.type_name = type_name


class UnsupportedAgentError(CaptureError, TypeError):
    """No adapter knows this object."""

    kind = "unsupported_agent"


class StateNotOnAgentError(CaptureError):
    """The framework keeps this agent's state elsewhere, and it was not handed in."""

    kind = "state_not_on_agent"


class SecretInStateError(CaptureError):
    """Something in the state looks like a credential."""

    kind = "secret_in_state"


class ConcurrentMutationError(CaptureError):
    """The agent's state changed while it was captured."""

    kind = "concurrent_mutation"


class AmbiguousAdapterError(CaptureError):
    """Several adapters claim this object with the same right."""

    kind = "ambiguous_adapter"


class FormatError(PersistError, ValueError):
    """The bytes are not a valid snapshot."""

    kind = "format"


class IntegrityError(FormatError):
    """The bytes were changed after they were written."""

    kind = "integrity"


class UnsupportedVersionError(FormatError):
    """The snapshot's format, or its adapter's state, has a version unknown to this release."""

    kind = "unsupported_version"


class LimitExceededError(FormatError):
    """The snapshot is larger, deeper or denser than the limits allow."""

    kind = "limit_exceeded"


class RestoreError(PersistError):
    """The snapshot is fine, but no agent could be made from it."""

    kind = "restore"


class NeedsContextError(RestoreError):
    """The snapshot holds state but not the code; pass `into=` or `factory=`."""

    kind = "needs_context"


class FingerprintMismatchError(RestoreError):
    """The agent handed in is not the one that the snapshot was taken from.

    Args:
        message: What differs.
        differences: One line for each difference.
    """

    kind = "fingerprint_mismatch"

    def __init__(
        self,
        message: str = "",
        *,
        differences: tuple[str, ...] = (),
        hint: str | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message, hint=hint, retryable=retryable)
        self.differences = differences


class MissingSecretError(RestoreError):
    """A key that snapshots never hold was not supplied."""

    kind = "missing_secret"


class UntrustedError(RestoreError):
    """The snapshot names a class or field that is not on the allowlist."""

    kind = "untrusted"


class RestoreConflictError(RestoreError):
    """The target already holds state that restoring would hide or lose."""

    kind = "restore_conflict"


class LossyTargetError(RestoreError, TypeError):
    """The target would keep a value of the snapshot as another, or not at all.

    Args:
        message: What would change.
        path: Where in the state, as `$.state.checkpoints[0].checkpoint.channel_values.when`.
        before: The type of the value in the snapshot.
        after: The type that it would have; None where the target refuses it.
        hint: What to do about it.
    """

    kind = "lossy_target"

    def __init__(
        self,
        message: str = "",
        *,
        path: str = "$",
        before: str = "",
        after: str | None = None,
        hint: str | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message, hint=hint, retryable=retryable)
        self.path = path
        self.before = before
        self.after = after


class AdapterNotInstalledError(RestoreError, ImportError):
    """The snapshot needs an adapter or framework that is not installed."""

    kind = "adapter_not_installed"


class FrameworkVersionWarning(UserWarning):
    """The snapshot was made with another major or minor version of its framework."""


class SecretInConversationWarning(UserWarning):
    """A text of the conversation looks like it holds a credential."""


def _subclasses(root: type[PersistError]) -> dict[str, type[PersistError]]:
    found = {root.kind: root}
    for child in root.__subclasses__():
        found.update(_subclasses(child))
    return found


_BY_CODE = _subclasses(PersistError)


def _from_code(
    code: str,
    message: str,
    hint: str | None,
    retryable: bool,
    failed: tuple[str, str | None, str, str | None] | None = None,
) -> PersistError:
    """Make the exception that has this code; the binding raises what this returns."""
    error = _BY_CODE[code](message, hint=hint, retryable=retryable)
    if failed is not None:
        error.store, error.key, error.operation, error.request_id = failed
    return error
