"""Metrics that are pushed by OTLP, read with OpenTelemetry's own types."""

import pytest
from observability.receiver import receiving
from observability.test_logs import run
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from persist import _persist

PATH = "/v1/metrics"

PROGRAM = """
    import contextlib
    import persist
    persist.snapshot({"text": "hello " * 500}, "a.json.gz", agent_id="bot")
    persist.restore("a.json.gz")
    with contextlib.suppress(FileNotFoundError):
        persist.restore("missing.json.gz")
"""
PAGE = {"PERSIST_METRICS_ENABLED": "true", "PERSIST_METRICS_ADDR": "127.0.0.1:0"}


def pushed(body):
    """The metrics of a push by name, and what it says of the service."""
    request = ExportMetricsServiceRequest.FromString(body)
    (resource,) = request.resource_metrics
    service = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
    metrics = [metric for scope in resource.scope_metrics for metric in scope.metrics]
    return {metric.name: metric for metric in metrics}, service


def count(metric, **labels):
    """The counter's value with these labels."""
    return sum(
        point.as_int
        for point in metric.sum.data_points
        if labels == {pair.key: pair.value.string_value for pair in point.attributes}
    )


@pytest.mark.parametrize("variables", [PAGE, {"OTEL_METRICS_EXPORTER": "otlp"}])
def test_what_was_counted_is_pushed_when_the_process_ends(tmp_path, variables):
    with receiving() as receiver:
        done = run(
            tmp_path,
            PROGRAM,
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
            OTEL_SERVICE_NAME="agents",
            OTEL_TRACES_EXPORTER="none",
            **variables,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert {path for path, _, _ in receiver.posted} == {PATH}
        metrics, service = pushed(receiver.bodies(PATH)[-1])
    assert service["service.name"] == "agents"
    assert count(metrics["persist_snapshot_attempts_total"]) == 1
    assert count(metrics["persist_restore_attempts_total"]) == 2
    assert count(metrics["persist_restore_failures_total"], kind="not_found") == 1
    writes = {"backend": "local", "operation": "write"}
    assert count(metrics["persist_storage_requests_total"], **writes) == 1
    (sizes,) = metrics["persist_state_size_bytes"].histogram.data_points
    assert (sizes.count, sizes.sum > 3000, len(sizes.explicit_bounds)) == (1, True, 12)
    units = {name: metric.unit for name, metric in metrics.items()}
    assert units["persist_state_size_bytes"] == "By"
    assert units["persist_storage_latency_seconds"] == "s"
    assert metrics["persist_snapshot_last_success_timestamp_seconds"].WhichOneof("data") == "gauge"
    assert set(metrics) <= {name for name, *_ in _persist.metrics_table()}


def test_metrics_are_pushed_while_the_process_lives(tmp_path):
    with receiving() as receiver:
        run(
            tmp_path,
            PROGRAM + "\n    import time; time.sleep(2)",
            OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=f"{receiver.url}/own",
            OTEL_METRICS_EXPORTER="otlp",
            OTEL_METRIC_EXPORT_INTERVAL="100",
        )
        assert len(receiver.bodies("/own")) > 2


FLUSHED = """
    import os
    import persist
    persist.snapshot([1], "a.json.gz")
    print(persist.force_flush())
    os._exit(0)
"""


def test_a_function_that_is_frozen_has_pushed_its_counts(tmp_path):
    with receiving() as receiver:
        done = run(
            tmp_path,
            FLUSHED,
            OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=f"{receiver.url}{PATH}",
            OTEL_METRICS_EXPORTER="otlp",
        )
        metrics, _ = pushed(receiver.bodies(PATH)[-1])
    assert done.stdout == "True\n"
    assert count(metrics["persist_snapshot_attempts_total"]) == 1


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {**PAGE, "OTEL_METRICS_EXPORTER": "none"},
        {**PAGE, "OTEL_SDK_DISABLED": "true"},
    ],
)
def test_metrics_are_pushed_only_when_asked_for(tmp_path, variables):
    with receiving() as receiver:
        run(
            tmp_path,
            PROGRAM,
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
            OTEL_TRACES_EXPORTER="none",
            **variables,
        )
        assert receiver.posted == []


FORKED = """
    import os
    import persist
    persist.snapshot([1], "a.json.gz")
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0
    else:
        persist.snapshot([2], "b.json.gz")
        persist.snapshot([3], "c.json.gz")
"""


def test_a_forked_child_pushes_what_it_counted_itself(tmp_path):
    with receiving() as receiver:
        done = run(
            tmp_path,
            FORKED,
            OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=f"{receiver.url}{PATH}",
            OTEL_METRICS_EXPORTER="otlp",
        )
        assert done.returncode == 0, done.stderr
        counts = [
            count(pushed(body)[0]["persist_snapshot_attempts_total"])
            for body in receiver.bodies(PATH)
        ]
    assert sorted(counts) == [1, 2]


def test_a_collector_that_is_not_there_is_one_warning(tmp_path):
    done = run(
        tmp_path,
        "import logging; logging.basicConfig()\n" + PROGRAM.replace("\n    ", "\n"),
        OTEL_EXPORTER_OTLP_METRICS_ENDPOINT="http://127.0.0.1:9/v1/metrics",
        OTEL_METRICS_EXPORTER="otlp",
        OTEL_METRIC_EXPORT_INTERVAL="50",
    )
    assert done.returncode == 0
    assert done.stderr.count("metrics could not be pushed") == 1
