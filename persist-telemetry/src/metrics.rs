//! The metrics of this process: for Prometheus to read, and to be pushed.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Recorder, SharedString, Unit};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use persist_core::telemetry::metrics::{ALL, Cache, Kind, Metric, SNAPSHOT_FAILURES, turn_on};
use persist_core::{Error, ErrorKind, Result};

use crate::page::Page;
use crate::push::{self, Push};

/// From a tenth of a millisecond, as for a small local file, to what the deadlines allow.
const SECONDS: [f64; 16] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
    15.0, 60.0,
];
/// From 1 KiB to 4 GiB, the largest state that is read, by fours.
const BYTES: [f64; 12] = [
    1024.0,
    4096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
    268_435_456.0,
    1_073_741_824.0,
    4_294_967_296.0,
];
const RATIOS: [f64; 10] = [0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0];

/// What this process has counted.
struct Counts {
    page: Page,
    /// What is counted to be pushed as well, and what pushes it, when the environment asks for it.
    push: Option<(Push, SdkMeterProvider)>,
}

static COUNTS: ArcSwapOption<Counts> = ArcSwapOption::const_empty();
static INSTALLED: OnceLock<()> = OnceLock::new();

/// Begins to count, unless it began before. `refusals` are the kinds of error that front doors have of
/// their own, for snapshots that they refuse.
///
/// Fails with `Configuration` when another recorder of the `metrics` crate is installed.
pub fn start(refusals: &[String]) -> Result<()> {
    if COUNTS.load().is_none() {
        COUNTS.store(Some(Arc::new(Counts { page: Page::default(), push: push::recorder() })));
        if INSTALLED.set(()).is_ok() {
            metrics::set_global_recorder(Switch).map_err(refused)?;
        }
        ALL.iter().for_each(begin_at_zero);
        for kind in refusals {
            metrics::counter!(SNAPSHOT_FAILURES, "kind" => kind.clone()).absolute(0);
        }
        turn_on();
    }
    Ok(())
}

/// Forgets what the parent of a forked process had counted; nothing is counted before [`start`].
pub fn forget() {
    // Not dropped: that would wait for a thread of the parent.
    std::mem::forget(COUNTS.swap(None));
}

/// Pushes what was counted; returns whether that went well.
pub(crate) fn flush() -> bool {
    match COUNTS.load_full().as_deref() {
        Some(Counts { push: Some((_, pushes)), .. }) => pushes.force_flush().is_ok(),
        _ => true,
    }
}

/// Pushes what is left, and nothing after it.
pub(crate) fn finish(patience: Duration) {
    if let Some(Counts { push: Some((_, pushes)), .. }) = COUNTS.load_full().as_deref() {
        let _ = pushes.shutdown_with_timeout(patience);
    }
}

/// The metrics in Prometheus' text format; empty before [`start`].
pub fn render() -> String {
    COUNTS.load_full().map(|counts| counts.page.render()).unwrap_or_default()
}

impl Counts {
    fn push(&self) -> Option<&Push> {
        self.push.as_ref().map(|(push, _)| push)
    }

    fn counter(&self, key: &Key) -> Counter {
        let counter = self.page.counter(key);
        self.push().map_or(counter.clone(), |push| push.counter(key, counter))
    }

    fn gauge(&self, key: &Key) -> Gauge {
        let gauge = self.page.gauge(key);
        self.push().map_or(gauge.clone(), |push| push.gauge(key, gauge))
    }

    fn histogram(&self, key: &Key) -> Histogram {
        let histogram = self.page.histogram(key);
        self.push().map_or(histogram.clone(), |push| push.histogram(key, histogram))
    }
}

/// Passes on to the counts of this process. A forked child begins its own: other threads of its parent
/// may have held the locks of those that it inherits.
struct Switch;

/// What a metric says is known from the core's table.
impl Recorder for Switch {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &metrics::Metadata<'_>) -> Counter {
        COUNTS.load().as_ref().map_or_else(Counter::noop, |to| to.counter(key))
    }

    fn register_gauge(&self, key: &Key, _: &metrics::Metadata<'_>) -> Gauge {
        COUNTS.load().as_ref().map_or_else(Gauge::noop, |to| to.gauge(key))
    }

    fn register_histogram(&self, key: &Key, _: &metrics::Metadata<'_>) -> Histogram {
        COUNTS.load().as_ref().map_or_else(Histogram::noop, |to| to.histogram(key))
    }
}

/// The upper ends of a histogram's buckets; none for what is no histogram.
pub(crate) fn buckets(kind: Kind) -> &'static [f64] {
    match kind {
        Kind::Counter | Kind::Gauge => &[],
        Kind::Seconds => &SECONDS,
        Kind::Bytes => &BYTES,
        Kind::Ratio => &RATIOS,
    }
}

/// A counter that is there from the start shows its first step, which `rate` would miss.
fn begin_at_zero(metric: &Metric) {
    match (metric.kind, metric.labels) {
        (Kind::Counter, []) => metrics::counter!(metric.name).absolute(0),
        (Kind::Counter, ["kind"]) => {
            for kind in ErrorKind::ALL {
                metrics::counter!(metric.name, "kind" => kind.code()).absolute(0);
            }
        }
        (Kind::Counter, ["cache"]) => {
            for cache in Cache::ALL {
                metrics::counter!(metric.name, "cache" => cache.name()).absolute(0);
            }
        }
        _ => {}
    }
}

fn refused(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    let message = format!("could not start the metrics: {error}");
    Error::new(ErrorKind::Configuration, message).with_source(error)
}
