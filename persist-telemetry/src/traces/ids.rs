//! Ids of traces and spans.

use opentelemetry::{SpanId, TraceId};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

/// Takes ids from the operating system: a forked child would go on with the numbers of its parent.
#[derive(Debug, Default)]
pub(super) struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        let halves = getrandom::u64().and_then(|high| Ok((high, getrandom::u64()?)));
        halves.map_or_else(
            |_| self.0.new_trace_id(),
            |(high, low)| TraceId::from(u128::from(high) << 64 | u128::from(low)),
        )
    }

    fn new_span_id(&self) -> SpanId {
        getrandom::u64().map_or_else(|_| self.0.new_span_id(), SpanId::from)
    }
}
