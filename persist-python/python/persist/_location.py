"""Where a snapshot is, from the arguments that a caller gives."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from persist import _observability
from persist.exceptions import ConfigurationError

if TYPE_CHECKING:
    from persist.options import StorageOptions

Path = str | bytes | os.PathLike[str] | os.PathLike[bytes]

_BUCKETS = {
    "s3": ("s3", "s3_bucket"),
    "azure": ("az", "azure_container"),
    "gcs": ("gs", "gcs_bucket"),
}
"""The scheme of each mode's URLs, and the argument that names the bucket."""
_NOTHING_ELSE = (None,) * 5


class Store(TypedDict, total=False):
    """How the store of a path is reached; every verb takes these.

    A URL (`s3://bucket/key`, `az://container/key`, `gs://bucket/key`,
    `memory://name/key`, `file:///path`) says store and bucket by itself.

    Attributes:
        storage_mode: `local`, `s3`, `azure` or `gcs`; then the path is a key.
        s3_bucket: The bucket, when `storage_mode` is `s3`.
        s3_region: Its region, unless `AWS_REGION` or the options say so.
        azure_container: The container, when `storage_mode` is `azure`.
        gcs_bucket: The bucket, when `storage_mode` is `gcs`.
        storage_options: An `S3Options`, `AzureOptions` or `GCSOptions`; what it
            says wins over the environment.
    """

    storage_mode: str
    s3_bucket: str | None
    s3_region: str | None
    azure_container: str | None
    gcs_bucket: str | None
    storage_options: StorageOptions | None


class Place(NamedTuple):
    """What the core takes: a path or URL, and the options of its store."""

    url: str
    options: list[tuple[str, str]]


def location(
    path: Path,
    storage_mode: str = "local",
    s3_bucket: str | None = None,
    s3_region: str | None = None,
    azure_container: str | None = None,
    gcs_bucket: str | None = None,
    storage_options: StorageOptions | None = None,
) -> Place:
    """Turn path, mode and bucket into what the core takes.

    Args:
        path: A path or a URL; with another mode than `local`, the key in the bucket.
        storage_mode: See `Store`.
        s3_bucket: See `Store`.
        s3_region: See `Store`.
        azure_container: See `Store`.
        gcs_bucket: See `Store`.
        storage_options: See `Store`.

    Returns:
        The place; bytes that are not UTF-8 are kept as surrogate escapes.

    Raises:
        ConfigurationError: The mode is unknown, or the arguments contradict it.
    """
    # Every call that uses a store begins here: the first one starts the metrics.
    _observability.start_if_asked()
    others = (s3_bucket, s3_region, azure_container, gcs_bucket, storage_options)
    if storage_mode == "local" and others == _NOTHING_ELSE:
        return Place(os.fsdecode(path), [])
    buckets = {
        "s3_bucket": s3_bucket,
        "azure_container": azure_container,
        "gcs_bucket": gcs_bucket,
    }
    url = _url(os.fsdecode(path), storage_mode, buckets)
    scheme, separator, _ = url.partition("://")
    options = _options(scheme if separator else "file", storage_options)
    if s3_region is not None:
        if scheme != "s3":
            message = f"s3_region was given for {url!r}, which is not on S3"
            raise ConfigurationError(message, hint='pass storage_mode="s3", or an s3:// URL')
        options.append(("region", s3_region))
    return Place(url, options)


def _url(text: str, storage_mode: str, buckets: dict[str, str | None]) -> str:
    modes = ", ".join(f'"{mode}"' for mode in ("local", *_BUCKETS))
    if storage_mode not in ("local", *_BUCKETS):
        message = f"unknown storage_mode {storage_mode!r}"
        raise ConfigurationError(message, hint=f"use one of {modes}")
    scheme, argument = _BUCKETS.get(storage_mode, ("", ""))
    for name, bucket in buckets.items():
        if bucket is not None and name != argument:
            message = f'{name} was given with storage_mode="{storage_mode}"'
            raise ConfigurationError(message, hint=f"storage_mode is one of {modes}")
    if not scheme:
        return text
    if "://" in text:
        message = f'{text!r} is a URL; storage_mode="{storage_mode}" takes the key alone'
        raise ConfigurationError(message, hint="pass the URL without storage_mode")
    if not buckets[argument]:
        message = f'storage_mode="{storage_mode}" needs a bucket; there is no default one'
        raise ConfigurationError(message, hint=f'pass {argument}="your-bucket"')
    return f"{scheme}://{buckets[argument]}/{text.lstrip('/')}"


def _options(scheme: str, options: StorageOptions | None) -> list[tuple[str, str]]:
    if options is None:
        return []
    if scheme not in options._schemes:  # noqa: SLF001 - the two halves of one thing
        message = f"{type(options).__name__} is not for {scheme}:// places"
        hint = "S3Options is for s3://, AzureOptions for az://, GCSOptions for gs://"
        raise ConfigurationError(message, hint=hint)
    return options._pairs()  # noqa: SLF001
