"""Spans: in the application's trace and pipeline where it has one, else in Persist's own.

The application's pipeline is the provider that it gave to `opentelemetry.trace`. The spans of the
core are handed over when a call ends, and made again there, with their times.
"""

from __future__ import annotations

import atexit
import functools
import os
import sys
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from persist import _persist
from persist._version import __version__
from persist.exceptions import PersistError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from opentelemetry.context import Context
    from opentelemetry.trace import TracerProvider

P = ParamSpec("P")
T = TypeVar("T")
Ids = tuple[int, int, bool]
"""Of a trace and a span, and whether it is recorded."""

SPANS = {
    "persist.snapshot": "An agent is saved.",
    "persist.capture": "The adapter takes the state of the agent.",
    "persist.encode": "The state is written as text; `verify` decodes and compares it.",
    "persist.restore": "An agent is brought back.",
    "persist.decode": "What was read becomes values.",
    "persist.rebuild": "The adapter makes the agent.",
    "persist.load_state": "A snapshot is read as plain data.",
    "persist.get_metadata": "What a snapshot says about itself is read.",
    "persist.verify_snapshot": "A snapshot is checked.",
    "persist.snapshot_exists": "A store is asked for a snapshot.",
    "persist.delete_snapshot": "A snapshot is deleted.",
    "persist.copy_snapshot": "A snapshot is copied to another place.",
    "persist.list_snapshots": "A listing is begun; its pages are fetched while it is read.",
    "persist.health": "A store is checked.",
    "persist.dumps": "An agent is saved in memory.",
    "persist.loads": "An agent is brought back from memory.",
}
"""The spans of the Python side, and what they measure."""

NOTHING = nullcontext()
"""What measures nothing: a span where nobody listens."""

_NOT_RECORDED: Ids = (1 << 64, 1, False)
_VARIABLES = ("PERSIST_", "OTEL_", "RUST_LOG")

_own: ContextVar[_persist.Span | None] = ContextVar("persist_span", default=None)
_settings: tuple[bool, bool] | None = None
_is_heard = False


def span(name: str, **attributes: object) -> AbstractContextManager[None]:
    """Measure a block, where somebody listens.

    Args:
        name: One of `SPANS`.
        **attributes: What is known of it, with `__` for the dots in a name.

    Returns:
        What the block is entered with; an exception marks the span.
    """
    global _is_heard  # noqa: PLW0603 - once for each process
    exports, is_off = _settings or start()
    if is_off:
        return NOTHING
    provider = _application()
    if provider is None and not exports:
        return NOTHING
    _is_heard = True
    if provider is not None:
        return _in_application(provider, name, attributes)
    return _in_own(name, attributes)


def is_heard() -> bool:
    """Say whether anybody has listened so far: who measures a part of a call need not look again.

    Returns:
        Whether it was so when a call began.
    """
    return _is_heard


def part(name: str) -> AbstractContextManager[None]:
    """Measure a block inside of one that `span` measures.

    Args:
        name: One of `SPANS`.

    Returns:
        What the block is entered with.
    """
    return span(name) if _is_heard else NOTHING


def spanned(name: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Measure every call of a function.

    Args:
        name: One of `SPANS`.

    Returns:
        The decorator.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def measured(*args: P.args, **kwargs: P.kwargs) -> T:
            block = span(name)
            if block is NOTHING:
                return function(*args, **kwargs)
            with block:
                return function(*args, **kwargs)

        return measured

    return decorate


def start() -> tuple[bool, bool]:
    """Do what the environment asks of logs and traces, at the first use.

    Returns:
        Whether this process exports spans, and whether there are to be none.
    """
    global _settings  # noqa: PLW0603 - once for each process
    if _settings is not None:
        return _settings
    asked = {name: text for name, text in os.environ.items() if name.startswith(_VARIABLES)}
    _persist.start_telemetry(asked)
    _settings = _persist.tracing_settings()
    return _settings


def _application() -> TracerProvider | None:
    """The provider of the application; None where it has none, or knows no OpenTelemetry."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None or not hasattr(trace, "get_tracer_provider"):
        return None
    provider: TracerProvider = trace.get_tracer_provider()
    is_none = isinstance(provider, (trace.ProxyTracerProvider, trace.NoOpTracerProvider))
    return None if is_none else provider


@contextmanager
def _in_application(
    provider: TracerProvider, name: str, attributes: dict[str, Any]
) -> Iterator[None]:
    from opentelemetry.trace import Status, StatusCode

    _persist.record_spans()
    tracer = provider.get_tracer("persist", __version__)
    # The SDK would record the text of any exception, and that of its causes: those can hold values.
    with tracer.start_as_current_span(
        name,
        attributes=_named(attributes),
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield
        except BaseException as error:
            kind, message = _failure(error)
            current.set_attribute("error.type", kind)
            current.set_status(Status(StatusCode.ERROR, message))
            raise


@contextmanager
def _in_own(name: str, attributes: dict[str, Any]) -> Iterator[None]:
    made = _persist.Span(name, _named(attributes), _ids_above())
    token = _own.set(made)
    try:
        yield
    except BaseException as error:
        made.fail(*_failure(error))
        raise
    finally:
        _own.reset(token)
        made.end()


def _named(attributes: dict[str, Any]) -> dict[str, Any]:
    known = {name.replace("__", "."): value for name, value in attributes.items()}
    return {
        name: value if isinstance(value, (bool, int, float)) else str(value)
        for name, value in known.items()
        if value is not None
    }


def _failure(error: BaseException) -> tuple[str, str]:
    """Kind and text of an error; the text of others than Persist's can hold a part of the state."""
    if isinstance(error, PersistError):
        return error.kind, str(error)
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    return name, name


def _ids_above() -> Ids | None:
    """The span that a new one is below: Persist's, or one that came to the process from afar."""
    made = _own.get()
    if made is not None:
        return made.ids
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    found = trace.get_current_span().get_span_context()
    if not found.is_valid:
        return None
    return int(found.trace_id), int(found.span_id), bool(found.trace_flags.sampled)


def _above() -> Ids | Context | None:
    """What the core's spans are below: the application's context, else the ids of one span."""
    if _application() is None:
        return _ids_above()
    from opentelemetry import context, trace

    is_recorded = trace.get_current_span().is_recording()
    return context.get_current() if is_recorded else _NOT_RECORDED


def _take(
    rows: list[tuple[str, int, int, int, int, str, dict[str, Any], str | None]],
    above_all: Context,
) -> None:
    """Make the core's spans again, in the application's trace."""
    from opentelemetry import trace

    tracer = trace.get_tracer("persist", __version__)
    contexts: dict[int, Context] = {}
    for name, number, above, start, end, kind, attributes, error in rows:
        made = tracer.start_span(
            name,
            context=contexts.get(above, above_all),
            kind=trace.SpanKind[kind],
            attributes=attributes,
            start_time=start,
        )
        if error is not None:
            made.set_status(trace.Status(trace.StatusCode.ERROR, error))
        contexts[number] = trace.set_span_in_context(made, above_all)
        made.end(end)


def _finish() -> None:
    """Send what is left when the interpreter exits."""
    if _settings is not None:
        _persist.finish_telemetry()


# At import: what is registered later, as a save at exit, runs before it.
atexit.register(_finish)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_persist.renew_telemetry)
