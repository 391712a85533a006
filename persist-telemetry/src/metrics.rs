//! The metrics of this process, as Prometheus reads them.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use persist_core::telemetry::metrics::{ALL, Kind, Metric, turn_on};
use persist_core::{Error, ErrorKind, Result};

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

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Begins to count, unless it began before.
///
/// Fails with `Configuration` when another recorder of the `metrics` crate is installed.
pub fn start() -> Result<()> {
    if HANDLE.get().is_some() {
        return Ok(());
    }
    let recorder = builder().map_err(refused)?.build_recorder();
    let handle = recorder.handle();
    if HANDLE.set(handle).is_ok() {
        metrics::set_global_recorder(recorder).map_err(refused)?;
        ALL.iter().for_each(describe);
        ALL.iter().for_each(begin_at_zero);
        turn_on();
    }
    Ok(())
}

/// The metrics in Prometheus' text format; empty before [`start`].
pub fn render() -> String {
    let Some(handle) = HANDLE.get() else { return String::new() };
    handle.run_upkeep();
    handle.render()
}

fn builder() -> std::result::Result<PrometheusBuilder, BuildError> {
    ALL.iter().try_fold(PrometheusBuilder::new(), |builder, metric| {
        let buckets: &[f64] = match metric.kind {
            Kind::Counter | Kind::Gauge => return Ok(builder),
            Kind::Seconds => &SECONDS,
            Kind::Bytes => &BYTES,
            Kind::Ratio => &RATIOS,
        };
        builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), buckets)
    })
}

fn describe(metric: &Metric) {
    match metric.kind {
        Kind::Counter => metrics::describe_counter!(metric.name, metric.help),
        Kind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
        Kind::Seconds | Kind::Bytes | Kind::Ratio => {
            metrics::describe_histogram!(metric.name, metric.help);
        }
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
        _ => {}
    }
}

fn refused(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    let message = format!("could not start the metrics: {error}");
    Error::new(ErrorKind::Configuration, message).with_source(error)
}
