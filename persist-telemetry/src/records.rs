//! Records for a host language, which takes them when a call ends.
//!
//! A record is kept until then: whoever emits it may hold a lock that the host's code waits for.

use std::cell::RefCell;
use std::fmt;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use jiff::Timestamp;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber, callsite};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

use crate::process;
use crate::stderr::is_a_record;

/// Records that nobody takes are dropped beyond this many.
const MOST: usize = 10_000;

/// A record that waits for the host.
#[derive(Debug, Clone)]
pub struct Record {
    /// How important it is, as Python counts: 10 for debugging to 40 for errors.
    pub importance: u32,
    /// The module that it comes from, as `persist_core::snapshot`.
    pub target: &'static str,
    /// What happened.
    pub message: String,
    /// What else is known, by name.
    pub fields: Vec<(&'static str, Value)>,
    /// When it happened.
    pub time: Timestamp,
    /// The source file.
    pub file: &'static str,
    /// The line in it.
    pub line: u32,
}

/// A value in a record.
#[derive(Debug, Clone)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Signed(i64),
    /// A whole number that is not negative.
    Unsigned(u64),
    /// A number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
}

/// The levels from the least to the most, as an index.
const LEVELS: [LevelFilter; 6] = [
    LevelFilter::OFF,
    LevelFilter::ERROR,
    LevelFilter::WARN,
    LevelFilter::INFO,
    LevelFilter::DEBUG,
    LevelFilter::TRACE,
];

static LEVEL: AtomicUsize = AtomicUsize::new(2);

/// Whether a thread outside of calls has left a record.
static LEFT: AtomicBool = AtomicBool::new(false);

thread_local! {
    static OF_CALL: RefCell<Option<Vec<Record>>> = const { RefCell::new(None) };
}

/// Begins to keep the records of this thread; those up to this level are wanted.
///
/// `level` counts from 0, nothing, over 2, warnings, to 5, everything.
pub fn begin(level: usize) {
    if LEVEL.swap(level, Ordering::Relaxed) != level {
        callsite::rebuild_interest_cache();
    }
    OF_CALL.set(Some(Vec::new()));
}

/// Returns the records since [`begin`], and those of threads that are in no call.
pub fn end() -> Vec<Record> {
    let mut records = OF_CALL.take().unwrap_or_default();
    if LEFT.swap(false, Ordering::Acquire) {
        let process = process::current();
        let mut left = process.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.append(&mut left);
    }
    records
}

fn wanted() -> LevelFilter {
    LEVELS.get(LEVEL.load(Ordering::Relaxed)).copied().unwrap_or(LevelFilter::TRACE)
}

/// The layer that keeps the records.
pub(crate) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> + Send + Sync {
    Keep.with_filter(Wanted)
}

struct Wanted;

impl<S> Filter<S> for Wanted {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        is_a_record(metadata) && *metadata.level() <= wanted()
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_a_record(metadata) && *metadata.level() <= wanted() {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(wanted())
    }
}

struct Keep;

impl<S: Subscriber> Layer<S> for Keep {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut record = Record {
            importance: importance(*metadata.level()),
            target: metadata.target(),
            message: String::new(),
            fields: Vec::new(),
            time: Timestamp::now(),
            file: metadata.file().unwrap_or_default(),
            line: metadata.line().unwrap_or_default(),
        };
        event.record(&mut record);
        let kept = OF_CALL.with_borrow_mut(|records| match records {
            Some(records) => {
                records.push(record);
                None
            }
            None => Some(record),
        });
        if let Some(record) = kept {
            leave(record);
        }
    }
}

fn importance(level: Level) -> u32 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        Level::DEBUG => 10,
        Level::TRACE => 5,
    }
}

fn leave(record: Record) {
    let process = process::current();
    let mut left = process.records.lock().unwrap_or_else(PoisonError::into_inner);
    if left.len() < MOST {
        left.push(record);
        LEFT.store(true, Ordering::Release);
    }
}

impl Visit for Record {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.fields.push((field.name(), Value::Float(value)));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.fields.push((field.name(), Value::Signed(value)));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.fields.push((field.name(), Value::Unsigned(value)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.fields.push((field.name(), Value::Bool(value)));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.push((field.name(), Value::Text(value.to_owned())));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            name => self.fields.push((name, Value::Text(format!("{value:?}")))),
        }
    }
}
