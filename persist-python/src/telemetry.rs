//! Calls of the core, as operators see them: their records and spans are handed to Python.
//!
//! Python is not called while the core works: a thread of the core would wait for the GIL that its
//! caller holds. What it tells is kept, and handed over when the call ends.

use std::collections::HashMap;
use std::time::Duration;

use persist_telemetry::records::{self, Record};
use persist_telemetry::traces::{self, Call, ContextGuard, Parent, SpanData};
use persist_telemetry::{Unasked, Variables};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList};

use crate::error::Failure;

type Result<T> = std::result::Result<T, Failure>;

/// Installs what the variables ask for, once; returns whether logging takes the records.
#[pyfunction]
pub(crate) fn start_telemetry(variables: HashMap<String, String>) {
    persist_telemetry::start(&variables.into_iter().collect::<Variables>(), Unasked::Host);
}

/// Sends what is left, in a few seconds at most, and hands over the last records.
#[pyfunction]
pub(crate) fn finish_telemetry(py: Python<'_>) -> PyResult<()> {
    py.detach(persist_telemetry::finish);
    hand_over_records(py)
}

/// Sends what waits to be sent; returns whether all of it was, in so many milliseconds.
#[pyfunction]
pub(crate) fn flush_telemetry(py: Python<'_>, patience: u64) -> PyResult<bool> {
    let is_sent = py.detach(|| persist_telemetry::flush(Duration::from_millis(patience)));
    hand_over_records(py)?;
    Ok(is_sent)
}

/// Begins anew in a forked child.
#[pyfunction]
pub(crate) fn renew_telemetry() {
    persist_telemetry::in_child();
}

/// Returns whether this process exports spans, and whether the environment forbids them.
#[pyfunction]
pub(crate) fn tracing_settings() -> (bool, bool) {
    (traces::exports(), traces::are_forbidden())
}

/// Returns whether the environment asks to count in order to push.
#[pyfunction]
pub(crate) fn pushes_metrics() -> bool {
    persist_telemetry::push::is_asked_alone()
}

/// Records spans from now on, for the application's own pipeline.
#[pyfunction]
pub(crate) fn record_spans() {
    traces::record();
}

/// Returns name and meaning of each span of the core.
#[pyfunction]
pub(crate) fn spans_table() -> Vec<(&'static str, &'static str)> {
    let all = persist_core::telemetry::spans::ALL;
    all.iter().map(|span| (span.name, span.help)).collect()
}

/// Returns name, default and meaning of each variable that logs, traces and metrics read.
#[pyfunction]
pub(crate) fn variables_table() -> Vec<(&'static str, &'static str, &'static str)> {
    let all = persist_telemetry::variables::ALL;
    all.iter().map(|variable| (variable.name, variable.default, variable.meaning)).collect()
}

/// Does the work of a binding function, which releases the GIL by itself.
pub(crate) fn observed<T>(py: Python<'_>, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let mut ongoing = Ongoing::default();
    let result = ongoing.observed(py, work);
    ongoing.end(py)?;
    result
}

/// What one or several binding functions do for the same end; its spans are handed over when it ends,
/// or is dropped.
#[derive(Default)]
pub(crate) struct Ongoing(Option<Above>);

/// Whose children the spans are.
enum Above {
    Nothing,
    Own(Parent),
    /// With what Python calls the context.
    Application(Call, Py<PyAny>),
}

impl Ongoing {
    /// Does the work of a binding function, which releases the GIL by itself.
    pub(crate) fn observed<T>(
        &mut self,
        py: Python<'_>,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        records::begin(wanted_level(py)?);
        let entered = if traces::are_recorded() { self.enter(py)? } else { None };
        let result = work();
        drop(entered);
        hand_over_records(py)?;
        result
    }

    fn enter(&mut self, py: Python<'_>) -> PyResult<Option<ContextGuard>> {
        let found = match &mut self.0 {
            Some(found) => found,
            none => none.insert(unless_wrong(py, above(py))?.unwrap_or(Above::Nothing)),
        };
        Ok(match found {
            Above::Nothing => None,
            Above::Own(parent) => Some(parent.enter()),
            Above::Application(call, _) => Some(call.parent().enter()),
        })
    }

    /// Hands the spans over.
    pub(crate) fn end(&mut self, py: Python<'_>) -> PyResult<()> {
        let Some(Above::Application(call, context)) = self.0.take() else { return Ok(()) };
        unless_wrong(py, hand_over_spans(py, call.end(), &context)).map(drop)
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        if self.0.is_none() {
            return;
        }
        let hand_over = |py: Python<'_>| {
            if let Err(error) = self.end(py) {
                error.write_unraisable(py, None);
            }
        };
        // There is no interpreter any more only at its end.
        let _ = Python::try_attach(hand_over);
    }
}

/// What Python answered, or was told; `None` when a logger or tracer of the application went wrong,
/// which is no error of the call. That a signal arrived meanwhile ends the call.
fn unless_wrong<T>(py: Python<'_>, told: PyResult<T>) -> PyResult<Option<T>> {
    match told {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_instance_of::<PyException>(py) => {
            error.write_unraisable(py, None);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Asks for the span that Python is in: its ids, or the context where it is the application's.
fn above(py: Python<'_>) -> PyResult<Above> {
    let found = py.import("persist._tracing")?.getattr("_above")?.call0()?;
    if let Ok((trace_id, span_id, is_sampled)) = found.extract() {
        return Ok(Above::Own(Parent { trace_id, span_id, is_sampled }));
    }
    if found.is_none() {
        return Ok(Above::Nothing);
    }
    Ok(Above::Application(Call::begin(), found.unbind()))
}

fn hand_over_spans(py: Python<'_>, spans: Vec<SpanData>, context: &Py<PyAny>) -> PyResult<()> {
    let rows = spans.into_iter().map(|span| row_of_span(py, span)).collect::<PyResult<Vec<_>>>()?;
    py.import("persist._tracing")?.getattr("_take")?.call1((rows, context))?;
    Ok(())
}

/// Name, id, parent's id, start and end in nanoseconds, kind, attributes, and the error.
type SpanRow<'py> = (String, u64, u64, u128, u128, String, Bound<'py, PyDict>, Option<String>);

fn row_of_span(py: Python<'_>, span: SpanData) -> PyResult<SpanRow<'_>> {
    let attributes = PyDict::new(py);
    for attribute in span.attributes {
        let name = attribute.key.as_str();
        match attribute.value {
            traces::Value::Bool(value) => attributes.set_item(name, value)?,
            traces::Value::I64(value) => attributes.set_item(name, value)?,
            traces::Value::F64(value) => attributes.set_item(name, value)?,
            other => attributes.set_item(name, other.as_str())?,
        }
    }
    let id = u64::from_be_bytes(span.span_context.span_id().to_bytes());
    let parent = u64::from_be_bytes(span.parent_span_id.to_bytes());
    let (start, end) = (nanoseconds(span.start_time), nanoseconds(span.end_time));
    let kind = format!("{:?}", span.span_kind).to_uppercase();
    let error = traces::error_of(&span.status);
    Ok((span.name.into_owned(), id, parent, start, end, kind, attributes, error))
}

fn nanoseconds(time: std::time::SystemTime) -> u128 {
    time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos()
}

/// What Python's `logging` would take of the core, from 2, warnings, to 5, everything.
fn wanted_level(py: Python<'_>) -> PyResult<usize> {
    static WANTED: PyOnceLock<Vec<Py<PyAny>>> = PyOnceLock::new();
    let asked = WANTED.get_or_try_init(py, || {
        let module = py.import("persist._records")?;
        module.getattr("_WANTED")?.extract::<Vec<Py<PyAny>>>()
    })?;
    let mut wanted = 2;
    for (level, taken) in [(20, 3), (10, 4), (5, 5)] {
        let mut is_taken = false;
        for ask in asked {
            let answer = ask.bind(py).call1((level,)).and_then(|answer| answer.is_truthy());
            is_taken |= unless_wrong(py, answer)?.unwrap_or(false);
        }
        if !is_taken {
            break;
        }
        wanted = taken;
    }
    Ok(wanted)
}

pub(crate) fn hand_over_records(py: Python<'_>) -> PyResult<()> {
    let records = records::end();
    if records.is_empty() {
        return Ok(());
    }
    let handed = || -> PyResult<()> {
        let rows = records.into_iter().map(|record| row_of_record(py, record));
        let rows = PyList::new(py, rows.collect::<PyResult<Vec<_>>>()?)?;
        py.import("persist._records")?.getattr("_take")?.call1((rows,))?;
        Ok(())
    };
    unless_wrong(py, handed()).map(drop)
}

/// Level, module, message, fields, time, source file and line.
type RecordRow<'py> = (u32, &'static str, String, Bound<'py, PyDict>, f64, &'static str, u32);

fn row_of_record(py: Python<'_>, record: Record) -> PyResult<RecordRow<'_>> {
    let fields = PyDict::new(py);
    for (name, value) in record.fields {
        match value {
            records::Value::Text(value) => fields.set_item(name, value)?,
            records::Value::Signed(value) => fields.set_item(name, value)?,
            records::Value::Unsigned(value) => fields.set_item(name, value)?,
            records::Value::Float(value) => fields.set_item(name, value)?,
            records::Value::Bool(value) => fields.set_item(name, value)?,
        }
    }
    let time = record.time.as_duration().as_secs_f64();
    let Record { target, message, file, line, .. } = record;
    Ok((record.importance, target, message, fields, time, file, line))
}

/// A span in Persist's own pipeline.
#[pyclass(frozen)]
pub(crate) struct Span(traces::Span);

#[derive(FromPyObject)]
pub(crate) enum Attribute {
    Bool(bool),
    Whole(i64),
    Float(f64),
    Text(String),
}

impl From<Attribute> for traces::Value {
    fn from(attribute: Attribute) -> Self {
        match attribute {
            Attribute::Bool(value) => value.into(),
            Attribute::Whole(value) => value.into(),
            Attribute::Float(value) => value.into(),
            Attribute::Text(value) => value.into(),
        }
    }
}

#[pymethods]
impl Span {
    /// Begins a span below the one with these ids, or a new trace.
    #[new]
    fn new(
        name: String,
        attributes: HashMap<String, Attribute>,
        above: Option<(u128, u64, bool)>,
    ) -> Self {
        let attributes = attributes.into_iter().map(|(name, value)| (name, value.into()));
        let parent =
            above.map(|(trace_id, span_id, is_sampled)| Parent { trace_id, span_id, is_sampled });
        Self(traces::Span::begin(name, attributes, parent))
    }

    /// The ids: trace, span, and whether it is recorded.
    #[getter]
    fn ids(&self) -> (u128, u64, bool) {
        let Parent { trace_id, span_id, is_sampled } = self.0.parent();
        (trace_id, span_id, is_sampled)
    }

    /// Marks it as failed.
    fn fail(&self, kind: String, message: String) {
        self.0.fail(kind, message);
    }

    /// Ends it.
    fn end(&self) {
        self.0.end();
    }
}
