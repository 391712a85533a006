"""Counts of processes that fork, and of servers with several workers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from observability.support import ask, until
from prometheus_client.parser import text_string_to_metric_families
from servers import PATIENCE, Server, free_ports

APPLICATION = '''
"""An application with a page of its own, as the documentation shows it."""

import os

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

import persist

CALLS = Counter("application_calls", "Calls of the application.")
persist.snapshot([0], f"{os.environ['SNAPSHOTS']}/first.json.gz")


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Worker", str(os.getpid()))])
    if environ["PATH_INFO"] == "/metrics":
        registry = CollectorRegistry()
        MultiProcessCollector(registry, os.environ["PROMETHEUS_MULTIPROC_DIR"])
        return [generate_latest(registry)]
    CALLS.inc()
    persist.snapshot(["hello"], f"{os.environ['SNAPSHOTS']}/{os.getpid()}.json.gz")
    return [str(os.getpid()).encode()]
'''


@pytest.fixture
def server(tmp_path):
    """A gunicorn with three workers that were forked after the first snapshot."""
    (port,) = free_ports(1)
    snapshots, counts = tmp_path / "snapshots", tmp_path / "counts"
    snapshots.mkdir()
    counts.mkdir()
    (tmp_path / "application.py").write_text(APPLICATION)
    env = {
        **os.environ,
        "PERSIST_METRICS_ENABLED": "true",
        "PROMETHEUS_MULTIPROC_DIR": str(counts),
        "SNAPSHOTS": str(snapshots),
    }
    gunicorn = Path(sys.executable).with_name("gunicorn")
    options = ["--preload", "--workers=3", f"--bind=127.0.0.1:{port}", f"--chdir={tmp_path}"]
    url = f"http://127.0.0.1:{port}"
    made = Server([str(gunicorn), *options, "application:app"], url, tmp_path / "log.txt", env)
    with made.running():
        yield url


def counted(text: str) -> dict[str, float]:
    """Each sample of a page, by its name and labels."""
    families = text_string_to_metric_families(text)
    samples = [sample for family in families for sample in family.samples]
    return {f"{one.name}{sorted(one.labels.items())}": one.value for one in samples}


def test_the_page_of_an_application_with_workers_shows_the_sum_of_all(server, tmp_path):
    workers = [ask(server)[1] for _ in range(60)]
    assert len(set(workers)) > 1

    def page():
        found = counted(ask(f"{server}/metrics")[1])
        calls = found["application_calls_total[]"]
        # The first one was before the fork; Persist copies its counts every few seconds.
        return found if found["persist_snapshot_attempts_total[]"] == calls + 1 else None

    found = until(page, 30)
    calls = found["application_calls_total[]"]
    assert calls >= len(workers)
    assert found["persist_state_size_bytes_count[]"] == calls + 1
    assert found["persist_state_size_bytes_bucket[('le', '1024.0')]"] == calls + 1
    assert found["persist_state_size_bytes_sum[]"] == 9 * calls + 3
    ages = [path.stat().st_mtime for path in (tmp_path / "snapshots").iterdir()]
    last = found["persist_snapshot_last_success_timestamp_seconds[]"]
    assert abs(last - max(ages)) < 1
    assert found["persist_storage_free_bytes[('backend', 'local')]"] > 0


def run(folder, program, **variables):
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PERSIST_METRICS_ENABLED": "true", **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def test_a_folder_that_prometheus_client_does_not_know_is_a_warning(tmp_path):
    program = (
        "import os, prometheus_client, persist; "
        f"os.environ['PROMETHEUS_MULTIPROC_DIR'] = {str(tmp_path)!r}; "
        "persist.snapshot([1], 'a.json')"
    )
    done = run(tmp_path, program)
    assert (done.returncode, done.stderr.count("metrics are not published")) == (0, 1)
    assert (tmp_path / "a.json").exists()


def test_a_folder_that_is_missing_is_a_warning(tmp_path):
    gone = str(tmp_path / "gone")
    done = run(
        tmp_path, "import persist; persist.snapshot([1], 'a.json')", PROMETHEUS_MULTIPROC_DIR=gone
    )
    assert (done.returncode, done.stderr.count("metrics are not published")) == (0, 1)


FORK = """
import os, urllib.request, persist
persist.snapshot([1], "a.json")
from persist import _metrics_server, metrics
server = _metrics_server._serving
port = server.server_address[1]
if os.fork() == 0:
    persist.snapshot([2], "b.json")
    persist.snapshot([3], "b.json")
    inherited = server.socket.fileno()
    os.write(1, f"{inherited} {_metrics_server._serving is not server}\\n".encode())
    counts = "persist_snapshot_attempts_total 2\\n" in metrics.render()
    os.write(1, f"{counts}\\n".encode())
    os._exit(0)
os.wait()
text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
print("persist_snapshot_attempts_total 1\\n" in text)
"""


def test_a_forked_child_counts_from_zero_and_lets_go_of_the_parents_socket(tmp_path):
    done = run(tmp_path, FORK, PERSIST_METRICS_ADDR="127.0.0.1:0")
    assert done.stdout == "-1 True\nTrue\nTrue\n", done.stderr


POOL = """
# Imported before any thread: an import that a fork cuts off blocks the child in Python itself.
import multiprocessing, sys, threading, persist, persist.metrics
persist.snapshot([1], "a.json")

def work(number):
    for turn in range(20):
        persist.snapshot([turn], f"{number}.json", durable=False)
    return persist.metrics.render().split("\\npersist_snapshot_attempts_total ")[1].split()[0]

def busy():
    while True:
        persist.metrics.render()

if __name__ == "__main__":
    # Somebody scrapes, and counts, at each moment of a fork.
    threading.Thread(target=busy, daemon=True).start()
    context = multiprocessing.get_context("fork")
    for round in range(20):
        with context.Pool(2) as pool:
            counts = pool.map(work, range(2), chunksize=1)
        assert all(int(count) % 20 == 0 and int(count) > 0 for count in counts), counts
print("ok")
"""


def test_forks_while_the_page_is_read_block_nobody(tmp_path):
    done = run(tmp_path, POOL, PERSIST_METRICS_ADDR="127.0.0.1:0")
    assert done.stdout == "ok\n", done.stderr[-2000:]
