//! The series that every snapshot counts in, looked up once: to look one up by its name and labels takes
//! longer than to count.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ::metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use arc_swap::ArcSwapOption;

use super::{
    COMPRESSION_RATIO, Counted, LOAD, SAVE, SNAPSHOT_LAST, SNAPSHOT_SIZE, STATE_SIZE,
    STORAGE_BYTES, STORAGE_ERRORS, STORAGE_LATENCY, STORAGE_REQUESTS, STORAGE_RETRIES, VERIFY,
    is_on,
};
use crate::error::ErrorKind;

const BACKENDS: [&str; 5] = ["local", "memory", "s3", "azure", "gcs"];
const OPERATIONS: [&str; 6] = ["open", "read", "stat", "delete", "list", "write"];
/// A user's own algorithm has any name: as a label it is the last one.
const ALGORITHMS: [&str; 4] = ["gzip", "zstd", "none", "other"];

/// How long what a disk said of its room stands.
const ROOM_STANDS: Duration = Duration::from_secs(1);

static CURRENT: ArcSwapOption<Series> = ArcSwapOption::const_empty();

/// Looks the series up in the recorder that is installed.
pub(super) fn look_up() {
    // Not dropped: in a forked child, that could wait for a thread of the parent.
    std::mem::forget(CURRENT.swap(Some(Series::new().into())));
}

/// Counts in the series, when anything is counted.
pub(super) fn with_series(count: impl FnOnce(&Series)) {
    if is_on()
        && let Some(series) = &*CURRENT.load()
    {
        count(series);
    }
}

/// The series of this process.
pub(super) struct Series {
    pub(super) save: OfVerb,
    pub(super) load: OfVerb,
    pub(super) verify: OfVerb,
    pub(super) state_size: Histogram,
    pub(super) last: Gauge,
    algorithms: [OnceLock<OfAlgorithm>; ALGORITHMS.len()],
    backends: [OfBackend; BACKENDS.len()],
    begun: Instant,
    /// When a disk is to be asked for its room again, in milliseconds since the beginning.
    room_due: AtomicU64,
}

impl Series {
    fn new() -> Self {
        Self {
            save: OfVerb::of(&SAVE),
            load: OfVerb::of(&LOAD),
            verify: OfVerb::of(&VERIFY),
            state_size: histogram!(STATE_SIZE),
            last: gauge!(SNAPSHOT_LAST),
            algorithms: Default::default(),
            backends: Default::default(),
            begun: Instant::now(),
            room_due: AtomicU64::new(0),
        }
    }

    pub(super) fn of_algorithm(&self, name: &str) -> Option<&OfAlgorithm> {
        let place = place(&ALGORITHMS, name).unwrap_or(ALGORITHMS.len() - 1);
        let label = ALGORITHMS.get(place)?;
        Some(self.algorithms.get(place)?.get_or_init(|| OfAlgorithm::new(label)))
    }

    pub(super) fn of_requests(
        &self,
        backend: &'static str,
        operation: &'static str,
    ) -> Option<&OfRequests> {
        let of = self.backends.get(place(&BACKENDS, backend)?)?;
        of.begun.get_or_init(|| begin_at_zero(backend));
        let series = of.operations.get(place(&OPERATIONS, operation)?)?;
        Some(series.get_or_init(|| OfRequests::new(backend, operation)))
    }

    pub(super) fn room_is_due(&self) -> bool {
        let now = milliseconds(self.begun.elapsed());
        let due = self.room_due.load(Ordering::Relaxed);
        let next = now.saturating_add(milliseconds(ROOM_STANDS));
        now >= due
            && self
                .room_due
                .compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

fn place(names: &[&str], name: &str) -> Option<usize> {
    names.iter().position(|known| *known == name)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What a verb counts when it is done.
pub(super) struct OfVerb {
    attempts: Counter,
    duration: Option<Histogram>,
}

impl OfVerb {
    fn of(verb: &Counted) -> Self {
        let duration = verb.duration.map(|name| histogram!(name));
        Self { attempts: counter!(verb.attempts), duration }
    }

    pub(super) fn succeeded(&self, elapsed: Duration) {
        self.attempts.increment(1);
        if let Some(duration) = &self.duration {
            duration.record(elapsed);
        }
    }
}

pub(super) struct OfAlgorithm {
    pub(super) size: Histogram,
    pub(super) ratio: Histogram,
}

impl OfAlgorithm {
    fn new(label: &'static str) -> Self {
        let size = histogram!(SNAPSHOT_SIZE, "algorithm" => label);
        Self { size, ratio: histogram!(COMPRESSION_RATIO, "algorithm" => label) }
    }
}

/// The series of a family of stores: those that are in use are on the page.
#[derive(Default)]
struct OfBackend {
    begun: OnceLock<()>,
    operations: [OnceLock<OfRequests>; OPERATIONS.len()],
}

/// Shows what goes wrong seldom before it does: `rate` does not see the first step of a new series.
fn begin_at_zero(backend: &'static str) {
    for operation in OPERATIONS {
        for kind in ErrorKind::ALL {
            let kind = kind.code();
            counter!(STORAGE_ERRORS, "backend" => backend, "operation" => operation, "kind" => kind)
                .absolute(0);
        }
        // What has no network is asked once.
        if !matches!(backend, "local" | "memory") {
            counter!(STORAGE_RETRIES, "backend" => backend, "operation" => operation).absolute(0);
        }
    }
}

/// What requests of one kind count.
pub(super) struct OfRequests {
    requests: Counter,
    latency: Histogram,
    pub(super) bytes: Counter,
}

impl OfRequests {
    fn new(backend: &'static str, operation: &'static str) -> Self {
        let labels = [("backend", backend), ("operation", operation)];
        let has_bytes = matches!(operation, "read" | "write");
        Self {
            requests: counter!(STORAGE_REQUESTS, &labels),
            latency: histogram!(STORAGE_LATENCY, &labels),
            bytes: if has_bytes { counter!(STORAGE_BYTES, &labels) } else { Counter::noop() },
        }
    }

    pub(super) fn ended(&self, elapsed: Duration) {
        self.requests.increment(1);
        self.latency.record(elapsed);
    }
}
