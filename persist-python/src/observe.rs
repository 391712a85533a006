//! What an operator asks: the metrics of this process, and the health of a store.

use jiff::Timestamp;
use persist_core::health::{self as core_health, Freshness};
use persist_core::telemetry::metrics::ALL;
use pyo3::prelude::*;

use crate::error::Failure;
use crate::place::Place;

type Result<T> = std::result::Result<T, Failure>;

/// Begins to count, unless it began before; `refusals` are the kinds of refused snapshots.
#[pyfunction]
pub(crate) fn start_metrics(refusals: Vec<String>) -> Result<()> {
    Ok(persist_telemetry::metrics::start(&refusals)?)
}

/// Forgets, in a forked child, what its parent had counted.
#[pyfunction]
pub(crate) fn forget_metrics() {
    persist_telemetry::metrics::forget();
}

/// Counts a snapshot that was refused before it came to the core.
#[pyfunction]
pub(crate) fn count_refusal(kind: String) {
    persist_core::telemetry::metrics::refused(kind);
}

/// Returns the metrics of this process in Prometheus' text format.
#[pyfunction]
pub(crate) fn render_metrics(py: Python<'_>) -> String {
    py.detach(persist_telemetry::metrics::render)
}

/// Returns name, kind, labels and meaning of each metric.
#[pyfunction]
pub(crate) fn metrics_table() -> Vec<(&'static str, String, Vec<&'static str>, &'static str)> {
    let row = |metric: &persist_core::telemetry::metrics::Metric| {
        (metric.name, format!("{:?}", metric.kind), metric.labels.to_vec(), metric.help)
    };
    ALL.iter().map(row).collect()
}

/// Checks a store and returns what was found as JSON; the age of snapshots only when asked for.
#[pyfunction]
pub(crate) fn health(py: Python<'_>, place: Place, with_agents: bool) -> Result<String> {
    place.open()?.wait(py, |at| {
        let (storage, key) = (&*at.storage, at.key());
        let health = if with_agents {
            core_health::check(storage, key, &Timestamp::now, &mut Freshness::default())
        } else {
            core_health::probe(storage, key, &Timestamp::now)
        };
        Ok(health.to_value().to_string())
    })
}
