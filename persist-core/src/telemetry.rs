//! What Persist tells an operator: names that logs, traces, dashboards and alerts rely on.
//!
//! Nothing goes anywhere from here: a front door installs a `tracing` subscriber and a recorder of
//! `metrics`. Without them, each place costs one look at a flag.

pub mod logs;
pub mod metrics;
pub mod spans;
mod verb;

pub(crate) use verb::{Operation, Verb};
