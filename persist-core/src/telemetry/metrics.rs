//! The metrics: their names, and the places where they are counted.
//!
//! Counting goes through the `metrics` facade, once [`turn_on`] was called: until then it costs one
//! look at a flag. Labels hold words of this crate alone, never an id, a path or a text of a user.

mod series;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
#[cfg(feature = "cloud")]
use std::time::Instant;

#[cfg(feature = "cloud")]
use ::metrics::histogram;
use ::metrics::{counter, gauge};

use self::series::{Series, with_series};
use crate::error::Error;
use crate::metadata::Metadata;

static ON: AtomicBool = AtomicBool::new(false);

/// Begins to count by the recorder of the `metrics` crate that is installed; called again, by the one
/// that is then installed.
pub fn turn_on() {
    series::look_up();
    ON.store(true, Ordering::Relaxed);
}

/// Whether anything is counted.
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// What a metric measures, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number that only grows.
    Counter,
    /// A number that goes up and down.
    Gauge,
    /// Durations, sorted into buckets.
    Seconds,
    /// Sizes, sorted into buckets.
    Bytes,
    /// Ratios, sorted into buckets.
    Ratio,
}

/// A metric, as the table of the documentation and the exporters show it.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name in Prometheus.
    pub name: &'static str,
    /// What it measures.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it says, in one sentence.
    pub help: &'static str,
}

/// What is kept to be used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cache {
    /// The connections to the buckets of a cloud.
    Connections,
}

impl Cache {
    /// Every cache there is.
    pub const ALL: [Self; 1] = [Self::Connections];

    /// Its name as a label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
        }
    }
}

/// Declares each metric once: a constant with its name, and its line in [`ALL`].
macro_rules! metrics {
    ($($constant:ident $name:literal $kind:ident [$($label:literal),*] $help:literal;)*) => {
        $(#[doc = $help] pub const $constant: &str = $name;)*

        /// Every metric there is.
        pub const ALL: &[Metric] = &[$(Metric {
            name: $constant,
            kind: Kind::$kind,
            labels: &[$($label),*],
            help: $help,
        }),*];
    };
}

metrics! {
    STORAGE_REQUESTS "persist_storage_requests_total" Counter ["backend", "operation"]
        "Requests to a store.";
    STORAGE_ERRORS "persist_storage_errors_total" Counter ["backend", "operation", "kind"]
        "Requests to a store that failed; a missing object or a lost race is none.";
    STORAGE_LATENCY "persist_storage_latency_seconds" Seconds ["backend", "operation"]
        "How long requests to a store took.";
    STORAGE_BYTES "persist_storage_bytes_total" Counter ["backend", "operation"]
        "Bytes read from and written to a store.";
    STORAGE_RETRIES "persist_storage_retries_total" Counter ["backend", "operation"]
        "Requests to a store that were sent again.";
    CACHE_HITS "persist_cache_hits_total" Counter ["cache"]
        "Things that were asked for and kept from before, as `connections` to a bucket.";
    CACHE_MISSES "persist_cache_misses_total" Counter ["cache"]
        "Things that were asked for and had to be made.";
    STORAGE_FREE "persist_storage_free_bytes" Gauge ["backend"]
        "Room left on the disk that was written to last.";
    STORAGE_SIZE "persist_storage_size_bytes" Gauge ["backend"]
        "Size of the disk that was written to last.";
    S3_REQUESTS "persist_s3_requests_total" Counter ["operation"]
        "Requests to S3 by HTTP, with those that were sent again.";
    S3_ERRORS "persist_s3_errors_total" Counter ["operation"]
        "Requests to S3 that failed; a missing object or a lost race is none.";
    S3_LATENCY "persist_s3_latency_seconds" Seconds ["operation"]
        "How long requests to S3 took.";
    STATE_SIZE "persist_state_size_bytes" Bytes []
        "Sizes of the states that were saved, before compression.";
    SNAPSHOTS "persist_snapshot_attempts_total" Counter []
        "Snapshots that were begun.";
    SNAPSHOT_FAILURES "persist_snapshot_failures_total" Counter ["kind"]
        "Snapshots that failed.";
    SNAPSHOT_DURATION "persist_snapshot_duration_seconds" Seconds []
        "How long it took to save a state.";
    SNAPSHOT_SIZE "persist_snapshot_size_bytes" Bytes ["algorithm"]
        "Sizes of the states that were saved, after compression.";
    SNAPSHOT_LAST "persist_snapshot_last_success_timestamp_seconds" Gauge []
        "When this process saved a snapshot last, in Unix time.";
    COMPRESSION_RATIO "persist_compression_ratio" Ratio ["algorithm"]
        "Size before compression divided by size after it.";
    RESTORES "persist_restore_attempts_total" Counter []
        "Snapshots that were begun to be read.";
    RESTORE_FAILURES "persist_restore_failures_total" Counter ["kind"]
        "Snapshots that could not be read.";
    RESTORE_DURATION "persist_restore_duration_seconds" Seconds []
        "How long it took to read and check a snapshot.";
    VERIFICATIONS "persist_verify_attempts_total" Counter []
        "Snapshots that were begun to be verified.";
    VERIFY_FAILURES "persist_verify_failures_total" Counter ["kind"]
        "Snapshots that are not valid, or could not be verified.";
}

/// The metrics of a verb.
pub(crate) struct Counted {
    attempts: &'static str,
    failures: &'static str,
    duration: Option<&'static str>,
    series: fn(&Series) -> &series::OfVerb,
}

pub(crate) static SAVE: Counted = Counted {
    attempts: SNAPSHOTS,
    failures: SNAPSHOT_FAILURES,
    duration: Some(SNAPSHOT_DURATION),
    series: |series| &series.save,
};
pub(crate) static LOAD: Counted = Counted {
    attempts: RESTORES,
    failures: RESTORE_FAILURES,
    duration: Some(RESTORE_DURATION),
    series: |series| &series.load,
};
pub(crate) static VERIFY: Counted = Counted {
    attempts: VERIFICATIONS,
    failures: VERIFY_FAILURES,
    duration: None,
    series: |series| &series.verify,
};

impl Counted {
    /// Counts an attempt that failed.
    pub(crate) fn failed(&self, error: &Error) {
        if is_on() {
            counter!(self.attempts).increment(1);
            counter!(self.failures, "kind" => error.kind().code()).increment(1);
        }
    }

    /// Counts an attempt that took this long.
    pub(crate) fn succeeded(&self, elapsed: Duration) {
        with_series(|series| (self.series)(series).succeeded(elapsed));
    }
}

/// Says that a front door refused a snapshot; `kind` is the code of its error.
pub fn refused(kind: String) {
    if is_on() {
        counter!(SNAPSHOTS).increment(1);
        counter!(SNAPSHOT_FAILURES, "kind" => kind).increment(1);
    }
}

/// Says that a state was saved.
pub(crate) fn saved(metadata: &Metadata) {
    with_series(|series| {
        let plain = lossy(metadata.uncompressed_size);
        let packed = lossy(metadata.compressed_size.unwrap_or(metadata.uncompressed_size));
        series.state_size.record(plain);
        series.last.set(metadata.timestamp.as_duration().as_secs_f64());
        if let Some(of) = series.of_algorithm(&metadata.compression_algorithm) {
            of.size.record(packed);
            of.ratio.record(plain / packed.max(1.0));
        }
    });
}

/// Says that a request to a store ended, after this time.
pub(crate) fn requested(
    backend: &'static str,
    operation: &'static str,
    elapsed: Duration,
    failure: Option<&'static str>,
) {
    with_series(|series| {
        if let Some(of) = series.of_requests(backend, operation) {
            of.ended(elapsed);
        }
        if let Some(kind) = failure {
            counter!(STORAGE_ERRORS, "backend" => backend, "operation" => operation, "kind" => kind)
                .increment(1);
        }
    });
}

/// Says that a request to a store was sent again.
#[cfg(feature = "cloud")]
pub(crate) fn retried(backend: &'static str, operation: &'static str) {
    if is_on() {
        counter!(STORAGE_RETRIES, "backend" => backend, "operation" => operation).increment(1);
    }
}

/// A request to S3 by HTTP that goes on; `None` when nothing is counted.
#[cfg(feature = "cloud")]
pub(crate) struct S3Request(Option<(&'static str, Instant)>);

#[cfg(feature = "cloud")]
impl S3Request {
    pub(crate) fn begin(operation: &'static str) -> Self {
        if !is_on() {
            return Self(None);
        }
        counter!(S3_REQUESTS, "operation" => operation).increment(1);
        Self(Some((operation, Instant::now())))
    }

    pub(crate) fn end(self, has_failed: bool) {
        let Some((operation, start)) = self.0 else { return };
        histogram!(S3_LATENCY, "operation" => operation).record(start.elapsed());
        counter!(S3_ERRORS, "operation" => operation).increment(u64::from(has_failed));
    }
}

/// Says whether something was in a cache.
#[cfg(feature = "cloud")]
pub(crate) fn cached(cache: Cache, was_there: bool) {
    if is_on() {
        let metric = if was_there { CACHE_HITS } else { CACHE_MISSES };
        counter!(metric, "cache" => cache.name()).increment(1);
    }
}

/// Says that bytes were read from or written to a store.
pub(crate) fn moved(backend: &'static str, operation: &'static str, bytes: u64) {
    with_series(|series| {
        if let Some(of) = series.of_requests(backend, operation) {
            of.bytes.increment(bytes);
        }
    });
}

/// Whether a disk is to be asked for its room: not each time, since that takes longer than to count.
pub(crate) fn room_is_due() -> bool {
    let mut is_due = false;
    with_series(|series| is_due = series.room_is_due());
    is_due
}

/// Says how much room a disk has.
pub(crate) fn room(backend: &'static str, free: u64, size: u64) {
    gauge!(STORAGE_FREE, "backend" => backend).set(lossy(free));
    gauge!(STORAGE_SIZE, "backend" => backend).set(lossy(size));
}

#[expect(clippy::cast_precision_loss, reason = "metrics are floats")]
fn lossy(value: u64) -> f64 {
    value as f64
}
