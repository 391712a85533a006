"""Requests that fail on the way to a real store, one by one."""

import hashlib
import os

import persist
import pytest
from persist.options import S3Options
from servers.spoiling import Spoiling

PART = 5 << 20


@pytest.fixture
def spoiling(s3):
    """A proxy before the store."""
    with Spoiling(s3.endpoint).running() as proxy:
        yield proxy


@pytest.fixture
def options(spoiling):
    """The way through the proxy."""
    return {"storage_options": S3Options(endpoint=spoiling.url)}


@pytest.mark.parametrize("fault", [429, 500, 503, "lost"])
def test_every_verb_outlives_two_faults(on_s3, spoiling, options, fault):
    url = on_s3.url("a.json.gz")
    verbs = {
        "PUT": lambda: persist.snapshot(["x"], url, overwrite=False, **options),
        "GET": lambda: persist.restore(url, **options),
        "LIST": lambda: list(persist.list_snapshots(on_s3.url(""), **options)),
        "EXISTS": lambda: persist.snapshot_exists(url, **options),
        "DELETE": lambda: persist.delete_snapshot(url, **options),
    }
    for verb in verbs.values():
        spoiling.faults.extend([fault, fault])
        verb()
        assert not spoiling.faults
    assert not persist.snapshot_exists(url)


def test_a_write_whose_answer_was_lost_is_no_conflict(on_s3, spoiling, options):
    url = on_s3.url("a.json.gz")
    spoiling.faults.append("lost")
    first = persist.snapshot(["first"], url, overwrite=False, **options)
    assert persist.get_metadata(url).e_tag == first.e_tag
    spoiling.faults.append("lost")
    persist.snapshot(["second"], url, if_match=first.e_tag, **options)
    assert persist.restore(url) == ["second"]
    # Another writer's object is a conflict, also when the first answer was lost.
    spoiling.faults.append("lost")
    with pytest.raises(persist.S3ConflictError):
        persist.snapshot(["third"], url, overwrite=False, **options)
    assert persist.restore(url) == ["second"]


def test_a_body_that_was_changed_on_the_way_is_sent_again(on_s3, spoiling, options):
    url = on_s3.url("a.json.gz")
    spoiling.faults.extend(["changed", "changed"])
    persist.snapshot(["x"], url, **options)
    assert not spoiling.faults
    assert persist.restore(url) == ["x"]


def test_a_body_that_is_too_short_is_asked_for_again(on_s3, spoiling, options):
    url = on_s3.url("a.json.gz")
    persist.snapshot([os.urandom(1 << 16).hex()], url)
    spoiling.faults.append("short")
    assert persist.verify_snapshot(url, **options)
    assert not spoiling.faults


AGENT = "a" * 200
"""A name that lies where the proxy changes a byte."""
READS = {
    "restore": persist.restore,
    "load_state": persist.load_state,
    "verify": persist.verify_snapshot,
    "metadata": persist.get_metadata,
}


@pytest.fixture(scope="module")
def stored(s3):
    """A snapshot that is read in several requests, and one that is read in one."""
    keys = s3.variables()
    options = S3Options(
        endpoint=s3.endpoint,
        access_key_id=keys["AWS_ACCESS_KEY_ID"],
        secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
    )
    urls = [f"s3://bucket/tests/faults/{length}.json.gz" for length in (1 << 10, 3 << 20)]
    for url, length in zip(urls, (1 << 10, 3 << 20), strict=True):
        state = [os.urandom(length)]
        persist.snapshot(state, url, agent_id=AGENT, verify=False, storage_options=options)
    return urls


@pytest.mark.parametrize("length", ["short", "long"])
@pytest.mark.parametrize("fault", ["altered", "short", "cut"])
@pytest.mark.parametrize("verb", READS)
def test_an_answer_that_was_spoiled_is_asked_for_again(
    on_s3, spoiling, options, stored, verb, fault, length
):
    url = stored[length == "long"]
    whole = READS[verb](url)
    READS[verb](url, **options)
    for spoiled in range(len(spoiling.seen)):
        spoiling.faults.extend(["pass"] * spoiled + [fault])
        assert READS[verb](url, **options) == whole
        assert not spoiling.faults


@pytest.mark.parametrize("fault", ["altered", "short", "cut"])
@pytest.mark.parametrize("verb", READS)
def test_answers_that_are_always_spoiled_are_an_error_with_its_place(
    on_s3, spoiling, options, stored, verb, fault
):
    url = stored[0]
    options = {"storage_options": S3Options(endpoint=spoiling.url, max_retries=2)}
    spoiling.faults.extend([fault] * 100)
    error = persist.IntegrityError if fault == "altered" else persist.S3Error
    with pytest.raises(error, match="s3://bucket") as caught:
        READS[verb](url, **options)
    key = url.removeprefix("s3://bucket/")
    assert (caught.value.store, caught.value.key) == ("s3://bucket", key)
    assert key in str(caught.value)
    assert 3 <= len(spoiling.seen) <= 9


@pytest.fixture(scope="module")
def large():
    """More than is kept of an object that is open: a copy reads it twice."""
    return [os.urandom(26 << 20)]


def test_a_copy_is_what_was_checked(on_s3, spoiling, large, tmp_path):
    url, there = on_s3.url("a.json.gz"), tmp_path / "a.json.gz"
    persist.snapshot(large, url, agent_id=AGENT, verify=False)
    way = {"source_options": S3Options(endpoint=spoiling.url)}
    persist.copy_snapshot(url, there, **way)
    whole, count = there.read_bytes(), len(spoiling.seen)
    for spoiled in range(count // 2, count):
        spoiling.faults.extend(["pass"] * spoiled + ["altered"])
        persist.copy_snapshot(url, there, **way)
        assert there.read_bytes() == whole
        assert not spoiling.faults
    spoiling.faults.extend(["pass"] * (count - 1) + ["altered"] * 100)
    with pytest.raises(persist.IntegrityError, match="from s3://bucket"):
        persist.copy_snapshot(url, tmp_path / "b.json.gz", **way)
    assert not (tmp_path / "b.json.gz").exists()


def test_a_file_that_is_no_snapshot_is_asked_for_once_more(on_s3, s3, spoiling, options):
    s3.client().put_object(Bucket="bucket", Key=f"{on_s3.prefix}/a.json.gz", Body=b"no snapshot")
    with pytest.raises(persist.FormatError, match="from s3://bucket: this is not a snapshot"):
        persist.get_metadata(on_s3.url("a.json.gz"), **options)
    assert len(spoiling.seen) == 2


def test_metadata_takes_one_request(on_s3, spoiling, options):
    url = on_s3.url("a.json.gz")
    persist.snapshot([os.urandom(1 << 20).hex()], url)
    persist.get_metadata(url, **options)
    assert len(spoiling.seen) == 1
    spoiling.seen.clear()
    persist.snapshot_exists(url, **options)
    assert len(spoiling.seen) == 1


def test_the_last_word_of_the_store_is_in_the_error(on_s3, spoiling, options):
    options = {"storage_options": S3Options(endpoint=spoiling.url, max_retries=1)}
    spoiling.faults.extend([503] * 4)
    with pytest.raises(persist.S3Error, match="503 SlowDown") as caught:
        persist.get_metadata(on_s3.url("a.json.gz"), **options)
    assert caught.value.retryable
    assert len(spoiling.seen) == 2


def in_parts(spoiling, **more):
    options = S3Options(endpoint=spoiling.url, multipart_threshold=PART, part_size=PART, **more)
    return {"storage_options": options}


@pytest.fixture(scope="module")
def long_state():
    """Random text that makes three parts after compression."""
    return ["".join(hashlib.sha256(os.urandom(32)).hexdigest() for _ in range(20 << 20 >> 6))]


@pytest.mark.parametrize("fault", [503, "lost", "changed"])
def test_every_request_of_a_long_upload_may_fail_once(on_s3, spoiling, long_state, fault):
    url = on_s3.url("a.json.gz")
    options = in_parts(spoiling, parts_in_flight=1)
    persist.snapshot(long_state, url, verify=False, **options)
    count = len(spoiling.seen)
    assert count >= 5
    for request in range(count):
        if fault == "changed" and request in (0, count - 1):
            continue  # the first has no body; the server forgets the upload after a bad last one
        persist.delete_snapshot(url)
        spoiling.faults.clear()
        spoiling.faults.extend(["pass"] * request + [fault])
        persist.snapshot(long_state, url, overwrite=False, verify=False, **options)
        assert not spoiling.faults
    assert persist.restore(url) == long_state


def test_an_error_in_the_answer_that_completes_is_no_success(on_s3, spoiling, long_state):
    url = on_s3.url("a.json.gz")
    options = in_parts(spoiling, parts_in_flight=1)
    persist.snapshot(long_state, url, verify=False, **options)
    count = len(spoiling.seen)
    persist.delete_snapshot(url)
    spoiling.faults.extend(["pass"] * (count - 1) + ["error in 200"])
    persist.snapshot(long_state, url, verify=False, **options)
    assert not spoiling.faults
    assert persist.restore(url) == long_state


def test_an_upload_that_fails_for_good_removes_its_parts(on_s3, s3, spoiling, long_state):
    options = in_parts(spoiling, parts_in_flight=1, max_retries=0)
    spoiling.faults.extend(["pass", "pass", 503])
    with pytest.raises(persist.S3Error):
        persist.snapshot(long_state, on_s3.url("a.json.gz"), verify=False, **options)
    uploads = s3.client().list_multipart_uploads(Bucket="bucket", Prefix=on_s3.prefix)
    assert not uploads.get("Uploads")
    assert not persist.snapshot_exists(on_s3.url("a.json.gz"))
