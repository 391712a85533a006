//! Spans: recorded here, then exported from here or handed to a host that exports its own.
//!
//! A host with a pipeline of its own gives each call a trace to itself ([`Call`]), takes the spans of
//! that trace when the call ends, and makes them again as its own. All other spans are exported.

mod exporter;
mod ids;
mod jaeger;
mod settings;
mod span;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{LazyLock, OnceLock, PoisonError};
use std::time::Duration;

use opentelemetry::InstrumentationScope;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{
    SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider,
};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider, SpanProcessor,
};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber, callsite};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context as LayerContext, Filter};
use tracing_subscriber::registry::LookupSpan;

pub use opentelemetry::{Context, ContextGuard};
pub use opentelemetry_sdk::trace::SpanData;
pub use span::{Span, Value};

use crate::stderr::is_a_span;
use crate::{Variables, process, resource};
use ids::Ids;
use settings::Settings;

/// A large state has some spans for each of its blocks.
const QUEUE: usize = 16_384;

static SETTINGS: OnceLock<Settings> = OnceLock::new();
static RECORDS: AtomicBool = AtomicBool::new(false);

/// Takes what the variables ask for; returns what is wrong with them.
pub(crate) fn configure(variables: &Variables) -> Vec<String> {
    let (settings, complaints) = Settings::read(variables);
    RECORDS.store(settings.target.is_some(), Ordering::Relaxed);
    let _ = SETTINGS.set(settings);
    complaints
}

/// Whether this process exports spans by itself.
pub fn exports() -> bool {
    SETTINGS.get().is_some_and(|settings| settings.target.is_some())
}

/// Whether the variables forbid spans.
pub fn are_forbidden() -> bool {
    SETTINGS.get().is_some_and(|settings| settings.is_off)
}

/// Records spans from now on, for a host that exports its own.
pub fn record() {
    if !RECORDS.swap(true, Ordering::Relaxed) {
        callsite::rebuild_interest_cache();
    }
}

/// Whether spans are recorded.
pub fn are_recorded() -> bool {
    RECORDS.load(Ordering::Relaxed)
}

/// Exports what waits; returns whether that went well.
pub(crate) fn flush() -> bool {
    match process::current().exporter.get() {
        Some(Some(exporter)) => exporter.force_flush().is_ok(),
        _ => true,
    }
}

/// Exports what is left, and nothing after it.
pub(crate) fn finish(patience: Duration) {
    if let Some(Some(exporter)) = process::current().exporter.get() {
        let _ = exporter.shutdown_with_timeout(patience);
    }
}

/// What this thread's spans are children of, to be attached on another thread that works for it.
pub fn current() -> Context {
    Context::current()
}

/// The ids of a span that another span can be a child of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// The trace.
    pub trace_id: u128,
    /// The span.
    pub span_id: u64,
    /// Whether it is recorded.
    pub is_sampled: bool,
}

impl Parent {
    fn context(self) -> Context {
        let flags = if self.is_sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
        let (trace, span) = (TraceId::from(self.trace_id), SpanId::from(self.span_id));
        let parent = SpanContext::new(trace, span, flags, true, TraceState::default());
        Context::new().with_remote_span_context(parent)
    }

    /// Reads W3C's `traceparent`; `None` when it is none.
    pub fn from_header(text: &str) -> Option<Self> {
        let carrier = HashMap::from([("traceparent".to_owned(), text.to_owned())]);
        let context = TraceContextPropagator::new().extract(&carrier);
        let span = context.span().span_context().clone();
        span.is_valid().then(|| Self {
            trace_id: u128::from_be_bytes(span.trace_id().to_bytes()),
            span_id: u64::from_be_bytes(span.span_id().to_bytes()),
            is_sampled: span.is_sampled(),
        })
    }

    /// Makes the spans of this thread children of it, until the guard is dropped.
    pub fn enter(self) -> ContextGuard {
        self.context().attach()
    }
}

/// A call whose spans the host takes.
#[derive(Debug)]
pub struct Call(TraceId);

impl Call {
    /// Begins a call; its spans are children of [`Call::parent`].
    pub fn begin() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // Samplers by ratio look at the lower half: with zeros there, they take it.
        let id = TraceId::from(u128::from(NEXT.fetch_add(1, Ordering::Relaxed)) << 64);
        let process = process::current();
        let mut calls = process.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.insert(id, Vec::new());
        Self(id)
    }

    /// What the spans of the call are below.
    pub fn parent(&self) -> Parent {
        let trace_id = u128::from_be_bytes(self.0.to_bytes());
        Parent { trace_id, span_id: 1, is_sampled: true }
    }

    /// The spans of the call, parents before their children.
    pub fn end(self) -> Vec<SpanData> {
        let mut spans = self.take();
        // A parent ends after its children: what is equally early is in the opposite order.
        spans.reverse();
        spans.sort_by_key(|span| span.start_time);
        spans
    }

    fn take(&self) -> Vec<SpanData> {
        let process = process::current();
        let mut calls = process.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.remove(&self.0).unwrap_or_default()
    }
}

/// What nobody took is not kept.
impl Drop for Call {
    fn drop(&mut self) {
        self.take();
    }
}

/// What a span failed with.
pub fn error_of(status: &Status) -> Option<String> {
    match status {
        Status::Error { description } => Some(description.to_string()),
        _ => None,
    }
}

fn is_of_a_call(id: TraceId) -> bool {
    id.to_bytes().ends_with(&[0; 8])
}

/// Makes the spans of the host, and of `tracing`.
fn tracer() -> &'static SdkTracer {
    static TRACER: LazyLock<SdkTracer> = LazyLock::new(|| {
        let builder = SdkTracerProvider::builder().with_span_processor(Router);
        let builder = builder.with_id_generator(Ids::default());
        let sampler = SETTINGS.get().and_then(Settings::sampler);
        let builder = match sampler {
            Some(sampler) => builder.with_sampler(sampler),
            None => builder,
        };
        let scope =
            InstrumentationScope::builder("persist").with_version(env!("CARGO_PKG_VERSION"));
        builder.build().tracer_with_scope(scope.build())
    });
    &TRACER
}

/// Brings each span to the call that it belongs to, else to the exporter of this process.
#[derive(Debug)]
struct Router;

impl SpanProcessor for Router {
    fn on_start(&self, _: &mut opentelemetry_sdk::trace::Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        let process = process::current();
        let id = span.span_context.trace_id();
        if is_of_a_call(id) {
            let mut calls = process.calls.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(spans) = calls.get_mut(&id) {
                spans.push(span);
            }
        } else if let Some(exporter) = process.exporter.get_or_init(start_exporter) {
            exporter.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Starts the thread that exports; `None` when nothing is to be exported.
fn start_exporter() -> Option<BatchSpanProcessor> {
    let settings = SETTINGS.get()?;
    let exporter = settings.target.as_ref()?.exporter()?;
    let mut config = BatchConfigBuilder::default().with_max_queue_size(QUEUE);
    if let Some(delay) = settings.delay {
        config = config.with_scheduled_delay(delay);
    }
    let mut processor =
        BatchSpanProcessor::builder(exporter).with_batch_config(config.build()).build();
    processor.set_resource(&resource());
    Some(processor)
}

/// The layer that makes spans of those of `tracing`.
pub(crate) fn layer<S>() -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    tracing_opentelemetry::layer()
        .with_tracer(tracer().clone())
        // The places are those of a macro, on the machine where Persist was built.
        .with_location(false)
        .with_tracked_inactivity(false)
        .with_threads(false)
        .with_level(false)
        .with_target(false)
        .with_filter(Recorded)
}

struct Recorded;

impl<S> Filter<S> for Recorded {
    fn enabled(&self, metadata: &Metadata<'_>, _: &LayerContext<'_, S>) -> bool {
        are_recorded() && is_a_span(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if are_recorded() && is_a_span(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(if are_recorded() { LevelFilter::INFO } else { LevelFilter::OFF })
    }
}
