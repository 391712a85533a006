//! The spans of a trace: their names, and work that is done inside of one.

use tracing::Span;

use crate::error::{Error, Result};
use crate::metadata::Metadata;

/// Where the spans come from, as `tracing` sees it.
pub const TARGET: &str = "persist_core::spans";

/// A span, as the table of the documentation shows it.
#[derive(Debug, Clone, Copy)]
pub struct Name {
    /// Its name in a trace.
    pub name: &'static str,
    /// What it measures, in one sentence.
    pub help: &'static str,
}

/// Declares each span once: a constant with its name, and its line in [`ALL`].
macro_rules! names {
    ($($constant:ident $name:literal $help:literal;)*) => {
        $(#[doc = $help] pub const $constant: &str = $name;)*

        /// Every span of this crate.
        pub const ALL: &[Name] = &[$(Name { name: $constant, help: $help }),*];
    };
}

names! {
    SAVE "persist.save" "A state is checked, packed and stored.";
    LOAD "persist.load" "A snapshot is fetched, checked and read.";
    VERIFY "persist.verify" "All of a snapshot is checked.";
    METADATA "persist.metadata" "What a snapshot says about itself is read.";
    DELETE "persist.delete" "A snapshot is deleted.";
    COPY "persist.copy" "A snapshot is checked, and copied to another place.";
    CHECK "persist.check" "The text of a state is checked before it is written.";
    PARSE "persist.parse" "A state that was fetched at once is read.";
    COMPRESS "persist.compress" "A block is compressed.";
    DECOMPRESS "persist.decompress" "A block is unpacked.";
    HASH "persist.hash" "A block is hashed.";
    OPEN "persist.storage.open" "An object of a store is opened.";
    READ "persist.storage.read" "Bytes of an object are fetched.";
    CREATE "persist.storage.create" "An object is begun.";
    WRITE "persist.storage.write" "Bytes are handed to the store.";
    COMMIT "persist.storage.commit" "An object is finished and becomes visible.";
    STAT "persist.storage.stat" "The store is asked about an object.";
    REMOVE "persist.storage.delete" "The store is asked to delete an object.";
    LIST "persist.storage.list" "The store is asked for its objects.";
    HTTP "persist.storage.http" "A request is sent to a cloud's store, for the first time or again.";
    FSYNC "persist.fsync" "The disk is waited for.";
    RENAME "persist.rename" "The file takes its place.";
}

/// A span that an error can mark; it is nothing unless somebody listens.
macro_rules! span {
    ($name:expr $(, $($fields:tt)*)?) => {
        tracing::info_span!(
            target: $crate::telemetry::spans::TARGET,
            $name,
            otel.status_code = tracing::field::Empty,
            otel.status_description = tracing::field::Empty,
            "error.type" = tracing::field::Empty,
            $($($fields)*)?
        )
    };
}
pub(crate) use span;

/// Does work inside a span, which its error marks.
pub(crate) fn within<T>(span: &Span, work: impl FnOnce() -> Result<T>) -> Result<T> {
    span.in_scope(work).inspect_err(|error| mark(span, error))
}

/// Marks a span as failed.
pub(crate) fn mark(span: &Span, error: &Error) {
    if !span.is_disabled() {
        span.record("otel.status_code", "ERROR");
        span.record("otel.status_description", error.to_string());
        span.record("error.type", error.kind().code());
    }
}

/// Begins the span of a verb; what the snapshot says of itself is told by [`describe`].
macro_rules! verb_span {
    ($name:expr, $key:expr) => {
        $crate::telemetry::spans::span!(
            $name,
            "persist.key" = $key,
            "gen_ai.agent.id" = tracing::field::Empty,
            "gen_ai.conversation.id" = tracing::field::Empty,
            "persist.snapshot.id" = tracing::field::Empty,
            "persist.snapshot.index" = tracing::field::Empty,
            "persist.compression.algorithm" = tracing::field::Empty,
            "persist.state.size" = tracing::field::Empty,
            "persist.compressed.size" = tracing::field::Empty,
        )
    };
}
pub(crate) use verb_span;

/// Tells what a snapshot says of itself.
pub(crate) fn describe(span: &Span, metadata: &Metadata) {
    if span.is_disabled() {
        return;
    }
    span.record("gen_ai.agent.id", metadata.agent_id.as_str());
    span.record("gen_ai.conversation.id", metadata.session_id.as_str());
    span.record("persist.snapshot.id", metadata.snapshot_id.to_string());
    span.record("persist.snapshot.index", whole(metadata.snapshot_index));
    span.record("persist.compression.algorithm", metadata.compression_algorithm.as_str());
    span.record("persist.state.size", whole(metadata.uncompressed_size));
    span.record("persist.compressed.size", metadata.compressed_size.map(whole));
}

/// A number as attributes hold it: one without a sign would be a text.
pub(crate) fn whole<T: TryInto<i64>>(number: T) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// Tells how many bytes a request is about.
pub(crate) fn sized(span: &Span, bytes: usize) {
    span.record("persist.bytes", whole(bytes));
}

/// Begins the span of a request to a store.
macro_rules! request_span {
    ($name:expr, $backend:expr) => {
        $crate::telemetry::spans::span!(
            $name,
            "persist.storage.backend" = $backend,
            "persist.bytes" = tracing::field::Empty,
            otel.kind = if $backend == "local" { "internal" } else { "client" },
        )
    };
}

/// The span of a request that metrics know by this operation.
pub(crate) fn request(backend: &'static str, operation: &str) -> Span {
    match operation {
        "open" => request_span!(OPEN, backend),
        "read" => request_span!(READ, backend),
        "stat" => request_span!(STAT, backend),
        "delete" => request_span!(REMOVE, backend),
        "list" => request_span!(LIST, backend),
        "create" => request_span!(CREATE, backend),
        "write" => request_span!(WRITE, backend),
        _ => request_span!(COMMIT, backend),
    }
}

/// Begins the span of a request by HTTP, below the one of its operation; `again` counts retries.
#[cfg(feature = "cloud")]
pub(crate) fn http(above: &Span, method: &str, host: &str, port: Option<u16>, again: u32) -> Span {
    if above.is_disabled() {
        return Span::none();
    }
    tracing::info_span!(
        target: TARGET,
        parent: above,
        HTTP,
        otel.kind = "client",
        "http.request.method" = method,
        "server.address" = host,
        "server.port" = port.map(i64::from),
        "http.request.resend_count" = (again > 0).then_some(i64::from(again)),
        "http.response.status_code" = tracing::field::Empty,
        "error.type" = tracing::field::Empty,
        otel.status_code = tracing::field::Empty,
    )
}

/// Tells what a request by HTTP was answered; `None` when no answer came.
#[cfg(feature = "cloud")]
pub(crate) fn answered(span: &Span, status: Option<u16>) {
    span.record("http.response.status_code", status.map(i64::from));
    if status.is_none_or(|status| status >= 400) {
        span.record("otel.status_code", "ERROR");
        let kind = status.map_or_else(|| "no_answer".to_owned(), |status| status.to_string());
        span.record("error.type", kind);
    }
}

/// Gives work that another thread will do the span that this thread is in.
pub(crate) fn carried<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let span = Span::current();
    move || span.in_scope(work)
}
