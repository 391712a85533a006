"""What each option of S3 says to the store: the headers of every request, as a proxy saw them."""

import base64
import hashlib
import os
import uuid

import persist
import pytest
from persist.options import S3Options
from servers.spoiling import Spoiling

PART = 5 << 20
LONG = [os.urandom(PART + 100_000)]
"""A state that is written in two parts."""
SSE = "x-amz-server-side-encryption"


@pytest.fixture
def seen(moto, monkeypatch):
    """The requests that a server in memory gets: it takes every option."""
    for name, value in moto.variables().items():
        monkeypatch.setenv(name, value)
    with Spoiling(moto.endpoint).running() as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield proxy.requests


def kind(request):
    """What a request is, in one word."""
    query = request.path.partition("?")[2]
    if "x-amz-copy-source" in request.headers:
        return "copy"
    if request.method == "PUT":
        return "part" if "partNumber=" in query else "put"
    if request.method == "POST":
        return "create" if query.startswith("uploads") else "complete"
    return "list" if "list-type" in query else request.method.lower()


def written(seen, **options):
    """The requests of every way to write, by their kind."""
    way = {"storage_options": S3Options(multipart_threshold=PART, part_size=PART, **options)}
    url = f"s3://bucket/{uuid.uuid4().hex}.json.gz"
    seen.clear()
    persist.snapshot(["x"], url, **way)
    persist.snapshot(LONG, url, verify=False, **way)
    persist.snapshot(LONG, url + ".gz", overwrite=False, verify=False, **way)
    found = {}
    for request in seen:
        found.setdefault(kind(request), []).append(request)
    assert {"put", "create", "part", "complete", "copy"} <= set(found)
    return found


def values(requests, header):
    """The values of a header; None for a request that has not got it."""
    return {request.headers.get(header) for request in requests}


OBJECTS = ("put", "create", "copy")
"""The requests that say how an object is kept."""


@pytest.mark.parametrize(
    ("options", "headers"),
    [
        ({}, {SSE: None, "x-amz-storage-class": None, "x-amz-request-payer": None}),
        ({"server_side_encryption": "AES256"}, {SSE: "AES256"}),
        (
            {"server_side_encryption": "aws:kms", "kms_key_id": "arn:aws:kms:eu-west-1:1:key/k"},
            {SSE: "aws:kms", f"{SSE}-aws-kms-key-id": "arn:aws:kms:eu-west-1:1:key/k"},
        ),
        (
            {"server_side_encryption": "aws:kms", "kms_key_id": "k", "bucket_key": True},
            {SSE: "aws:kms", f"{SSE}-bucket-key-enabled": "true"},
        ),
        ({"server_side_encryption": "aws:kms:dsse", "kms_key_id": "k"}, {SSE: "aws:kms:dsse"}),
        ({"storage_class": "STANDARD_IA"}, {"x-amz-storage-class": "STANDARD_IA"}),
        ({"request_payer": True}, {"x-amz-request-payer": "requester"}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_an_option_of_an_object_is_on_each_request_that_makes_one(seen, options, headers):
    found = written(seen, **options)
    for name in OBJECTS:
        for header, value in headers.items():
            assert values(found[name], header) == {value}, name


def test_tags_are_on_what_is_written_and_a_copy_keeps_them(seen):
    found = written(seen, tags={"team": "a b", "cost": "1"})
    for name in ("put", "create"):
        for value in values(found[name], "x-amz-tagging"):
            assert sorted(value.split("&")) == ["cost=1", "team=a+b"]
    # The store copies tags and metadata unless a directive says otherwise.
    assert values(found["copy"], "x-amz-tagging-directive") == {None}
    assert values(found["copy"], "x-amz-metadata-directive") == {None}


def test_the_id_of_the_write_is_on_what_is_written(seen):
    found = written(seen)
    for name in ("put", "create"):
        for value in values(found[name], "x-amz-meta-persistwrite"):
            uuid.UUID(value)


def test_who_pays_is_said_on_every_request(seen):
    way = {"storage_options": S3Options(request_payer=True)}
    written(seen, request_payer=True)
    url = f"s3://bucket/{uuid.uuid4().hex}/a.json.gz"
    persist.snapshot(LONG, url, verify=False, **way)
    persist.restore(url, **way)
    assert list(persist.list_snapshots(url.rpartition("/")[0], **way))
    persist.snapshot_exists(url, **way)
    persist.delete_snapshot(url, **way)
    assert {"get", "list", "delete", "part"} <= {kind(request) for request in seen}
    assert values(seen, "x-amz-request-payer") == {"requester"}


def sha256(body):
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def crc64nvme(body):
    """The checksum of the NVM Express specification, by its polynomial."""
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (0x9A6C9329AC4BC9B5 * (value & 1))
        table.append(value)
    value = (1 << 64) - 1
    for byte in body:
        value = (value >> 8) ^ table[(value ^ byte) & 255]
    return base64.b64encode((value ^ ((1 << 64) - 1)).to_bytes(8, "big")).decode()


@pytest.mark.parametrize(
    ("option", "name", "of"),
    [(None, "sha256", sha256), ("sha256", "sha256", sha256), ("crc64nvme", "crc64nvme", crc64nvme)],
)
def test_every_body_carries_its_checksum(seen, option, name, of):
    assert crc64nvme(b"123456789") == base64.b64encode(bytes.fromhex("ae8b14860a799888")).decode()
    found = written(seen, checksum=option)
    header = f"x-amz-checksum-{name}"
    # One part of each kind: a checksum in Python takes a while.
    for request in (found["put"][0], min(found["part"], key=lambda part: len(part.body))):
        assert request.headers[header] == of(request.body)
    assert None not in values(found["part"], header)
    assert values(found["create"], "x-amz-checksum-algorithm") == {name.upper()}


def test_no_checksum_where_none_is_wanted(seen):
    found = written(seen, checksum="none")
    for requests in found.values():
        assert not [name for one in requests for name in one.headers if "checksum" in name]


def test_conditions_are_on_the_request_that_makes_the_object_visible(seen):
    found = written(seen)
    assert values(found["copy"], "if-none-match") == {"*"}
    assert values(found["complete"] + found["put"], "if-none-match") == {None}
    url = f"s3://bucket/{uuid.uuid4().hex}.json.gz"
    first = persist.snapshot(["x"], url, overwrite=False)
    assert seen[-1].headers["if-none-match"] == "*"
    persist.snapshot(["y"], url, if_match=first.e_tag)
    assert seen[-1].headers["if-match"] == first.e_tag
