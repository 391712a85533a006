//! The page that Prometheus reads.
//!
//! To count changes one number: nothing is kept that would grow until somebody reads the page.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use metrics::atomics::AtomicU64;
use metrics::{Counter, Gauge, Histogram, HistogramFn, Key};
use persist_core::telemetry::metrics::{ALL, Kind, Metric};

use crate::metrics::buckets;

/// Every series, by the place of its metric in [`ALL`] and by its labels as they are written.
///
/// The lock is for new series and for the page; what counts holds its series.
#[derive(Debug, Default)]
pub(crate) struct Page(Mutex<BTreeMap<(usize, String), Series>>);

#[derive(Debug, Clone)]
enum Series {
    Counter(Arc<AtomicU64>),
    Gauge(Arc<AtomicU64>),
    Histogram(Arc<Buckets>),
}

impl Series {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Counter => Self::Counter(Arc::default()),
            Kind::Gauge => Self::Gauge(Arc::default()),
            Kind::Seconds | Kind::Bytes | Kind::Ratio => Self::Histogram(Buckets::new(kind).into()),
        }
    }

    fn write(&self, page: &mut String, name: &str, labels: &str) {
        match self {
            Self::Counter(value) => sample(page, name, labels, value.load(Ordering::Relaxed)),
            Self::Gauge(value) => {
                sample(page, name, labels, f64::from_bits(value.load(Ordering::Relaxed)));
            }
            Self::Histogram(buckets) => buckets.write(page, name, labels),
        }
    }
}

impl Page {
    pub(crate) fn counter(&self, key: &Key) -> Counter {
        match self.series(key) {
            Some(Series::Counter(value)) => Counter::from_arc(value),
            _ => Counter::noop(),
        }
    }

    pub(crate) fn gauge(&self, key: &Key) -> Gauge {
        match self.series(key) {
            Some(Series::Gauge(value)) => Gauge::from_arc(value),
            _ => Gauge::noop(),
        }
    }

    pub(crate) fn histogram(&self, key: &Key) -> Histogram {
        match self.series(key) {
            Some(Series::Histogram(buckets)) => Histogram::from_arc(buckets),
            _ => Histogram::noop(),
        }
    }

    /// The series of these labels; `None` for a metric that is not Persist's.
    fn series(&self, key: &Key) -> Option<Series> {
        let place = ALL.iter().position(|metric| metric.name == key.name())?;
        let kind = ALL.get(place)?.kind;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some(all.entry((place, labels(key))).or_insert_with(|| Series::new(kind)).clone())
    }

    pub(crate) fn render(&self) -> String {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut page, mut before) = (String::new(), None);
        for ((place, labels), series) in &*all {
            let Some(metric) = ALL.get(*place) else { continue };
            if before.replace(place) != Some(place) {
                begin(&mut page, metric);
            }
            series.write(&mut page, metric.name, labels);
        }
        page
    }
}

/// The labels of a series as they are written, without braces.
fn labels(key: &Key) -> String {
    let escaped = |text: &str| text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
    let pairs = key.labels().map(|label| format!("{}=\"{}\"", label.key(), escaped(label.value())));
    pairs.collect::<Vec<_>>().join(",")
}

fn begin(page: &mut String, Metric { name, kind, help, .. }: &Metric) {
    let kind = match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Seconds | Kind::Bytes | Kind::Ratio => "histogram",
    };
    let _ = write!(page, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

fn sample(page: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let _ = match labels {
        "" => writeln!(page, "{name} {value}"),
        labels => writeln!(page, "{name}{{{labels}}} {value}"),
    };
}

/// A histogram: how many values fell between two bounds, and their sum.
#[derive(Debug)]
struct Buckets {
    bounds: &'static [f64],
    /// One for each bound, and one for what is larger.
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
}

impl Buckets {
    fn new(kind: Kind) -> Self {
        let bounds = buckets(kind);
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    fn write(&self, page: &mut String, name: &str, labels: &str) {
        let between = if labels.is_empty() { "" } else { "," };
        let ends = self.bounds.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
        let mut count = 0_u64;
        for (end, inside) in ends.zip(&self.counts) {
            count = count.saturating_add(inside.load(Ordering::Relaxed));
            let _ = writeln!(page, "{name}_bucket{{{labels}{between}le=\"{end}\"}} {count}");
        }
        let sum = f64::from_bits(self.sum.load(Ordering::Relaxed));
        sample(page, &format!("{name}_sum"), labels, sum);
        sample(page, &format!("{name}_count"), labels, count);
    }
}

impl HistogramFn for Buckets {
    fn record(&self, value: f64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        if let Some(inside) = self.counts.get(place) {
            inside.fetch_add(1, Ordering::Relaxed);
        }
        let add = |sum: u64| Some((f64::from_bits(sum) + value).to_bits());
        let _ = self.sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }
}
