//! The Python module `persist._persist`: converts, releases the GIL, calls `persist_core`, wraps.
//!
//! No decisions are made here. The public API is the Python code in `python/persist`.

#![expect(clippy::needless_pass_by_value, reason = "PyO3 hands arguments over by value")]

mod build;
mod command;
mod error;
mod listing;
mod metadata;
mod observe;
mod place;
mod plans;
mod raw;
mod snapshots;
mod telemetry;
mod walk;

use pyo3::prelude::*;

/// The Rust core of Persist.
#[pymodule]
mod _persist {
    #[pymodule_export]
    use crate::command::run_cli;
    #[pymodule_export]
    use crate::error::error_kinds;
    #[pymodule_export]
    use crate::listing::{Listing, list_objects};
    #[pymodule_export]
    use crate::observe::{
        count_refusal, forget_metrics, health, metrics_table, render_metrics, start_metrics,
    };
    #[pymodule_export]
    use crate::place::Cancel;
    #[pymodule_export]
    use crate::snapshots::{
        Saving, begin, copy, decode, delete, encode, exists, load, read_metadata, save, verify,
    };
    #[pymodule_export]
    use crate::telemetry::{
        Span, finish_telemetry, flush_telemetry, pushes_metrics, record_spans, renew_telemetry,
        spans_table, start_telemetry, tracing_settings, variables_table,
    };
    #[pymodule_export]
    use crate::walk::walk;
}
