//! Where the logs, traces and metrics of `persist_core` go, when somebody asks for them.

pub mod metrics;
