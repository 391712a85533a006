"""The page that Prometheus reads, and the probes beside it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading

import persist
import pytest
from observability.support import ask
from persist import _persist
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from servers.prometheus import promtool


def test_promtool_finds_nothing_wrong_with_the_metrics(service):
    text = ask(f"http://{service.address}/metrics")[1]
    checked = subprocess.run(
        [promtool(), "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_every_metric_has_the_kind_and_the_labels_that_the_table_names(service):
    table = {name: (kind, set(labels)) for name, kind, labels, _ in _persist.metrics_table()}
    kinds = {"Counter": "counter", "Gauge": "gauge"}
    families = text_string_to_metric_families(ask(f"http://{service.address}/metrics")[1])
    seen = set()
    for family in families:
        name = family.name + ("_total" if family.type == "counter" else "")
        kind, labels = table[name]
        assert family.type == kinds.get(kind, "histogram"), name
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == labels, name
        seen.add(name)
    assert {name for name in table if "_s3_" not in name} - seen == {"persist_storage_errors_total"}


def test_no_label_holds_a_text_of_a_user(service):
    text = ask(f"http://{service.address}/metrics")[1]
    for word in ("default_agent", "missing", "json", str(service.folder)):
        assert word not in text


def test_the_probes_answer(service):
    assert ask(f"http://{service.address}/healthz") == (200, '{"healthy":true}')
    status, body = ask(f"http://{service.address}/readyz")
    assert (status, json.loads(body)["healthy"]) == (200, True)
    assert ask(f"http://{service.address}/other")[0] == 404


SAVE = "import logging, persist; logging.basicConfig(); print(persist.snapshot([1], 'a.json'))"


def saved(folder, program=SAVE, **variables):
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PERSIST_METRICS_ENABLED": "true", **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_busy_port_is_a_warning_that_says_what_to_set(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        done = saved(tmp_path, PERSIST_METRICS_ADDR=address)
    assert done.returncode == 0
    assert (tmp_path / "a.json").exists()
    assert done.stderr.count(f"could not serve metrics at '{address}'") == 1
    assert "PERSIST_METRICS_ADDR" in done.stderr


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:99999", ":x"])
def test_an_address_that_is_none_is_a_warning(tmp_path, address):
    done = saved(tmp_path, PERSIST_METRICS_ADDR=address)
    assert done.returncode == 0
    assert "PERSIST_METRICS_ADDR" in done.stderr


FORK = """
import os, urllib.request, persist
persist.snapshot([1], "a.json")
from persist import _metrics_server
server = _metrics_server._serving
port = server.server_address[1]
if os.fork() == 0:
    persist.snapshot([2], "b.json")
    inherited = server.socket.fileno()
    os.write(1, f"child {inherited} {_metrics_server._serving is not server}\\n".encode())
    os._exit(0)
os.wait()
text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
print("persist_snapshot_attempts_total 1" in text)
"""


def test_a_forked_child_lets_go_of_the_parents_socket(tmp_path):
    done = saved(tmp_path, FORK, PERSIST_METRICS_ADDR="127.0.0.1:0")
    assert done.stdout == "child -1 True\nTrue\n", done.stderr


def test_nothing_is_served_unless_asked(tmp_path):
    program = (
        "import sys, persist; persist.snapshot([1], 'a.json'); print('wsgiref' in sys.modules)"
    )
    assert saved(tmp_path, program, PERSIST_METRICS_ENABLED="").stdout == "False\n"


def test_a_registry_of_the_application_takes_the_collector(tmp_path):
    registry = CollectorRegistry()
    registry.register(persist.metrics.collector())
    before = registry.get_sample_value("persist_snapshot_attempts_total")
    persist.snapshot({"a": "hello " * 100}, tmp_path / "a.json.gz")
    assert registry.get_sample_value("persist_snapshot_attempts_total") == before + 1
    assert b"persist_state_size_bytes_bucket" in generate_latest(registry)


def test_a_refused_state_counts_as_a_failed_snapshot(tmp_path):
    registry = CollectorRegistry()
    registry.register(persist.metrics.collector())
    name, labels = "persist_snapshot_failures_total", {"kind": "unserializable_state"}
    before = registry.get_sample_value(name, labels) or 0
    with pytest.raises(persist.UnserializableStateError) as refused:
        persist.snapshot({"lock": threading.Lock()}, tmp_path / "a.json.gz")
    assert refused.value.kind == labels["kind"]
    assert registry.get_sample_value(name, labels) == before + 1


def test_a_healthy_folder_is_left_as_it_was(tmp_path):
    persist.snapshot([1], tmp_path / "a.json.gz", agent_id="bot")
    report = persist.health(tmp_path)
    assert report.healthy
    assert [check.name for check in report.checks] == [
        "reach",
        "write",
        "read",
        "condition",
        "clock",
        "delete",
        "room",
    ]
    assert report.agents["bot"].age.total_seconds() < 60
    assert [path.name for path in tmp_path.iterdir()] == ["a.json.gz"]


def test_a_folder_that_is_gone_is_not_healthy(tmp_path):
    shutil.rmtree(tmp_path)
    report = persist.health(tmp_path)
    assert not report.healthy
    assert [(check.name, check.kind) for check in report.checks] == [("reach", "not_found")]
