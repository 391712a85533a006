//! Records on stderr: lines of text, or one JSON object each.

use std::io;

use persist_core::telemetry::spans;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
use tracing_subscriber::registry::LookupSpan;

use crate::variables::{LOG_FORMAT, RUST_LOG};
use crate::{Unasked, Variables};

/// What the variables ask for, and what is wrong with them.
pub(crate) fn layer<S>(
    variables: &Variables,
    unasked: Unasked,
) -> (Option<Box<dyn Layer<S> + Send + Sync>>, Vec<String>)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let (filter, format) = (variables.get(RUST_LOG), variables.get(LOG_FORMAT));
    if filter.is_none() && format.is_none() && unasked == Unasked::Host {
        return (None, Vec::new());
    }
    let mut complaints = Vec::new();
    let quiet = Targets::new().with_target(env!("CARGO_CRATE_NAME"), Level::WARN);
    let targets = match filter.or(format.map(|_| "info")) {
        None => quiet,
        Some(text) => text.parse::<Targets>().map_or_else(
            |_| {
                complaints.push(format!("{RUST_LOG} is not understood: write persist_core=info"));
                quiet.with_target("persist_core", Level::INFO)
            },
            with_our_warnings,
        ),
    };
    let filter = targets.and(filter_fn(is_a_record));
    let base = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(false);
    let is_json = match format.map(str::to_ascii_lowercase).as_deref() {
        Some("json") => true,
        None | Some("text") => false,
        Some(_) => {
            complaints.push(format!("{LOG_FORMAT} is neither text nor json: text is written"));
            false
        }
    };
    let layer: Box<dyn Layer<S> + Send + Sync> = if is_json {
        let lines = base.json().flatten_event(true);
        Box::new(lines.with_current_span(false).with_span_list(false).with_filter(filter))
    } else {
        Box::new(base.with_filter(filter))
    };
    (Some(layer), complaints)
}

/// A filter that names other crates alone does not hide that an export fails.
fn with_our_warnings(targets: Targets) -> Targets {
    let ours = env!("CARGO_CRATE_NAME");
    if targets.would_enable(ours, &Level::WARN) {
        targets
    } else {
        targets.with_target(ours, Level::WARN)
    }
}

/// Whether this is a record of Persist: what libraries tell may hold what must not be logged.
pub(crate) fn is_a_record(metadata: &Metadata<'_>) -> bool {
    metadata.is_event() && metadata.target().starts_with("persist_")
}

/// Whether this is a span of Persist.
pub(crate) fn is_a_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target() == spans::TARGET
}
