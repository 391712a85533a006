//! What belongs to one process alone: a forked child begins with its own.
//!
//! A lock that a thread of the parent held at the fork would stay locked, and the thread that exports
//! is not there: so all of it is replaced at once.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

use arc_swap::ArcSwap;
use opentelemetry::TraceId;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanData};

use crate::records::Record;

/// The queues of a process, and the thread that exports.
#[derive(Debug, Default)]
pub(crate) struct Process {
    /// Records of threads that are in no call of the host.
    pub(crate) records: Mutex<Vec<Record>>,
    /// The spans of the calls that go on, by the trace that each call has to itself.
    pub(crate) calls: Mutex<HashMap<TraceId, Vec<SpanData>>>,
    /// Exports spans, from the first one on.
    pub(crate) exporter: OnceLock<Option<BatchSpanProcessor>>,
}

static CURRENT: LazyLock<ArcSwap<Process>> = LazyLock::new(ArcSwap::default);

pub(crate) fn current() -> Arc<Process> {
    CURRENT.load_full()
}

/// Begins anew; what the parent had is never dropped, since that would wait for its threads.
pub(crate) fn renew() {
    std::mem::forget(CURRENT.swap(Arc::default()));
}
