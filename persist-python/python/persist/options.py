"""How the stores of the clouds are reached, where the environment does not say it.

::

    from persist.options import S3Options

    options = S3Options(endpoint="http://127.0.0.1:9000", region="us-east-1", deadline=10)
    persist.snapshot(agent, "s3://bucket/agent.json.gz", storage_options=options)

What is not given comes from the standard variables of each cloud, at the time
of the call.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AzureOptions", "GCSOptions", "S3Options", "StorageOptions"]


def _secret() -> str | None:
    """Make a field that is never shown."""
    return field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class StorageOptions:
    """What every cloud's store takes.

    Attributes:
        connect_timeout: Seconds until a connection must stand; 5 by default.
        request_timeout: Seconds that one request may take; 60 by default.
        deadline: Seconds that an operation with little to move may take, with
            all its retries; 30 by default. Long objects have no end to end
            deadline; each of their requests has.
        max_retries: How often one request is sent again; 10 by default. Retries
            come with jitter, on 429, 5xx, timeouts and broken connections.
        multipart_threshold: Bytes beyond which an object is written in parts;
            16 MiB by default.
        part_size: Bytes of a part, at least 5 MiB; 8 MiB by default.
        parts_in_flight: Parts that are sent at once; 4 by default.
        storage_class: The storage class, or on Azure the access tier, of what is
            written.
        tags: Tags of the objects that are written; Google has none.
    """

    connect_timeout: float | None = None
    request_timeout: float | None = None
    deadline: float | None = None
    max_retries: int | None = None
    multipart_threshold: int | None = None
    part_size: int | None = None
    parts_in_flight: int | None = None
    storage_class: str | None = None
    tags: Mapping[str, str] | None = None

    _schemes: ClassVar[tuple[str, ...]] = ()

    def _pairs(self) -> list[tuple[str, str]]:
        """Name what is set, as the core takes it."""
        pairs = [(f"tag.{name}", value) for name, value in (self.tags or {}).items()]
        for option in fields(self):
            value = getattr(self, option.name)
            if value is None or option.name == "tags":
                continue
            pairs.append(
                (option.name, str(value).lower() if value in (True, False) else str(value))
            )
        return pairs


@dataclass(frozen=True, kw_only=True)
class S3Options(StorageOptions):
    """How Amazon S3 is reached, or what speaks its protocol.

    Attributes:
        region: The region of the bucket; else `AWS_REGION`, `AWS_DEFAULT_REGION`
            or the profile's. With an `endpoint`, `us-east-1`.
        endpoint: The URL of another store than Amazon's; else
            `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`.
        access_key_id: The name of a key; else `AWS_ACCESS_KEY_ID`.
        secret_access_key: The key; else `AWS_SECRET_ACCESS_KEY`.
        session_token: The token of a temporary key; else `AWS_SESSION_TOKEN`.
        profile: A profile of the AWS configuration, also one with single
            sign-on; it wins over the variables' keys. Else `AWS_PROFILE`.
        anonymous: Whether requests are not signed.
        role_arn: The role of a web identity; else `AWS_ROLE_ARN`.
        web_identity_token_file: Its token; else `AWS_WEB_IDENTITY_TOKEN_FILE`.
        virtual_hosted_style: Whether the endpoint's host names the bucket.
        checksum: What the store checks on arrival, and keeps: `sha256` by
            default, `crc64nvme` or `none`.
        unsigned_payload: Whether the signature leaves the body out.
        server_side_encryption: `AES256` (SSE-S3), `aws:kms` or `aws:kms:dsse`.
        kms_key_id: The key of SSE-KMS.
        bucket_key: Whether SSE-KMS uses a bucket key.
        multipart_condition: What carries `overwrite=False` and `if_match=` of an
            object that is written in parts: `copy`, by default, or `complete`,
            for servers that look at no condition when they copy.
        request_payer: Whether the caller pays for requests; else
            `AWS_REQUEST_PAYER`.
    """

    region: str | None = None
    endpoint: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = _secret()
    session_token: str | None = _secret()
    profile: str | None = None
    anonymous: bool | None = None
    role_arn: str | None = None
    web_identity_token_file: str | None = None
    virtual_hosted_style: bool | None = None
    checksum: Literal["sha256", "crc64nvme", "none"] | None = None
    unsigned_payload: bool | None = None
    server_side_encryption: Literal["AES256", "aws:kms", "aws:kms:dsse"] | None = None
    kms_key_id: str | None = None
    bucket_key: bool | None = None
    multipart_condition: Literal["copy", "complete"] | None = None
    request_payer: bool | None = None

    _schemes: ClassVar[tuple[str, ...]] = ("s3", "s3a")


@dataclass(frozen=True, kw_only=True)
class AzureOptions(StorageOptions):
    """How Azure Blob Storage is reached.

    Attributes:
        account: The storage account; else `AZURE_STORAGE_ACCOUNT_NAME`.
        account_key: Its key; else `AZURE_STORAGE_ACCOUNT_KEY`.
        sas_token: A shared access signature; else `AZURE_STORAGE_SAS_TOKEN`.
        connection_string: All in one; else `AZURE_STORAGE_CONNECTION_STRING`.
            What is given beside it wins.
        endpoint: The URL of the blob service; else `AZURE_STORAGE_ENDPOINT`.
        bearer_token: A token of Microsoft Entra; else `AZURE_STORAGE_TOKEN`.
        tenant_id: The tenant of an application; else `AZURE_TENANT_ID`.
        client_id: The application, or the managed identity; else
            `AZURE_CLIENT_ID`.
        client_secret: The application's secret; else `AZURE_CLIENT_SECRET`.
        federated_token_file: The token of a workload identity; else
            `AZURE_FEDERATED_TOKEN_FILE`.
        use_azure_cli: Whether to ask the Azure CLI for a token.
        use_emulator: Whether to use Azurite on this machine.
        anonymous: Whether requests are not signed.
    """

    account: str | None = None
    account_key: str | None = _secret()
    sas_token: str | None = _secret()
    connection_string: str | None = _secret()
    endpoint: str | None = None
    bearer_token: str | None = _secret()
    tenant_id: str | None = None
    client_id: str | None = None
    client_secret: str | None = _secret()
    federated_token_file: str | None = None
    use_azure_cli: bool | None = None
    use_emulator: bool | None = None
    anonymous: bool | None = None

    _schemes: ClassVar[tuple[str, ...]] = ("az", "azure", "abfs")


@dataclass(frozen=True, kw_only=True)
class GCSOptions(StorageOptions):
    """How Google Cloud Storage is reached.

    Attributes:
        service_account: The path of a service account's key file.
        service_account_key: The text of such a file.
        application_credentials: The path of application credentials; else
            `GOOGLE_APPLICATION_CREDENTIALS`. With none of these, the
            credentials of `gcloud`, or of the machine or its workload identity.
        bearer_token: An access token.
        endpoint: The URL of another server than Google's; else
            `STORAGE_EMULATOR_HOST`.
        anonymous: Whether requests carry no token.
    """

    service_account: str | None = None
    service_account_key: str | None = _secret()
    application_credentials: str | None = None
    bearer_token: str | None = _secret()
    endpoint: str | None = None
    anonymous: bool | None = None

    _schemes: ClassVar[tuple[str, ...]] = ("gs", "gcs")
