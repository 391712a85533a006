//! The command as its users type it: output, errors and exit code, whole.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod reference;
mod run;
mod support;
