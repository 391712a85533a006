"""Stores in the cloud, in health and when their servers are killed."""

import base64
import json
import re
import signal
import subprocess
import uuid
from pathlib import Path

import persist
import pytest
from observability.support import COMMAND, alerts_of, ask, query, service_in, until
from persist.options import S3Options
from servers.azurite import KEY, azurite
from servers.gcs import fake_gcs
from servers.prometheus import alertmanager, prometheus, promtool
from servers.seaweedfs import seaweedfs

RULES = Path(__file__).parents[2] / "persist-cli/assets/alerts.yml"


@pytest.fixture(autouse=True)
def variables(s3, monkeypatch):
    """The environment of a client."""
    for name, value in s3.variables().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def killable(tmp_path, monkeypatch):
    """A server of the test's own, that it may kill."""
    folder = tmp_path / "seaweedfs"
    folder.mkdir()
    made = seaweedfs(folder)
    with made.server.running():
        made.client().create_bucket(Bucket="bucket")
        for name, value in made.variables().items():
            monkeypatch.setenv(name, value)
        yield made


def failures(report):
    return [(check.name, check.kind) for check in report.checks if not check.ok]


def test_a_bucket_is_healthy_and_is_left_as_it_was(s3):
    persist.snapshot([1], "s3://bucket/health/a.json.gz", agent_id="bot")
    for url in ("s3://bucket/health", "s3://bucket"):
        report = persist.health(url)
        assert failures(report) == []
        assert report.agents["bot"].path == "health/a.json.gz"
        assert report.agents["bot"].age.total_seconds() < 300
    listed = s3.client().list_objects_v2(Bucket="bucket", Prefix="health/")["Contents"]
    assert [one["Key"] for one in listed] == ["health/a.json.gz"]
    done = subprocess.run(
        [COMMAND, "health", "s3://bucket/health", "--json"], capture_output=True, check=True
    )
    assert json.loads(done.stdout)["healthy"]


def test_a_wrong_key_is_told_from_a_store_that_does_not_answer():
    wrong = S3Options(secret_access_key="wrong")
    report = persist.health("s3://bucket/health", storage_options=wrong)
    assert failures(report) == [("credentials", "access_denied")]
    assert report.checks[0].ok


def test_a_bucket_that_is_missing_is_not_there():
    assert failures(persist.health("s3://nowhere/a")) == [("reach", "not_found")]
    assert subprocess.run([COMMAND, "health", "s3://nowhere/a"], check=False).returncode == 1


def test_a_server_that_was_killed_does_not_answer(killable):
    killable.server.kill()
    report = persist.health("s3://bucket/a", storage_options=S3Options(deadline=1))
    ((name, kind),) = failures(report)
    assert name == "reach"
    assert kind in {"storage", "timeout"}


def test_the_names_of_s3_are_on_the_page_and_are_well_made(tmp_path, s3):
    service = service_in(tmp_path, "s3://bucket/page", **s3.variables())
    with service.server.running():
        service.wait()
        text = ask(f"http://{service.address}/metrics")[1]
    checked = subprocess.run(
        [promtool(), "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    for name in ("requests_total", "errors_total", "latency_seconds_bucket"):
        assert f'persist_s3_{name}{{operation="write"' in text
        assert (
            f'persist_storage_{name.replace("errors_total", "requests_total")}{{backend="s3"'
            in text
        )
    assert "persist_state_size_bytes_bucket" in text
    hits = re.search(r'^persist_cache_hits_total\{cache="connections"\} (\d+)$', text, re.MULTILINE)
    assert int(hits[1]) > 0


def test_prometheus_tells_when_the_server_of_the_store_is_killed(tmp_path, killable, webhook):
    url, received = webhook
    service = service_in(tmp_path, "s3://bucket/agents", **killable.variables())
    manager = alertmanager(tmp_path, url)
    watcher = prometheus(tmp_path, [service.address], [RULES], manager.url.removeprefix("http://"))
    with service.server.running(), manager.server.running(), watcher.server.running():
        service.wait()
        until(lambda: query(watcher.url, "persist_snapshot_attempts_total"))
        assert alerts_of(received, "PersistSnapshotFailing") == []
        assert until(lambda: ask(f"http://{service.address}/readyz")[0] == 200)
        killable.server.kill()
        (alert, *_) = until(lambda: alerts_of(received, "PersistSnapshotFailing"))
        assert (alert["status"], alert["labels"]["severity"]) == ("firing", "critical")
        assert query(watcher.url, 'sum(persist_storage_retries_total{backend="s3"}) > 0')
        assert until(lambda: ask(f"http://{service.address}/readyz")[0] == 503)


def test_watch_tells_when_the_server_is_killed_and_when_it_is_back(killable, watch, webhook):
    url, received = webhook
    persist.snapshot([1], "s3://bucket/agents/a.json.gz", agent_id="bot")
    watch("s3://bucket/agents", "--every", "500ms", "--max-age", "1h", "--webhook", url)
    killable.server.kill()
    (alert, *_) = until(lambda: alerts_of(received, "PersistStoreFailing"))
    assert (alert["status"], alert["labels"]["check"]) == ("firing", "reach")
    killable.server.start()
    over = until(lambda: [one for one in received if one["status"] == "resolved"])
    assert alerts_of(over, "PersistStoreFailing")[0]["labels"] == alert["labels"]
    assert alerts_of(received, "PersistNoFreshSnapshot") == []


OTHERS = {"azure": "az", "gcs": "gs"}


@pytest.fixture(params=OTHERS)
def other(request, monkeypatch):
    """A folder of its own in each of the other clouds' stores, which the environment names."""
    for name, value in request.getfixturevalue(request.param).variables().items():
        monkeypatch.setenv(name, value)
    return f"{OTHERS[request.param]}://bucket/health/{uuid.uuid4().hex}"


def test_another_clouds_store_is_healthy_and_is_left_as_it_was(other):
    persist.snapshot([1], f"{other}/a.json.gz", agent_id="bot")
    report = persist.health(other)
    assert failures(report) == []
    details = {check.name: check.detail for check in report.checks}
    assert details["condition"] == "what exists is not overwritten"
    assert details["list"] == "1 objects, snapshots of 1 agents"
    assert report.agents["bot"].path.endswith("/a.json.gz")
    assert report.agents["bot"].age.total_seconds() < 300
    done = subprocess.run([COMMAND, "health", other, "--json"], capture_output=True, check=True)
    assert json.loads(done.stdout)["healthy"]
    old = [COMMAND, "health", other, "--max-age", "1s"]
    assert until(lambda: subprocess.run(old, check=False).returncode == 6)


def test_a_bucket_of_another_cloud_that_is_missing_is_not_there(other):
    url = f"{other.partition(':')[0]}://nowhere/a"
    assert failures(persist.health(url)) == [("reach", "not_found")]
    assert subprocess.run([COMMAND, "health", url], check=False).returncode == 1


def test_azure_tells_a_wrong_key_from_a_store_that_does_not_answer(azure, monkeypatch):
    wrong = base64.b64encode(bytes(len(base64.b64decode(KEY)))).decode()
    for name, value in azure.variables(wrong).items():
        monkeypatch.setenv(name, value)
    report = persist.health("az://bucket/health")
    assert failures(report) == [("credentials", "access_denied")]


@pytest.fixture(params=OTHERS)
def mortal(request, tmp_path, monkeypatch):
    """A server of another cloud's store that the test may end; a URL in it, and its variables."""
    folder = tmp_path / "server"
    folder.mkdir()
    is_azure = request.param == "azure"
    made = azurite(folder) if is_azure else fake_gcs(folder)
    with made.server.running() if is_azure else made.running():
        made.make_bucket("bucket")
        for name, value in made.variables().items():
            monkeypatch.setenv(name, value)
        server = made.server if is_azure else made.front
        yield server, f"{OTHERS[request.param]}://bucket/agents", made.variables()


def test_watch_tells_when_a_server_of_another_cloud_ends_and_when_it_is_back(
    mortal, watch, webhook
):
    (server, store, _), (url, received) = mortal, webhook
    persist.snapshot([1], f"{store}/a.json.gz", agent_id="bot")
    watch(store, "--every", "500ms", "--max-age", "1h", "--webhook", url)
    # Azurite keeps on its disk what it has when it is asked to end.
    server.kill(signal.SIGTERM)
    (alert, *_) = until(lambda: alerts_of(received, "PersistStoreFailing"))
    assert (alert["status"], alert["labels"]["check"]) == ("firing", "reach")
    server.start()
    over = until(lambda: [one for one in received if one["status"] == "resolved"])
    assert alerts_of(over, "PersistStoreFailing")[0]["labels"] == alert["labels"]
    assert alerts_of(received, "PersistNoFreshSnapshot") == []


def test_the_probes_and_the_page_know_another_clouds_store(mortal, tmp_path):
    server, store, variables = mortal
    service = service_in(tmp_path, store, **variables)
    with service.server.running():
        service.wait()
        assert until(lambda: ask(f"http://{service.address}/readyz")[0] == 200)
        text = ask(f"http://{service.address}/metrics")[1]
        backend = "azure" if store.startswith("az:") else "gcs"
        labels = f'backend="{backend}",operation="write"'
        assert f"persist_storage_requests_total{{{labels}}} " in text
        assert f"persist_storage_retries_total{{{labels}}} 0\n" in text
        assert f'persist_storage_errors_total{{{labels},kind="timeout"}} 0\n' in text
        server.kill()
        assert until(lambda: ask(f"http://{service.address}/readyz")[0] == 503)
        assert ask(f"http://{service.address}/healthz")[0] == 200
