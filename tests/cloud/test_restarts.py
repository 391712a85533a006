"""A store that dies in the middle of many uploads, and comes back with the same disk."""

import os
import threading

import persist
import pytest
from persist.options import S3Options
from servers.seaweedfs import seaweedfs

PART = 5 << 20
WRITERS = 6
ACKNOWLEDGED = 24
"""So many snapshots are acknowledged before the store dies."""


@pytest.fixture
def mortal(tmp_path, monkeypatch):
    """A store of this test's own, that it may kill."""
    store = seaweedfs(tmp_path)
    with store.server.running():
        store.make_bucket("bucket")
        for name, value in store.variables().items():
            monkeypatch.setenv(name, value)
        yield store


class Uploads:
    """Threads that write one snapshot after the other until the store is gone."""

    def __init__(self, length, options):
        self.length, self.options = length, options
        self.begun, self.acknowledged, self.errors = {}, set(), []
        self.enough = threading.Event()
        self.threads = [threading.Thread(target=self.write, args=(n,)) for n in range(WRITERS)]

    def write(self, writer):
        for turn in range(1000):
            url = f"s3://bucket/uploads/{writer}-{turn}.json.gz"
            state = [writer, turn, os.urandom(self.length)]
            self.begun[url] = state
            try:
                persist.snapshot(state, url, verify=False, storage_options=self.options)
            except persist.S3Error as error:
                self.errors.append(error)
                return
            self.acknowledged.add(url)
            if len(self.acknowledged) >= ACKNOWLEDGED:
                self.enough.set()

    def until_killed(self, store):
        for thread in self.threads:
            thread.start()
        assert self.enough.wait(120)
        store.server.kill()
        for thread in self.threads:
            thread.join(120)
        assert len(self.errors) == WRITERS


@pytest.mark.parametrize("length", [1000, PART + 100_000], ids=["at once", "in parts"])
def test_a_store_that_dies_during_uploads_keeps_what_it_acknowledged(mortal, length):
    options = S3Options(
        multipart_threshold=PART, part_size=PART, deadline=1, request_timeout=5, max_retries=1
    )
    old = "s3://bucket/old.json.gz"
    persist.snapshot(["old"], old)
    uploads = Uploads(length, options)
    uploads.until_killed(mortal)
    assert all(error.retryable for error in uploads.errors)
    mortal.server.start()

    # The store answers before it finds its disk again; retries wait for that.
    patient = S3Options(deadline=120, max_retries=1000)
    assert persist.restore(old, storage_options=patient) == ["old"]
    there = {found.path for found in persist.list_snapshots("s3://bucket/uploads")}
    assert uploads.acknowledged <= there <= set(uploads.begun)
    for url in there:
        # Whole, whether it was acknowledged or its answer was lost.
        assert persist.restore(url) == uploads.begun[url]
    for url, state in uploads.begun.items():
        if url not in there:
            persist.snapshot(state, url, overwrite=False, storage_options=options)
            assert persist.verify_snapshot(url)
    remove_leftovers(mortal.client())
    assert len(list(persist.list_snapshots("s3://bucket/uploads"))) == len(uploads.begun)


def remove_leftovers(client):
    """What a rule of the bucket's lifecycle does: uploads that nobody completes end."""
    for upload in client.list_multipart_uploads(Bucket="bucket").get("Uploads", []):
        place = {"Key": upload["Key"], "UploadId": upload["UploadId"]}
        client.abort_multipart_upload(Bucket="bucket", **place)
    assert not client.list_multipart_uploads(Bucket="bucket").get("Uploads")
