//! The metrics, pushed by OTLP: every minute, and when the process ends.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics::{Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{
    Counter as OtelCounter, Gauge as OtelGauge, Histogram as OtelHistogram, Meter, MeterProvider,
};
use opentelemetry_otlp::{MetricExporter, WithHttpConfig, WithTonicConfig};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use persist_core::telemetry::metrics::{ALL, Kind, Metric};
use tokio::runtime::Runtime;
use tracing::warn;

use crate::client::Client;
use crate::metrics::buckets;
use crate::protocol::{self, Protocol};
use crate::variables::{
    METRICS_ENABLED, METRICS_EXPORTER, OTLP_ENDPOINT, OTLP_METRICS_ENDPOINT, OTLP_METRICS_PROTOCOL,
    SDK_DISABLED,
};
use crate::{Variables, resource};

/// What the variables ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    /// To push what is counted for another reason.
    Push,
    /// To count, in order to push.
    Count,
}

static ASKED: OnceLock<Asked> = OnceLock::new();
static PROTOCOL: OnceLock<Protocol> = OnceLock::new();

/// Takes what the variables ask for; returns what is wrong with them.
pub(crate) fn configure(variables: &Variables) -> Option<String> {
    let asked = asked(variables);
    match Protocol::read(variables, OTLP_METRICS_PROTOCOL) {
        Ok(protocol) => {
            let _ = (PROTOCOL.set(protocol), ASKED.set(asked));
            None
        }
        Err(complaint) => {
            let is_asked = asked != Asked::Nothing;
            is_asked.then(|| format!("metrics are not pushed: {complaint}"))
        }
    }
}

fn asked(variables: &Variables) -> Asked {
    if variables.switch(SDK_DISABLED) == Some(true) {
        return Asked::Nothing;
    }
    let endpoints = [OTLP_METRICS_ENDPOINT, OTLP_ENDPOINT];
    let has_endpoint = endpoints.iter().any(|name| variables.get(name).is_some());
    match variables.get(METRICS_EXPORTER) {
        Some("otlp") => Asked::Count,
        None if has_endpoint && variables.switch(METRICS_ENABLED) == Some(true) => Asked::Push,
        _ => Asked::Nothing,
    }
}

/// Whether the variables ask to count in order to push.
pub fn is_asked_alone() -> bool {
    ASKED.get() == Some(&Asked::Count)
}

/// What counts for the push, and what pushes; `None` when none is asked for.
pub(crate) fn recorder() -> Option<(Push, SdkMeterProvider)> {
    if ASKED.get().is_none_or(|asked| *asked == Asked::Nothing) {
        return None;
    }
    let exporter = exporter().inspect_err(|error| warn!("metrics are not pushed: {error}")).ok()?;
    let reader = PeriodicReader::builder(exporter).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).with_resource(resource());
    let provider = provider.build();
    let meter = provider.meter("persist");
    let instruments = ALL.iter().map(|metric| (metric.name, Instrument::new(&meter, metric)));
    Some((Push(instruments.collect()), provider))
}

fn exporter() -> Result<Reporting, Box<dyn std::error::Error>> {
    let (inner, runtime) = if PROTOCOL.get() == Some(&Protocol::Grpc) {
        let runtime = protocol::runtime()?;
        let inside = runtime.enter();
        let builder = MetricExporter::builder().with_tonic().with_tls_config(protocol::tls());
        let exporter = builder.build()?;
        drop(inside);
        (exporter, Some(runtime))
    } else {
        let builder = MetricExporter::builder().with_http().with_http_client(Client::new());
        (builder.build()?, None)
    };
    Ok(Reporting { inner, is_reported: AtomicBool::new(false), _runtime: runtime })
}

/// Brings what is counted to instruments of OpenTelemetry.
pub(crate) struct Push(HashMap<&'static str, Instrument>);

enum Instrument {
    Counter(OtelCounter<u64>),
    Gauge(OtelGauge<f64>),
    Histogram(OtelHistogram<f64>),
}

impl Instrument {
    fn new(meter: &Meter, metric: &Metric) -> Self {
        let (name, help) = (metric.name, metric.help);
        match metric.kind {
            Kind::Counter => Self::Counter(meter.u64_counter(name).with_description(help).build()),
            Kind::Gauge => Self::Gauge(meter.f64_gauge(name).with_description(help).build()),
            Kind::Seconds | Kind::Bytes | Kind::Ratio => {
                let unit = match metric.kind {
                    Kind::Seconds => "s",
                    Kind::Bytes => "By",
                    _ => "1",
                };
                let builder = meter.f64_histogram(name).with_description(help).with_unit(unit);
                Self::Histogram(builder.with_boundaries(buckets(metric.kind).to_vec()).build())
            }
        }
    }
}

impl Push {
    /// A counter that counts here, too.
    pub(crate) fn counter(&self, key: &Key, page: Counter) -> Counter {
        match self.0.get(key.name()) {
            Some(Instrument::Counter(counter)) => Counter::from_arc(Both::new(counter, key, page)),
            _ => page,
        }
    }

    /// A gauge that is set here, too.
    pub(crate) fn gauge(&self, key: &Key, page: Gauge) -> Gauge {
        match self.0.get(key.name()) {
            Some(Instrument::Gauge(gauge)) => Gauge::from_arc(Both::new(gauge, key, page)),
            _ => page,
        }
    }

    /// A histogram that records here, too.
    pub(crate) fn histogram(&self, key: &Key, page: Histogram) -> Histogram {
        match self.0.get(key.name()) {
            Some(Instrument::Histogram(own)) => Histogram::from_arc(Both::new(own, key, page)),
            _ => page,
        }
    }
}

/// An instrument with its labels, and what the page shows of the same.
struct Both<I, P> {
    instrument: I,
    labels: Vec<KeyValue>,
    page: P,
}

impl<I: Clone, P> Both<I, P> {
    fn new(instrument: &I, key: &Key, page: P) -> Arc<Self> {
        let labels = key
            .labels()
            .map(|label| KeyValue::new(label.key().to_owned(), label.value().to_owned()));
        Arc::new(Self { instrument: instrument.clone(), labels: labels.collect(), page })
    }
}

impl CounterFn for Both<OtelCounter<u64>, Counter> {
    fn increment(&self, value: u64) {
        self.page.increment(value);
        self.instrument.add(value, &self.labels);
    }

    /// Called for zeros alone.
    fn absolute(&self, value: u64) {
        self.page.absolute(value);
        self.instrument.add(value, &self.labels);
    }
}

impl GaugeFn for Both<OtelGauge<f64>, Gauge> {
    fn increment(&self, value: f64) {
        self.page.increment(value);
    }

    fn decrement(&self, value: f64) {
        self.page.decrement(value);
    }

    fn set(&self, value: f64) {
        self.page.set(value);
        self.instrument.record(value, &self.labels);
    }
}

impl HistogramFn for Both<OtelHistogram<f64>, Histogram> {
    fn record(&self, value: f64) {
        self.page.record(value);
        self.instrument.record(value, &self.labels);
    }
}

/// An exporter whose first failure is logged; those that follow it are not.
#[derive(Debug)]
struct Reporting {
    inner: MetricExporter,
    is_reported: AtomicBool,
    /// What moves the bytes of gRPC.
    _runtime: Option<Runtime>,
}

impl PushMetricExporter for Reporting {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let result = self.inner.export(metrics).await;
        if let Err(error) = &result
            && !self.is_reported.swap(true, Ordering::Relaxed)
        {
            let reason = error.to_string();
            warn!(reason, "metrics could not be pushed; later failures are not told");
        }
        result
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.inner.temporality()
    }
}
