"""Spans, in the pipelines that applications have: one trace, the right tree, errors marked."""

import contextlib
import json
import socket
import time
import urllib.request

import persist
import pytest
from observability.receiver import jaeger_batches, of_jaeger, of_otlp, of_phoenix, receiving, tree
from observability.support import until
from observability.test_logs import command, run
from persist import _persist, _tracing

STORED = [
    "persist.save",
    ["persist.compress"],
    ["persist.hash"],
    ["persist.storage.commit", ["persist.fsync"], ["persist.fsync"], ["persist.rename"]],
    ["persist.storage.create"],
    ["persist.storage.write"],
    ["persist.storage.write"],
]
SAVED = ["persist.snapshot", ["persist.capture"], ["persist.encode"], STORED]
MISSED = ["persist.restore!", ["persist.load!", ["persist.storage.open!"]]]

NUMBERS = {
    "persist.bytes",
    "persist.snapshot.index",
    "persist.state.size",
    "persist.compressed.size",
}

PROGRAM = """
    import contextlib
    import persist
    persist.snapshot({"text": "canary-93c1f0"}, "a.json.gz", agent_id="bot")
    with contextlib.suppress(FileNotFoundError):
        persist.restore("missing.json.gz")
"""
TRACE = 0x4BF92F3577B34DA6A3CE929D0E0E4736
ABOVE = 0x00F067AA0BA902B7
TRACEPARENT = f"00-{TRACE:032x}-{ABOVE:016x}-01"


def by_trace(spans):
    """The tree of each trace, in order of their first names."""
    traces = {span.trace for span in spans}
    trees = [tree([span for span in spans if span.trace == trace]) for trace in traces]
    return sorted(trees)


def check_program(spans):
    assert by_trace(spans) == [[MISSED], [SAVED]]
    assert {span.name for span in spans} <= {*_tracing.SPANS, *dict(_persist.spans_table())}
    saved = next(span for span in spans if span.name == "persist.save")
    assert saved.attributes["gen_ai.agent.id"] == "bot"
    assert saved.attributes["persist.compression.algorithm"] == "gzip"
    assert not [name for span in spans for name in span.attributes if name.startswith("code.")]
    for span in spans:
        numbers = [span.attributes[name] for name in NUMBERS & set(span.attributes)]
        assert all(type(number) is int for number in numbers), span
    assert {span.attributes["error.type"] for span in spans if span.failed} == {"not_found"}
    assert "canary-93c1f0" not in str(spans)


def test_spans_go_to_jaeger_as_thrift_from_python(tmp_path):
    with receiving() as receiver:
        url = f"{receiver.url}/api/traces"
        done = run(tmp_path, PROGRAM, PERSIST_JAEGER_ENDPOINT=url, OTEL_SERVICE_NAME="agents")
        assert (done.returncode, done.stderr) == (0, "")
        bodies = receiver.bodies("/api/traces")
    check_program(of_jaeger(bodies))
    for batch in jaeger_batches(bodies):
        assert batch.process.serviceName == "agents"
        assert all(span.duration >= 0 and span.flags == 1 for span in batch.spans)
        assert all(abs(span.startTime / 1e6 - time.time()) < 600 for span in batch.spans)


def test_spans_go_to_jaeger_as_thrift_from_the_command(tmp_path):
    persist.snapshot([1], tmp_path / "a.json.gz")
    with receiving() as receiver:
        url = f"{receiver.url}/api/traces"
        done = command(tmp_path, "verify", "a.json.gz", "b.json", PERSIST_JAEGER_ENDPOINT=url)
        spans = of_jaeger(receiver.bodies("/api/traces"))
    assert done.returncode == 1
    ((root, *_),) = by_trace(spans)
    assert root[0] == "persist verify!"


def test_the_command_goes_on_in_the_trace_of_its_caller(tmp_path):
    persist.snapshot([1], tmp_path / "a.json.gz")
    with receiving() as receiver:
        url = f"{receiver.url}/v1/traces"
        command(
            tmp_path,
            "verify",
            "a.json.gz",
            PERSIST_JAEGER_ENDPOINT=url,
            TRACEPARENT=TRACEPARENT,
        )
        spans = of_otlp(receiver.bodies("/v1/traces"))
    ((root,),) = by_trace(spans)
    assert {span.trace for span in spans} == {TRACE}
    assert next(span for span in spans if span.name == root[0]).above == ABOVE
    assert root[0] == "persist verify"
    assert ["persist.verify"] in [child[:1] for child in root[1:]]


def in_phoenix(phoenix):
    """Every span that Phoenix has."""
    with urllib.request.urlopen(f"{phoenix.spans}?limit=1000") as answer:
        return of_phoenix(json.load(answer))


@contextlib.contextmanager
def exported_to(phoenix, roots):
    """A list that holds, behind the block, the spans of new traces with these roots."""
    before = {span.trace for span in in_phoenix(phoenix)}
    new = []
    yield new

    def found():
        spans = [span for span in in_phoenix(phoenix) if span.trace not in before]
        return spans if roots <= {span.name for span in spans} else None

    new += until(found)


def test_phoenix_has_one_tree_for_each_call_from_python(tmp_path, phoenix):
    with exported_to(phoenix, {"persist.snapshot", "persist.restore"}) as spans:
        done = run(tmp_path, PROGRAM, OTEL_EXPORTER_OTLP_ENDPOINT=phoenix.url)
        assert (done.returncode, done.stderr) == (0, "")
    check_program(spans)


def test_phoenix_has_one_tree_for_each_call_by_grpc(tmp_path, phoenix):
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": phoenix.grpc,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    }
    with exported_to(phoenix, {"persist.snapshot", "persist.restore"}) as spans:
        done = run(tmp_path, PROGRAM, **variables)
        assert (done.returncode, done.stderr) == (0, "")
    check_program(spans)
    with exported_to(phoenix, {"persist verify"}) as spans:
        done = command(tmp_path, "verify", "a.json.gz", **variables)
        assert (done.returncode, done.stderr) == (0, "")
    assert {span.attributes["process.exit.code"] for span in spans if span.above == 0} == {0}


def test_a_forked_child_exports_by_grpc(tmp_path, phoenix):
    before = {span.trace for span in in_phoenix(phoenix)}
    variables = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    done = run(tmp_path, FORKED, OTEL_EXPORTER_OTLP_ENDPOINT=phoenix.grpc, **variables)
    assert (done.returncode, done.stderr) == (0, "")

    def is_there():
        spans = [span for span in in_phoenix(phoenix) if span.trace not in before]
        return by_trace(spans) == [[SAVED]] * 3

    assert until(is_there)


def test_phoenix_has_one_tree_for_the_command(tmp_path, phoenix):
    persist.snapshot([1], tmp_path / "a.json.gz")
    (tmp_path / "b.json.gz").write_bytes(b"not gzip")
    with exported_to(phoenix, {"persist verify"}) as spans:
        done = command(
            tmp_path,
            "verify",
            "a.json.gz",
            "b.json.gz",
            PERSIST_TRACING_ENABLED="true",
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{phoenix.url}/v1/traces",
        )
        assert (done.returncode, done.stderr) == (4, "")
    ((root,),) = by_trace(spans)
    assert root[0] == "persist verify!"
    assert {"persist.verify", "persist.verify!"} <= {child[0] for child in root[1:]}


APPLICATION = """
    import asyncio, contextlib, json
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    import persist

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    tracer = trace.get_tracer("application")
    with tracer.start_as_current_span("request"):
        persist.snapshot({"text": "canary-93c1f0"}, "a.json.gz", agent_id="bot")
        with contextlib.suppress(FileNotFoundError):
            persist.restore("missing.json.gz")

    async def both():
        with tracer.start_as_current_span("gather"):
            await asyncio.gather(
                persist.asnapshot([1], "b.json.gz"), persist.asnapshot([2], "c.json.gz")
            )

    asyncio.run(both())
    print(json.dumps([json.loads(span.to_json()) for span in exporter.get_finished_spans()]))
"""


def of_sdk(text):
    """The spans that OpenTelemetry's SDK for Python prints."""
    from observability.receiver import Seen

    def number(text):
        return int(text, 16) if text else 0

    return [
        Seen(
            number(span["context"]["trace_id"]),
            number(span["context"]["span_id"]),
            number(span["parent_id"]),
            span["name"],
            span["attributes"],
            span["status"]["status_code"] == "ERROR",
        )
        for span in json.loads(text)
    ]


@pytest.mark.parametrize("enabled", ["", "true"])
def test_an_application_has_all_spans_in_its_own_trace_and_pipeline(tmp_path, enabled):
    with receiving() as receiver:
        done = run(
            tmp_path,
            APPLICATION,
            PERSIST_TRACING_ENABLED=enabled,
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert receiver.posted == []
    spans = of_sdk(done.stdout)
    assert by_trace(spans) == [[["gather", SAVED, SAVED]], [["request", MISSED, SAVED]]]
    assert "canary-93c1f0" not in done.stdout
    # Of the first call: those of the two that were gathered run into one another.
    first = {span["name"]: span for span in reversed(json.loads(done.stdout))}
    assert first["persist.save"]["start_time"] >= first["persist.encode"]["end_time"]


LONG = """
    import persist
    state = [f"canary-93c1f0 {number}" * 64 for number in range(20_000)]
    persist.snapshot(state, "a.json.gz")
"""
LONG_IN_APPLICATION = """
    import json, threading
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    import persist

    exporter = InMemorySpanExporter()
    trace.set_tracer_provider(TracerProvider())
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))
    state = [f"canary-93c1f0 {number}" * 64 for number in range(20_000)]
    if REFUSED:
        state.append(threading.Lock())
    with trace.get_tracer("application").start_as_current_span("request"):
        try:
            persist.snapshot(state, "a.json.gz")
        except persist.UnserializableStateError:
            pass
    print(json.dumps([json.loads(span.to_json()) for span in exporter.get_finished_spans()]))
"""
STORES_LONG = {"persist.hash", "persist.compress", "persist.storage.create", "persist.fsync"}


def check_long(spans):
    """A state of 20 MB arrives in pieces, in several calls: all that is done is below one span."""
    (saved,) = [span for span in spans if span.name == "persist.save"]
    names = {span.name for span in spans}
    assert names >= {*STORES_LONG, "persist.storage.write", "persist.storage.commit"}
    packed = [span for span in spans if span.name == "persist.compress"]
    assert len(packed) > 15
    assert {span.above for span in packed} == {saved.number}
    assert sum(span.attributes["persist.bytes"] for span in packed) > 20_000_000
    assert len({span.trace for span in spans}) == 1
    known = {span.number for span in spans}
    (root,) = [span for span in spans if span.above not in known]
    return root.name


def test_a_state_that_is_saved_in_pieces_is_one_tree(tmp_path):
    with receiving() as receiver:
        run(tmp_path, LONG, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
        spans = of_otlp(receiver.bodies("/v1/traces"))
    assert check_long(spans) == "persist.snapshot"


def test_a_state_that_is_saved_in_pieces_is_one_tree_in_an_application(tmp_path):
    done = run(tmp_path, LONG_IN_APPLICATION.replace("REFUSED", "False"))
    assert (done.returncode, done.stderr) == (0, "")
    assert check_long(of_sdk(done.stdout)) == "request"
    assert "canary-93c1f0" not in done.stdout


def test_what_was_done_for_a_state_that_is_refused_late_is_in_the_trace(tmp_path):
    done = run(tmp_path, LONG_IN_APPLICATION.replace("REFUSED", "True"))
    assert (done.returncode, done.stderr) == (0, "")
    spans = of_sdk(done.stdout)
    assert {"persist.save", "persist.compress"} <= {span.name for span in spans}
    assert "persist.snapshot!" in str(by_trace(spans))


def test_an_application_can_forbid_the_spans(tmp_path):
    done = run(tmp_path, APPLICATION, PERSIST_TRACING_ENABLED="false")
    assert {span.name for span in of_sdk(done.stdout)} == {"request", "gather"}


FROM_AFAR = f"""
    from opentelemetry import context, propagate
    import persist
    context.attach(propagate.extract({{"traceparent": "{TRACEPARENT}"}}))
    persist.snapshot([1], "a.json.gz")
"""


def test_a_trace_that_came_from_afar_goes_on(tmp_path):
    with receiving() as receiver:
        run(tmp_path, FROM_AFAR, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
        spans = of_otlp(receiver.bodies("/v1/traces"))
    assert {span.trace for span in spans} == {TRACE}
    assert tree(spans, ABOVE) == [SAVED]


LARGE = """
    import persist
    state = [f"canary-93c1f0 {number}" * 20 for number in range(7_000)]
    persist.snapshot(state, "a.json.gz")
    persist.verify_snapshot("a.json.gz")
"""


def test_what_other_threads_do_is_in_the_tree_as_well(tmp_path):
    with receiving() as receiver:
        run(tmp_path, LARGE, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
        spans = of_otlp(receiver.bodies("/v1/traces"))
    saved, verified = by_trace(spans)
    assert [saved[0][0], verified[0][0]] == ["persist.snapshot", "persist.verify_snapshot"]
    assert str(saved).count("persist.compress") > 2
    assert str(verified).count("persist.decompress") == str(saved).count("persist.compress")


@pytest.mark.parametrize(
    ("variables", "count"),
    [
        ({"PERSIST_TRACE_SAMPLE_RATE": "0"}, 0),
        ({"PERSIST_TRACE_SAMPLE_RATE": "1"}, 2),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, 0),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}, 0),
        ({"OTEL_SDK_DISABLED": "true"}, 0),
        ({"OTEL_TRACES_EXPORTER": "none"}, 0),
        ({"PERSIST_TRACING_ENABLED": "false"}, 0),
    ],
)
def test_the_variables_say_how_much_is_traced(tmp_path, variables, count):
    with receiving() as receiver:
        run(tmp_path, PROGRAM, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, **variables)
        spans = of_otlp(receiver.bodies("/v1/traces"))
    assert len({span.trace for span in spans}) == count


def test_headers_resource_and_compression_are_those_of_the_environment(tmp_path):
    with receiving() as receiver:
        run(
            tmp_path,
            PROGRAM,
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{receiver.url}/own/path",
            OTEL_EXPORTER_OTLP_HEADERS="x-key=hidden",
            OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
            OTEL_SERVICE_NAME="agents",
            OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test",
        )
        ((path, headers, _), *_) = receiver.posted
        (body, *_) = receiver.bodies("/own/path")
    assert (path, headers["x-key"], headers["content-encoding"]) == ("/own/path", "hidden", "gzip")
    assert b"agents" in body
    assert b"deployment.environment.name" in body


LOGGED = "import logging; logging.basicConfig()\n" + PROGRAM.replace("\n    ", "\n")


def test_a_collector_that_is_not_there_is_one_warning_and_stops_nothing(tmp_path):
    start = time.monotonic()
    done = run(
        tmp_path,
        LOGGED,
        PERSIST_JAEGER_ENDPOINT="http://127.0.0.1:9/api/traces",
        OTEL_BSP_SCHEDULE_DELAY="10",
    )
    assert done.returncode == 0
    assert done.stderr.count("traces could not be exported") == 1
    assert time.monotonic() - start < 60


@pytest.mark.parametrize("path", ["/api/traces", "/v1/traces"])
def test_a_collector_that_never_answers_is_given_up(tmp_path, path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        done = run(
            tmp_path,
            LOGGED,
            PERSIST_JAEGER_ENDPOINT=f"http://127.0.0.1:{silent.getsockname()[1]}{path}",
            OTEL_EXPORTER_OTLP_TIMEOUT="200",
        )
    assert done.returncode == 0
    assert done.stderr.count("traces could not be exported") == 1


@pytest.mark.parametrize(
    "variables",
    [
        {"PERSIST_JAEGER_ENDPOINT": "http://127.0.0.1:9/other"},
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
        },
        {"PERSIST_TRACING_ENABLED": "1", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://[nonsense"},
    ],
)
def test_what_cannot_be_exported_to_is_a_warning(tmp_path, variables):
    done = run(tmp_path, LOGGED, **variables)
    assert done.returncode == 0
    assert done.stderr.count("traces are not exported") == 1


FLUSHED = """
    import os
    import persist
    persist.snapshot([1], "a.json.gz")
    print(persist.force_flush(20_000))
    os._exit(0)
"""


def test_a_function_that_is_frozen_has_sent_its_spans(tmp_path):
    with receiving() as receiver:
        done = run(tmp_path, FLUSHED, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
        spans = of_otlp(receiver.bodies("/v1/traces"))
    assert done.stdout == "True\n"
    assert by_trace(spans) == [[SAVED]]


def test_a_flush_says_that_nobody_took_the_spans(tmp_path):
    done = run(tmp_path, FLUSHED, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    assert done.stdout == "False\n"


def test_a_flush_does_not_wait_longer_than_it_is_told(tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        done = run(
            tmp_path,
            FLUSHED.replace("20_000", "200"),
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{silent.getsockname()[1]}",
        )
    assert done.stdout == "False\n"


FORKED = """
    import os
    import persist
    persist.snapshot([1], "a.json.gz")
    child = os.fork()
    persist.snapshot([2], "b.json.gz" if child else "c.json.gz")
    if child:
        assert os.waitpid(child, 0)[1] == 0
"""


def test_a_forked_child_exports_its_own_spans(tmp_path):
    with receiving() as receiver:
        done = run(tmp_path, FORKED, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
        assert done.returncode == 0, done.stderr
        spans = of_otlp(receiver.bodies("/v1/traces"))
    assert by_trace(spans) == [[SAVED]] * 3
