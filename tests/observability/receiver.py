"""A collector that keeps what is posted to it, and reads it with others' libraries."""

from __future__ import annotations

import contextlib
import gzip
import sys
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from importlib.metadata import files
from typing import TYPE_CHECKING, Any

from servers.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Seen:
    """A span, as a collector sees it."""

    trace: int
    number: int
    above: int
    name: str
    attributes: dict[str, Any]
    failed: bool


@dataclass
class Receiver:
    """What was posted, by path; `status` is what is answered."""

    url: str = ""
    status: int = 200
    posted: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def bodies(self, path: str) -> list[bytes]:
        """The bodies that were posted to a path, unpacked."""
        found = [(headers, body) for at, headers, body in self.posted if at == path]
        return [
            gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
            for headers, body in found
        ]


@contextlib.contextmanager
def receiving(status: int = 200) -> Iterator[Receiver]:
    """A collector on a free port, for the length of a block."""
    receiver = Receiver(status=status)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): text for name, text in self.headers.items()}
            receiver.posted.append((self.path, headers, body))
            self.send_response(receiver.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Write no line for each request."""

    with serving(Handler) as receiver.url:
        yield receiver


def jaeger_batches(bodies: list[bytes]) -> list[Any]:
    """The batches in Jaeger's thrift, read by Apache Thrift and Jaeger's published types."""
    from thrift.protocol.TBinaryProtocol import TBinaryProtocol
    from thrift.transport.TTransport import TMemoryBuffer

    types = _published_types()
    batches = []
    for body in bodies:
        buffer = TMemoryBuffer(body)
        batch = types.Batch()
        batch.read(TBinaryProtocol(buffer))
        batch.validate()
        assert buffer.read(1) == b"", "something stands behind the batch"
        batches.append(batch)
    return batches


def _published_types() -> Any:
    """The generated module alone: its package is an exporter that needs more."""
    (path,) = [
        path
        for path in files("opentelemetry-exporter-jaeger-thrift") or []
        if path.match("gen/jaeger/ttypes.py")
    ]
    folder = str(path.locate().parents[1])
    if folder not in sys.path:
        sys.path.append(folder)
    from jaeger import ttypes

    return ttypes


def of_jaeger(bodies: list[bytes]) -> list[Seen]:
    """The spans in batches of Jaeger's thrift."""
    spans = [span for batch in jaeger_batches(bodies) for span in batch.spans]
    return [_of_jaeger(span) for span in spans]


def _of_jaeger(span: Any) -> Seen:
    values = {
        tag.key: (tag.vStr, tag.vDouble, tag.vBool, tag.vLong, tag.vBinary)[tag.vType]
        for tag in span.tags
    }
    trace = (span.traceIdHigh % 2**64) << 64 | span.traceIdLow % 2**64
    number, above = span.spanId % 2**64, span.parentSpanId % 2**64
    failed = values.get("error", False)
    assert failed == (values.get("otel.status_code") == "ERROR")
    return Seen(trace, number, above, span.operationName, values, failed)


def of_otlp(bodies: list[bytes]) -> list[Seen]:
    """The spans in OTLP's protobuf."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    requests = map(ExportTraceServiceRequest.FromString, bodies)
    scopes = [
        scope
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
    ]
    return [_of_otlp(span) for scope in scopes for span in scope.spans]


def _of_otlp(span: Any) -> Seen:
    numbers = [int.from_bytes(text) for text in (span.trace_id, span.span_id, span.parent_span_id)]
    values = {pair.key: _value(pair.value) for pair in span.attributes}
    return Seen(*numbers, span.name, values, span.status.code == span.status.STATUS_CODE_ERROR)


def _value(value: Any) -> Any:
    return getattr(value, value.WhichOneof("value"))


def of_phoenix(answer: dict[str, Any]) -> list[Seen]:
    """The spans that Phoenix gives back."""
    spans = []
    for span in answer["data"]:
        numbers = [int(span.get(name) or "0", 16) for name in _PHOENIX_IDS]
        values = {pair["key"]: _given(pair["value"]) for pair in span["attributes"]}
        failed = span["status"]["code"] == 2
        spans.append(Seen(*numbers, span["name"], values, failed))
    return spans


def _given(values: dict[str, Any]) -> Any:
    """The one that is there, of the kinds that a value can be of."""
    return next((value for value in values.values() if value is not None), None)


_PHOENIX_IDS = ("trace_id", "span_id", "parent_span_id")


def tree(spans: list[Seen], above: int = 0) -> list[Any]:
    """Name and children of each span below one, in order; failed ones with a `!`."""
    known = {span.number for span in spans}
    below = [
        span for span in spans if span.above == above or (not above and span.above not in known)
    ]
    return sorted([f"{span.name}{'!' * span.failed}", *tree(spans, span.number)] for span in below)
