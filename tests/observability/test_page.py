"""The page that Prometheus reads, and the probes beside it."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import persist
import pytest
from observability.support import ask, until
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
    assert {name for name in table if "_s3_" not in name} - seen == {
        "persist_storage_retries_total"
    }


def test_errors_of_a_store_are_there_before_the_first_one(service):
    text = ask(f"http://{service.address}/metrics")[1]
    for operation in ("open", "read", "stat", "delete", "list", "write"):
        labels = f'backend="local",operation="{operation}",kind="storage"'
        assert f"persist_storage_errors_total{{{labels}}} 0\n" in text


def test_no_label_holds_a_text_of_a_user(service):
    text = ask(f"http://{service.address}/metrics")[1]
    for word in ("default_agent", "missing.json", ".json", service.store):
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


SET_BY_THE_PROGRAM = """
import os, persist, urllib.request
os.environ["PERSIST_METRICS_ENABLED"] = "true"
os.environ["PERSIST_METRICS_ADDR"] = "127.0.0.1:0"
persist.snapshot([1], "a.json")
from persist import _metrics_server
port = _metrics_server._serving.server_address[1]
print(urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").status)
"""


def test_variables_that_the_program_sets_are_read_at_the_first_use(tmp_path):
    assert saved(tmp_path, SET_BY_THE_PROGRAM, PERSIST_METRICS_ENABLED="").stdout == "200\n"


SERVED_AT_ONCE = """
import persist, urllib.request
persist.metrics.start()
from persist import _metrics_server
host, port = _metrics_server._serving.server_address[:2]
for path in ("healthz", "readyz", "metrics"):
    print(urllib.request.urlopen(f"http://[{host}]:{port}/{path}").status)
"""


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_the_page_is_served_before_a_store_is_used_and_on_ipv6(tmp_path):
    done = saved(tmp_path, SERVED_AT_ONCE, PERSIST_METRICS_ADDR="[::1]:0")
    assert done.stdout == "200\n200\n200\n", done.stderr


def test_the_page_can_only_be_read(service):
    request = urllib.request.Request(f"http://{service.address}/metrics", b"x", method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    with refused.value as answer:
        assert answer.code == 405


def test_a_client_that_says_nothing_keeps_nobody_waiting(service):
    host, port = service.address.split(":")
    with contextlib.ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(socket.create_connection((host, int(port))))
        assert ask(f"http://{service.address}/healthz")[0] == 200


def test_a_check_that_hangs_is_not_ready_and_does_not_hang(monkeypatch):
    from persist import _readiness

    ended, asked = threading.Event(), []

    def hangs(*_, **__):
        asked.append(1)
        ended.wait(60)
        return '{"healthy":true}'

    monkeypatch.setattr(_persist, "health", hangs)
    readiness = _readiness.Readiness("anywhere")
    first = [readiness.answer() for _ in range(2)]
    assert [is_healthy for is_healthy, _ in first] == [False, False]
    assert len(asked) == 1
    ended.set()
    assert until(lambda: readiness.answer()[0])
    assert len(asked) == 1


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


def test_a_refusal_of_a_kind_of_somebody_else_is_counted_under_a_name_of_ours(tmp_path):
    class Mine(persist.CaptureError):
        kind = "text-of-a-user"

    class Agent:
        def __persist_capture__(self):
            raise Mine("no")

    registry = CollectorRegistry()
    registry.register(persist.metrics.collector())
    name = "persist_snapshot_failures_total"
    before = registry.get_sample_value(name, {"kind": "other"}) or 0
    with pytest.raises(Mine):
        persist.snapshot(Agent(), tmp_path / "a.json.gz")
    assert registry.get_sample_value(name, {"kind": "other"}) == before + 1
    assert "text-of-a-user" not in persist.metrics.render()


def test_every_kind_of_failure_is_there_before_it_happens(service):
    text = ask(f"http://{service.address}/metrics")[1]
    for error in vars(persist.exceptions).values():
        if kind := getattr(error, "kind", None):
            assert f'persist_snapshot_failures_total{{kind="{kind}"}}' in text


def test_a_healthy_folder_is_left_as_it_was(tmp_path):
    persist.snapshot([1], tmp_path / "a.json.gz", agent_id="bot")
    report = persist.health(tmp_path)
    assert report.healthy
    assert [check.name for check in report.checks] == [
        "reach",
        "credentials",
        "write",
        "read",
        "condition",
        "clock",
        "delete",
        "room",
        "list",
    ]
    assert report.agents["bot"].path == str(tmp_path / "a.json.gz")
    assert report.agents["bot"].age.total_seconds() < 60
    assert [path.name for path in tmp_path.iterdir()] == ["a.json.gz"]


def test_a_folder_that_is_gone_is_not_healthy(tmp_path):
    shutil.rmtree(tmp_path)
    report = persist.health(tmp_path)
    assert not report.healthy
    assert [(check.name, check.kind) for check in report.checks] == [("reach", "not_found")]
