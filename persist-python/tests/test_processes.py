"""Threads and forked processes: others go on meanwhile, and a child starts afresh."""

import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import persist
import pytest

APPLICATION = """
import json, os, sys
import persist

master = os.getpid()
persist.snapshot({"by": master}, "shared.json.gz")

def application(environ, respond):
    path = f"{os.getpid()}.json.gz"
    persist.snapshot({"by": os.getpid()}, path)
    answer = [master, persist.restore(path)["by"], persist.restore("shared.json.gz")["by"]]
    respond("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]
"""


@pytest.fixture
def slow_switches():
    """Let a thread lose the interpreter only when it gives it away."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("slow_switches")
@pytest.mark.parametrize("work", [persist.snapshot, persist.restore, persist.verify_snapshot])
def test_another_thread_runs_during(work, tmp_path):
    path = tmp_path / "a.json.gz"
    text = os.urandom(2_000_000).hex()
    persist.snapshot(text, path)
    arguments = [text, path] if work is persist.snapshot else [path]
    turns, done = [0], threading.Event()

    def count():
        while not done.is_set():
            turns[0] += 1
            time.sleep(0)

    counter = threading.Thread(target=count, daemon=True)
    counter.start()
    before = turns[0]
    work(*arguments)
    during = turns[0] - before
    done.set()
    counter.join()
    assert during > 0


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_process_of_multiprocessing_snapshots_after_its_parent_did(method, tmp_path):
    persist.snapshot("parent", tmp_path / "parent.json.gz")
    path = tmp_path / "child.json.gz"
    start = multiprocessing.get_context(method).Process
    child = start(target=persist.snapshot, args=("child", path))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert persist.restore(path) == "child"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def get(url, tries=200):
    for _ in range(tries):
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.read()
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"{url} does not answer")


def test_the_workers_of_a_pre_fork_server_snapshot_after_their_master_did(tmp_path):
    (tmp_path / "app.py").write_text(APPLICATION)
    address = f"127.0.0.1:{free_port()}"
    command = ["gunicorn", "--preload", "--workers", "2", "--bind", address, "app:application"]
    server = subprocess.Popen([sys.executable, "-m", *command], cwd=tmp_path)
    try:
        master, worker, shared = json.loads(get(f"http://{address}/"))
        assert master == shared == server.pid
        assert worker != master
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=30) == 0
