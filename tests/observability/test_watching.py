"""A real Prometheus scrapes a service, draws its dashboard and tells when its store is gone."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from observability.support import alerts_of, ask, query, service_in, take_away, until
from servers.prometheus import alertmanager, prometheus, promtool

ASSETS = Path(__file__).parents[2] / "persist-cli/assets"
RULES = ASSETS / "alerts.yml"
BOARD = json.loads((ASSETS / "dashboard.json").read_text())
PANELS = {panel["title"]: panel for panel in BOARD["panels"]}


@pytest.fixture(scope="module")
def watched(service, tmp_path_factory):
    """The URL of a Prometheus that has scraped the service a few times."""
    made = prometheus(tmp_path_factory.mktemp("prometheus"), [service.address], [RULES])
    with made.server.running():
        until(lambda: query(made.url, "rate(persist_snapshot_attempts_total[10s]) > 0"))
        yield made.url


def test_prometheus_answers_for_the_service(watched):
    assert query(watched, "up")[0]["value"][1] == "1"
    (sample,) = query(watched, 'sum(persist_storage_requests_total{operation="write"})')
    assert float(sample["value"][1]) > 0


def filled(query: str) -> str:
    """The query as Grafana sends it, with its variables at their first values."""
    for variable in BOARD["templating"]["list"][1:]:
        query = query.replace(f"${variable['name']}", variable["allValue"])
    return query.replace("$__rate_interval", "10s")


def test_the_choices_of_the_dashboard_have_values(watched):
    for variable in BOARD["templating"]["list"][1:]:
        metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]).groups()
        url = f"{watched}/api/v1/label/{label}/values?match[]={metric}"
        assert json.loads(ask(url)[1])["data"], variable["name"]


@pytest.mark.parametrize("title", PANELS)
def test_every_panel_shows_data(watched, title):
    for target in PANELS[title]["targets"]:
        expression = filled(target["expr"])
        assert until(lambda: query(watched, expression), 30), expression  # noqa: B023 - called here


def test_every_rule_that_has_data_is_evaluated_without_error(watched):
    def rules():
        groups = json.loads(ask(f"{watched}/api/v1/rules")[1])["data"]["groups"]
        found = [rule for group in groups for rule in group["rules"]]
        return found if all(rule["health"] == "ok" for rule in found) else None

    names = {rule["name"] for rule in until(rules, 30)}
    assert names == {
        "PersistSnapshotFailing",
        "PersistVerifyFailing",
        "PersistNoFreshSnapshot",
        "PersistStorageSlow",
        "PersistErrorBudgetBurn",
        "PersistDiskNearlyFull",
    }


def test_the_dashboard_is_well_made():
    numbers = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(numbers)) == len(numbers) == len(PANELS)
    variables = [(one["name"], one["type"]) for one in BOARD["templating"]["list"]]
    assert variables == [("datasource", "datasource"), ("job", "query"), ("instance", "query")]
    for panel in BOARD["panels"]:
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["fieldConfig"]["defaults"]["unit"]


def test_the_rules_fire_when_they_should(tmp_path):
    shutil.copy(RULES, tmp_path)
    shutil.copy(Path(__file__).with_name("alerts_test.yml"), tmp_path)
    command = [promtool(), "test", "rules", "alerts_test.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_store_that_is_gone_reaches_the_webhook(tmp_path, webhook):
    url, received = webhook
    service, manager = service_in(tmp_path), alertmanager(tmp_path, url)
    watcher = prometheus(tmp_path, [service.address], [RULES], manager.url.removeprefix("http://"))
    with service.server.running(), manager.server.running(), watcher.server.running():
        service.wait()
        until(lambda: query(watcher.url, "persist_snapshot_attempts_total"))
        take_away(Path(service.store))
        (alert, *_) = until(lambda: alerts_of(received, "PersistSnapshotFailing"))
        assert alert["status"] == "firing"
        assert alert["labels"]["severity"] == "critical"
        status = until(lambda: ask(f"http://{service.address}/readyz")[0] == 503)
        assert status
