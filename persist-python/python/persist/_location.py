"""Where a snapshot is, from the arguments that a caller gives."""

from __future__ import annotations

import os

from persist import _observability
from persist.exceptions import ConfigurationError

Path = str | bytes | os.PathLike[str] | os.PathLike[bytes]


def location(path: Path, storage_mode: str, s3_bucket: str | None) -> str:
    """Turn path, mode and bucket into the one text that the core takes.

    Args:
        path: A path or a URL; with `storage_mode="s3"`, the key in the bucket.
        storage_mode: `local` or `s3`.
        s3_bucket: The bucket; required with `storage_mode="s3"`.

    Returns:
        A path or URL; bytes that are not UTF-8 are kept as surrogate escapes.

    Raises:
        ConfigurationError: The mode is unknown, or it contradicts the bucket.
    """
    # Every call that uses a store begins here: the first one starts the metrics.
    _observability.start_if_asked()
    text = os.fsdecode(path)
    if storage_mode == "local":
        if s3_bucket is not None:
            message = 's3_bucket was given with storage_mode="local"'
            raise ConfigurationError(message, hint='pass storage_mode="s3" as well')
        return text
    if storage_mode == "s3":
        if not s3_bucket:
            message = 'storage_mode="s3" needs a bucket; there is no default one'
            raise ConfigurationError(message, hint='pass s3_bucket="your-bucket"')
        return f"s3://{s3_bucket}/{text.lstrip('/')}"
    message = f"unknown storage_mode {storage_mode!r}"
    raise ConfigurationError(message, hint='use "local" or "s3"')
