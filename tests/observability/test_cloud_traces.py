"""Requests to a cloud's store in traces and logs: each try, below the operation that it is for."""

import uuid

import persist
import pytest
from observability.receiver import of_otlp, receiving, tree
from observability.test_logs import command, run
from observability.test_traces import by_trace, of_sdk
from persist import _persist, _tracing
from servers.spoiling import Spoiling

SCHEMES = {"s3": "s3", "azure": "az", "gcs": "gs"}


@pytest.fixture(params=SCHEMES)
def store(request):
    """A folder in each cloud's store, and the environment of a client."""
    server = request.getfixturevalue(request.param)
    url = f"{SCHEMES[request.param]}://bucket/traces/{uuid.uuid4().hex}"
    return request.param, url, server.variables()


PROGRAM = """
    import persist, sys
    url = URL
    persist.snapshot(["canary-93c1f0"], f"{url}/a.json.gz", agent_id="bot")
    persist.restore(f"{url}/a.json.gz")
    persist.copy_snapshot(f"{url}/a.json.gz", f"{url}/b.json.gz")
    assert len(list(persist.list_snapshots(url))) == 2
    persist.delete_snapshot(f"{url}/b.json.gz")
    persist.snapshot_exists(f"{url}/b.json.gz")
    assert persist.health(url).healthy
"""


def check(spans, verb, operation):
    """Each verb is a trace; its requests are below the operation that they are for."""
    (root,) = [span for span in spans if span.name == verb]
    of_trace = [span for span in spans if span.trace == root.trace]
    by_number = {span.number: span for span in of_trace}
    requests = [span for span in of_trace if span.name == "persist.storage.http"]
    assert requests, verb
    above = {by_number[span.above].name for span in requests}
    assert operation in above, (verb, above)
    assert all(name.startswith("persist.storage.") for name in above), (verb, above)
    assert {span.name for span in of_trace} <= {*_tracing.SPANS, *dict(_persist.spans_table())}
    for span in requests:
        assert span.attributes["http.request.method"] in {"GET", "PUT", "POST", "DELETE", "HEAD"}
        assert span.attributes["server.address"] in {"127.0.0.1", "localhost"}
        assert type(span.attributes["server.port"]) is int
        assert 200 <= span.attributes["http.response.status_code"] < 500


VERBS = {
    "persist.snapshot": "persist.storage.commit",
    "persist.restore": "persist.storage.open",
    "persist.copy_snapshot": "persist.storage.commit",
    "persist.list_snapshots": "persist.storage.list",
    "persist.delete_snapshot": "persist.storage.delete",
    "persist.snapshot_exists": "persist.storage.stat",
    "persist.health": "persist.storage.list",
}


def test_every_request_is_below_its_operation(tmp_path, store):
    _, url, variables = store
    with receiving() as receiver:
        program = PROGRAM.replace("URL", repr(url))
        variables = variables | {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        done = run(tmp_path, program, **variables)
        assert (done.returncode, done.stderr) == (0, "")
        spans = of_otlp(receiver.bodies("/v1/traces"))
    # Nothing is outside of the trace of its verb.
    assert sorted(one[0] for (one,) in by_trace(spans)) == sorted(VERBS)
    for verb, operation in VERBS.items():
        check(spans, verb, operation)
    assert "canary-93c1f0" not in str(spans)


IN_APPLICATION = """
    import json
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    exporter = InMemorySpanExporter()
    trace.set_tracer_provider(TracerProvider())
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))
"""
PRINTED = """
    print(json.dumps([json.loads(span.to_json()) for span in exporter.get_finished_spans()]))
"""


def test_every_request_is_in_the_trace_of_an_application(tmp_path, store):
    _, url, variables = store
    program = IN_APPLICATION + PROGRAM.replace("URL", repr(url)) + PRINTED
    done = run(tmp_path, program, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    spans = of_sdk(done.stdout)
    assert sorted(one[0] for (one,) in by_trace(spans)) == sorted(VERBS)
    for verb, operation in VERBS.items():
        check(spans, verb, operation)


def test_the_command_has_every_request_in_its_trace(tmp_path, store, monkeypatch):
    _, url, variables = store
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    persist.snapshot([1], f"{url}/a.json.gz")
    with receiving() as receiver:
        endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        copied = command(tmp_path, "copy", f"{url}/a.json.gz", f"{url}/b.json.gz", **endpoint)
        assert copied.returncode == 0, copied.stderr
        spans = of_otlp(receiver.bodies("/v1/traces"))
    ((root,),) = by_trace(spans)
    assert root[0] == "persist copy"
    copy, stat = root[1:]
    assert stat[0] == "persist.storage.stat"
    assert stat[1] == ["persist.storage.http"]
    assert copy[0] == "persist.copy"
    assert ["persist.storage.commit", ["persist.storage.http"]] in copy


@pytest.fixture
def spoiled(request, store):
    """A proxy before the store that refuses the first request; a URL, and the environment."""
    mode, url, variables = store
    server = request.getfixturevalue(mode)
    upstream = f"http://{server.host}" if mode == "gcs" else server.endpoint
    upstream = upstream.removesuffix("/devstoreaccount1")
    with Spoiling(upstream).running() as proxy:
        there, here = upstream.partition("://")[2], proxy.url.partition("://")[2]
        proxy.faults.append(503)
        yield url, {name: text.replace(there, here) for name, text in variables.items()}


RETRIED = """
    import logging, persist
    fields = "%(backend)s %(operation)s %(status)s"
    logging.basicConfig(format=f"%(levelname)s %(name)s %(message)s {fields}")
    persist.metrics.collector()
    persist.snapshot([1], URL + "/a.json.gz")
    print(persist.metrics.render())
"""


def test_a_request_that_is_sent_again_is_told_counted_and_traced(tmp_path, store, spoiled):
    mode, (url, variables) = store[0], spoiled
    with receiving() as receiver:
        variables = variables | {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        done = run(tmp_path, RETRIED.replace("URL", repr(url)), **variables)
        assert done.returncode == 0, done.stderr
        spans = of_otlp(receiver.bodies("/v1/traces"))
    warning = f"WARNING persist.storage Request is sent again {mode} write 503"
    assert done.stderr.splitlines() == [warning]
    counted = f'persist_storage_retries_total{{backend="{mode}",operation="write"}} 1'
    assert counted in done.stdout.splitlines()
    (commit,) = [span for span in spans if span.name == "persist.storage.commit"]
    assert tree(spans, commit.number) == [["persist.storage.http"], ["persist.storage.http!"]]
    tries = sorted(
        (span.attributes for span in spans if span.above == commit.number),
        key=lambda attributes: attributes.get("http.request.resend_count", 0),
    )
    assert [one["http.response.status_code"] for one in tries] == [
        503,
        201 if mode == "azure" else 200,
    ]
    assert [one.get("http.request.resend_count") for one in tries] == [None, 1]
    assert [one.get("error.type") for one in tries] == ["503", None]
