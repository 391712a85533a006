"""Ctrl-C, cancelled tasks and forks."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import persist
import pytest
from persist.options import S3Options

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


def test_a_cancelled_task_leaves_no_object(on_s3):
    async def run(wait):
        state = os.urandom(8 << 20)
        task = asyncio.create_task(persist.asnapshot(state, on_s3.url("a.json.gz"), verify=False))
        await asyncio.sleep(wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run(0))
    assert not persist.snapshot_exists(on_s3.url("a.json.gz"))


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
