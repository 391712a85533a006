//! The `persist` command, as the wheel installs it.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the `persist` command with these arguments and returns its exit code.
#[pyfunction]
pub(crate) fn run_cli(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| persist_cli::run_in_terminal(arguments))
}
