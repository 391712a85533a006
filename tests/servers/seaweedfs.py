"""SeaweedFS: an S3 server that checks signatures, and conditions on writes."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from servers import Server, free_ports

if TYPE_CHECKING:
    import boto3

KEY, SECRET = "persistkey", "persistsecretcanary"
READER, READER_SECRET = "readerkey", "readersecretcanary"
DOCUMENTED = ("your-access-key", "your-secret-key")
"""The key that README names."""


@dataclass
class SeaweedFS:
    """A server, and what clients say to reach it."""

    server: Server
    endpoint: str

    def variables(self, key: str = KEY, secret: str = SECRET) -> dict[str, str]:
        """The environment of a client."""
        return {
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def make_bucket(self, name: str) -> None:
        """Make a bucket, unless it is there."""
        client = self.client()
        if name not in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]:
            client.create_bucket(Bucket=name)

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """The keys of a few objects."""
        page = self.client().list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [one["Key"] for one in page.get("Contents", [])]

    def uploads(self, bucket: str, prefix: str) -> list[str]:
        """The keys of uploads in parts that nobody has completed."""
        page = self.client().list_multipart_uploads(Bucket=bucket, Prefix=prefix)
        return [one["Key"] for one in page.get("Uploads", [])]

    def make_user(self, name: str, policy: dict[str, object]) -> dict[str, str]:
        """Make a user who may do what a policy says; the answer is its clients' environment."""
        identities = self.client("iam")
        identities.create_user(UserName=name)
        document = json.dumps(policy)
        identities.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=document)
        key = identities.create_access_key(UserName=name)["AccessKey"]
        return self.variables(key["AccessKeyId"], key["SecretAccessKey"])

    def client(self, service: str = "s3") -> boto3.client:
        """Amazon's own client."""
        import boto3

        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
        )


def seaweedfs(folder: Path) -> SeaweedFS:
    """A server that keeps its data in this folder; not started yet."""
    names = ("master", "volume", "filer", "s3")
    ports = dict(zip([*names, *(f"{name}.grpc" for name in names)], free_ports(8), strict=True))
    identities = [
        _identity("writer", KEY, SECRET, ["Admin", "Read", "Write", "List", "Tagging"]),
        _identity("reader of README", *DOCUMENTED, ["Read", "Write", "List", "Tagging"]),
        _identity("reader", READER, READER_SECRET, ["Read:bucket", "List:bucket"]),
    ]
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": identities}))
    command = [
        str(Path(sys.executable).with_name("weed")),
        "-logtostderr=true",
        "server",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-volume.max=50",
        "-master.volumeSizeLimitMB=256",
        "-master.telemetry=false",
        "-master.electionTimeout=1s",
        "-volume.preStopSeconds=0",
        "-filer",
        "-s3",
        f"-s3.config={config}",
        "-s3.autoCreateBucket=false",
        "-s3.iam.readOnly=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        *(f"-{name}.port={ports[name]}" for name in names),
        *(f"-{name}.port.grpc={ports[f'{name}.grpc']}" for name in names),
    ]
    endpoint = f"http://127.0.0.1:{ports['s3']}"
    server = Server(command, f"{endpoint}/healthz", folder / "log.txt")
    return SeaweedFS(server, endpoint)


def _identity(name: str, key: str, secret: str, actions: list[str]) -> dict[str, object]:
    credentials = [{"accessKey": key, "secretKey": secret}]
    return {"name": name, "credentials": credentials, "actions": actions}
