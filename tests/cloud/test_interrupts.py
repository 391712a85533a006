"""Ctrl-C, cancelled tasks and forks."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from pathlib import Path

import persist
import pytest
from persist.options import AzureOptions, GCSOptions, S3Options
from servers.azurite import ACCOUNT
from servers.spoiling import Spoiling

COMMAND = Path(sysconfig.get_path("scripts")) / "persist"
PART = 5 << 20
PARTS = 2
TAIL = 2
"""Requests of a conditional write in parts after the object is there: find it, clean up."""

SILENT = """
import persist, sys
from persist.options import S3Options
options = S3Options(endpoint=sys.argv[1], access_key_id="k", secret_access_key="s", deadline=300)
print("begins", flush=True)
getattr(persist, sys.argv[2])("s3://bucket/a.json.gz", storage_options=options)
"""


@pytest.fixture
def silent():
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("verb", ["restore", "get_metadata", "delete_snapshot"])
def test_ctrl_c_ends_a_call_that_waits_for_a_store(silent, verb):
    command = [sys.executable, "-c", SILENT, silent, verb]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"begins\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert b"KeyboardInterrupt" in errors
    assert process.returncode != 0


def test_a_cancelled_task_ends_its_call(silent):
    options = S3Options(endpoint=silent, access_key_id="k", secret_access_key="s", deadline=300)

    async def run():
        call = persist.asnapshot({}, "s3://bucket/a.json.gz", storage_options=options)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(call, 0.3)

    before = threading.active_count()
    asyncio.run(run())
    assert threading.active_count() <= before


def test_a_task_that_is_cancelled_at_once_leaves_no_object(on_s3):
    async def run():
        state = os.urandom(8 << 20)
        task = asyncio.create_task(persist.asnapshot(state, on_s3.url("a.json.gz"), verify=False))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert not on_s3.keys()


@pytest.fixture
def spoiling(s3):
    """A proxy before the store."""
    with Spoiling(s3.endpoint).running() as proxy:
        yield proxy


def options(spoiling):
    return S3Options(
        endpoint=spoiling.url, multipart_threshold=PART, part_size=PART, parts_in_flight=1
    )


def cancelled_at(request, spoiling, state, url, **how):
    """Cancels a write while the answer to one of its requests is awaited.

    The answer never comes, but to the first request of many, without which nobody knows how the
    upload is called.
    """

    async def run():
        spoiling.seen.clear()
        spoiling.faults.clear()
        spoiling.faults.extend(["pass"] * request + ["slow" if request else "late"])
        way = {"verify": False, "storage_options": options(spoiling), **how}
        write = persist.asnapshot(state, url, **way)
        task = asyncio.create_task(write)
        while len(spoiling.seen) <= request:  # noqa: ASYNC110 - the proxy is on threads
            await asyncio.sleep(0.01)
        # The store has the request; its answer does not come.
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize("length", [1000, PART + 100_000], ids=["at once", "in parts"])
def test_a_cancelled_task_leaves_no_object_and_no_parts(on_s3, s3, spoiling, length, overwrite):
    url, state = on_s3.url("a.json.gz"), [os.urandom(length)]
    persist.snapshot(
        state, url, overwrite=overwrite, verify=False, storage_options=options(spoiling)
    )
    count = len(spoiling.seen) - (0 if overwrite or length < PART else TAIL)
    persist.delete_snapshot(url)
    for request in range(count):
        cancelled_at(request, spoiling, state, url, overwrite=overwrite)
        assert not s3.uploads("bucket", on_s3.prefix)
        if overwrite and request == count - 1:
            # It was there before it was cancelled, and may have replaced another: it is whole.
            assert on_s3.keys() == [f"{on_s3.prefix}/a.json.gz"]
            assert persist.restore(url) == state
        else:
            assert not on_s3.keys(), request


@pytest.mark.parametrize("store", ["azure", "gcs"], indirect=True)
@pytest.mark.parametrize("length", [1000, PART + 100_000], ids=["at once", "in parts"])
def test_a_write_that_is_cancelled_elsewhere_leaves_no_object(store, length):
    """Blocks of Azure that nobody commits cannot be removed; it forgets them in a week."""
    if store.mode == "azure":
        kind, upstream, path = AzureOptions, store.server.endpoint.rpartition("/")[0], f"/{ACCOUNT}"
    else:
        kind, upstream, path = GCSOptions, f"http://{store.server.host}", ""
    url, state = store.url("a.json.gz"), [os.urandom(length)]
    with Spoiling(upstream).running() as proxy:
        options = kind(
            endpoint=proxy.url + path, multipart_threshold=PART, part_size=PART, parts_in_flight=1
        )
        way = {"verify": False, "overwrite": False, "storage_options": options}
        persist.snapshot(state, url, **way)
        requests = [line for line in proxy.seen if not line.startswith(("HEAD", "DELETE"))]
        persist.delete_snapshot(url)
        for request in range(len(requests)):
            proxy.seen.clear()
            cancelled_at(request, proxy, state, url, **way)
            assert not store.keys(), requests[request]


def test_a_cancelled_write_leaves_what_was_there(on_s3, s3, spoiling):
    url, old, new = on_s3.url("a.json.gz"), ["old"], [os.urandom(PART + 100_000)]
    persist.snapshot(old, url)
    for request in range(PARTS + 1):
        cancelled_at(request, spoiling, new, url)
        assert persist.restore(url) == old
        assert on_s3.keys() == [f"{on_s3.prefix}/a.json.gz"]
        assert not s3.uploads("bucket", on_s3.prefix)


@pytest.mark.parametrize("verb", ["copy", "convert", "export"])
def test_ctrl_c_ends_the_command_and_takes_its_upload_back(
    on_s3, s3, spoiling, tmp_path, monkeypatch, verb
):
    persist.snapshot([os.urandom(5 * PART)], tmp_path / "a.json.gz", verify=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", spoiling.url)
    target = on_s3.url("a.json.gz")
    to = ["-o", on_s3.url("a.json")] if verb == "export" else [target]
    # The third part never gets its answer.
    spoiling.faults.extend(["pass", "pass", "pass", "slow"])
    command = [COMMAND, verb, tmp_path / "a.json.gz", *to]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while len(spoiling.seen) < 4:
            time.sleep(0.01)
        assert s3.uploads("bucket", on_s3.prefix)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert b"it was cancelled" in errors
    assert not s3.uploads("bucket", on_s3.prefix)
    assert not on_s3.keys()


WRITES = """
import os, persist, sys
from persist.options import S3Options
options = S3Options(multipart_threshold=5 << 20, part_size=5 << 20)
persist.snapshot([os.urandom(25 << 20)], sys.argv[1], verify=False, storage_options=options)
"""


def test_ctrl_c_in_python_takes_an_upload_back(on_s3, s3, spoiling, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", spoiling.url)
    spoiling.faults.extend(["pass", "pass", "pass", "slow"])
    command = [sys.executable, "-c", WRITES, on_s3.url("a.json.gz")]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        while len(spoiling.seen) < 4:
            time.sleep(0.01)
        assert s3.uploads("bucket", on_s3.prefix)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert b"KeyboardInterrupt" in errors
    assert not s3.uploads("bucket", on_s3.prefix)
    assert not on_s3.keys()


def test_ctrl_c_ends_a_command_that_only_reads(silent, monkeypatch):
    for name, value in {"ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s", "REGION": "r"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", silent)
    with subprocess.Popen([COMMAND, "verify", "s3://bucket/a.json.gz"]) as process:
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == -signal.SIGINT


def test_the_event_loop_goes_on_while_a_store_is_slow(silent):
    options = S3Options(endpoint=silent, access_key_id="k", secret_access_key="s", deadline=1)

    async def run():
        turns = 0
        call = asyncio.create_task(
            persist.aget_metadata("s3://bucket/a.json.gz", storage_options=options)
        )
        while not call.done():
            await asyncio.sleep(0.01)
            turns += 1
        with pytest.raises(persist.S3TimeoutError):
            call.result()
        return turns

    assert asyncio.run(run()) > 5


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_after_fork_has_its_own_connections(on_s3):
    url = on_s3.url("parent.json.gz")
    persist.snapshot(["parent"], url)
    child = os.fork()
    if child == 0:
        try:
            persist.snapshot(["child"], on_s3.url("child.json.gz"))
            os._exit(0 if persist.restore(url) == ["parent"] else 1)
        except BaseException:  # noqa: BLE001 - a child must not go on as the parent's tests
            os._exit(2)
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert persist.restore(on_s3.url("child.json.gz")) == ["child"]
    assert persist.restore(url) == ["parent"]


def test_many_threads_share_the_connections(on_s3):
    def work(number):
        url = on_s3.url(f"{number}.json.gz")
        persist.snapshot([number], url)
        results.append(persist.restore(url) == [number])

    results = []
    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 16
