"""The YAML of the documentation is what Kubernetes and Prometheus take."""

import json
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml
from servers.prometheus import promtool

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/observability.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
COMMAND = Path(sysconfig.get_path("scripts")) / "persist"


@pytest.fixture(scope="module")
def manifests():
    """The documents for Kubernetes, by kind."""
    documents = [one for block in BLOCKS for one in yaml.safe_load_all(block)]
    return {one["kind"]: one for one in documents if "kind" in one}


def test_prometheus_takes_its_configuration(tmp_path):
    (text,) = [block for block in BLOCKS if block.startswith("# prometheus.yml")]
    (tmp_path / "prometheus.yml").write_text(text)
    export = [COMMAND, "alerts", "export", "-o", tmp_path / "persist-alerts.yml"]
    subprocess.run(export, check=True)
    check = [promtool(), "check", "config", tmp_path / "prometheus.yml"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rule files found" in done.stdout


def test_the_manifests_fit_each_other(manifests):
    pod = manifests["Deployment"]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    service, monitor = manifests["Service"], manifests["ServiceMonitor"]
    labels = pod["metadata"]["labels"].items()
    assert manifests["Deployment"]["spec"]["selector"]["matchLabels"].items() <= labels
    assert service["spec"]["selector"].items() <= labels
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    assert wanted <= service["metadata"]["labels"].items()
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    offered = {port["name"]: port["targetPort"] for port in service["spec"]["ports"]}
    assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= set(offered)
    probes = [container["livenessProbe"]["httpGet"], container["readinessProbe"]["httpGet"]]
    assert {*offered.values(), *(probe["port"] for probe in probes)} <= set(ports)


PROGRAM = """
import json, sys, urllib.request, persist
persist.metrics.start()
from persist import _metrics_server
port = _metrics_server._serving.server_address[1]
urls = [f"http://127.0.0.1:{port}{path}" for path in sys.argv[1:]]
print(json.dumps([urllib.request.urlopen(url).status for url in urls]))
"""


def test_the_container_answers_its_probes(manifests, tmp_path):
    (container,) = manifests["Deployment"]["spec"]["template"]["spec"]["containers"]
    env = {variable["name"]: variable["value"] for variable in container["env"]}
    (mount,) = container["volumeMounts"]
    assert env["PERSIST_HEALTH_URL"] == mount["mountPath"]
    host = env["PERSIST_METRICS_ADDR"].rpartition(":")[0]
    assert host == "0.0.0.0"
    env |= {"PERSIST_METRICS_ADDR": "127.0.0.1:0", "PERSIST_HEALTH_URL": str(tmp_path)}
    probes = [container["livenessProbe"], container["readinessProbe"]]
    paths = [probe["httpGet"]["path"] for probe in probes]
    command = [sys.executable, "-c", PROGRAM, *paths]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout, done.stderr
    assert json.loads(done.stdout) == [200, 200]
