"""Conditions, and objects that are written in parts."""

import hashlib
import os

import persist
import pytest
from persist.options import AzureOptions, GCSOptions, S3Options

OPTIONS = {"s3": S3Options, "azure": AzureOptions, "gcs": GCSOptions}
PART = 5 << 20


@pytest.fixture(params=["at once", "in parts"])
def writing(request, store):
    """Options and a state with which an object is written at once, or in parts."""
    if request.param == "at once":
        return {}, "x"
    options = OPTIONS[store.mode](multipart_threshold=PART, part_size=PART)
    # Random text in hexadecimal: some 10 MB after compression, so three parts.
    state = "".join(hashlib.sha256(os.urandom(32)).hexdigest() for _ in range(20 << 20 >> 6))
    return {"storage_options": options}, state


def test_a_state_comes_back(store, writing):
    options, state = writing
    url = store.url("a.json.gz")
    saved = persist.snapshot([state], url, **options)
    assert persist.restore(url) == [state]
    assert persist.get_metadata(url).e_tag == saved.e_tag


def test_what_exists_is_not_overwritten_unless_asked(store, writing):
    options, state = writing
    url = store.url("a.json.gz")
    persist.snapshot([state, 1], url, overwrite=False, **options)
    with pytest.raises(store.double("ConflictError")) as caught:
        persist.snapshot([state, 2], url, overwrite=False, **options)
    assert isinstance(caught.value, FileExistsError)
    assert persist.restore(url) == [state, 1]
    persist.snapshot([state, 3], url, **options)
    assert persist.restore(url) == [state, 3]
    assert [found.path for found in persist.list_snapshots(store.url(""))] == [url]


def test_only_the_version_that_was_named_is_replaced(store, writing):
    options, state = writing
    url = store.url("a.json.gz")
    with pytest.raises(persist.ConflictError):
        persist.snapshot([state], url, if_match='"0123"' if store.mode != "gcs" else "1", **options)
    first = persist.snapshot([state, 1], url, **options)
    second = persist.snapshot([state, 2], url, if_match=first.e_tag, **options)
    assert second.e_tag != first.e_tag
    with pytest.raises(store.double("ConflictError")):
        persist.snapshot([state, 3], url, if_match=first.e_tag, **options)
    assert persist.restore(url) == [state, 2]


def test_a_server_that_knows_no_conditional_copy_checks_the_last_part(on_s3, s3):
    options = S3Options(multipart_threshold=PART, part_size=PART, multipart_condition="complete")
    way = {"verify": False, "storage_options": options}
    url = on_s3.url("a.json.gz")
    first = persist.snapshot([os.urandom(PART)], url, overwrite=False, **way)
    with pytest.raises(persist.S3ConflictError, match="exists already"):
        persist.snapshot([os.urandom(PART)], url, overwrite=False, **way)
    second = persist.snapshot([os.urandom(PART)], url, if_match=first.e_tag, **way)
    with pytest.raises(persist.S3ConflictError, match="version of if_match"):
        persist.snapshot([os.urandom(PART)], url, if_match=first.e_tag, **way)
    assert persist.get_metadata(url).e_tag == second.e_tag
    assert on_s3.keys() == [f"{on_s3.prefix}/a.json.gz"]
    assert not s3.uploads("bucket", on_s3.prefix)


def test_an_upload_that_fails_leaves_nothing(on_s3, s3):
    url = on_s3.url("a.json.gz")
    options = S3Options(multipart_threshold=PART, part_size=PART)
    state = "".join(hashlib.sha256(os.urandom(32)).hexdigest() for _ in range(20 << 20 >> 6))
    persist.snapshot(["first"], url)
    with pytest.raises(persist.S3ConflictError):
        persist.snapshot([state], url, overwrite=False, storage_options=options)
    assert not s3.uploads("bucket", on_s3.prefix)
    assert on_s3.keys() == [f"{on_s3.prefix}/a.json.gz"]
    assert persist.restore(url) == ["first"]


def test_the_store_keeps_a_checksum(on_s3, s3):
    persist.snapshot(["x"], on_s3.url("a.json.gz"))
    key = f"{on_s3.prefix}/a.json.gz"
    body = s3.client().get_object(Bucket="bucket", Key=key)["Body"].read()
    head = s3.client().head_object(Bucket="bucket", Key=key, ChecksumMode="ENABLED")
    assert head["Metadata"]["persistwrite"]
    assert head["ContentLength"] == len(body)


def test_tags_and_storage_class_reach_the_store(on_s3, s3):
    options = S3Options(tags={"team": "a b"}, storage_class="STANDARD_IA")
    persist.snapshot(["x"], on_s3.url("a.json.gz"), storage_options=options)
    place = {"Bucket": "bucket", "Key": f"{on_s3.prefix}/a.json.gz"}
    assert s3.client().get_object_tagging(**place)["TagSet"] == [{"Key": "team", "Value": "a b"}]
    assert s3.client().head_object(**place)["StorageClass"] == "STANDARD_IA"
