//! The records: one for each operation that ended, and for what went wrong on the way.
//!
//! A record holds ids, paths, sizes and messages of errors; never a part of a state, nor a secret.

use std::time::Instant;

use tracing::{debug, warn};

use crate::error::Error;

/// Where the records of whole snapshots come from.
pub const SNAPSHOT: &str = "persist_core::snapshot";

/// Where the records of requests to stores come from.
pub const STORAGE: &str = "persist_core::storage";

/// Tells how a request to a store ended; `failure` is false for an answer such as "there is none".
pub(crate) fn requested(
    backend: &str,
    operation: &str,
    start: Instant,
    error: Option<&Error>,
    failure: bool,
) {
    // The clock is read where somebody listens.
    match error {
        None => debug!(
            target: STORAGE,
            backend,
            operation,
            duration_ms = milliseconds(start),
            "Request completed"
        ),
        Some(error) if failure => warn!(
            target: STORAGE,
            backend,
            operation,
            duration_ms = milliseconds(start),
            kind = error.kind().code(),
            error = error.to_string(),
            "Request failed"
        ),
        Some(error) => debug!(
            target: STORAGE,
            backend,
            operation,
            duration_ms = milliseconds(start),
            kind = error.kind().code(),
            "Request completed"
        ),
    }
}

/// Tells that a request to a cloud's store is sent again, and what became of it before.
#[cfg(feature = "cloud")]
pub(crate) fn retried(backend: &str, operation: &str, again: u32, status: Option<u16>) {
    warn!(target: STORAGE, backend, operation, again, status, "Request is sent again");
}

/// Whether a record of requests would go anywhere.
pub(crate) fn tells_requests() -> bool {
    tracing::enabled!(target: STORAGE, tracing::Level::WARN)
}

/// The time since `start`, to the microsecond.
pub(super) fn milliseconds(start: Instant) -> f64 {
    (start.elapsed().as_secs_f64() * 1e6).round() / 1e3
}
