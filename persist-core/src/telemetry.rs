//! What Persist tells an operator: names that dashboards and alerts rely on.

pub mod metrics;
