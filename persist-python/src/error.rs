//! The one place where errors of the core become exceptions of Python.

use persist_core::{Error, ErrorKind};
use pyo3::prelude::*;

/// An error on its way to Python.
pub(crate) enum Failure {
    Core(Error),
    Python(PyErr),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Core(error) => {
                Python::attach(|py| exception(py, &error).unwrap_or_else(|failed| failed))
            }
            Failure::Python(error) => error,
        }
    }
}

/// Asks `persist.exceptions` for the exception that has this error's code.
fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let make = py.import("persist.exceptions")?.getattr("_from_code")?;
    let failed = error.failed().map(|failed| {
        (&failed.store, failed.key.as_ref(), failed.operation, failed.request_id.as_ref())
    });
    let arguments = (code(error), error.to_string(), error.hint(), error.is_retryable(), failed);
    Ok(PyErr::from_value(make.call1(arguments)?))
}

/// The kind's code; for a cloud's store that failed, with the name of the cloud.
fn code(error: &Error) -> String {
    use ErrorKind::{AccessDenied, Conflict, NotFound, Storage, Timeout};
    let kind = error.kind();
    match (error.backend(), kind) {
        (Some(cloud), Storage) => cloud.code().to_owned(),
        (Some(cloud), NotFound | AccessDenied | Conflict | Timeout) => {
            format!("{}_{}", cloud.code(), kind.code())
        }
        _ => kind.code().to_owned(),
    }
}

/// Returns the codes of every kind of error that the core knows.
#[pyfunction]
pub(crate) fn error_kinds() -> Vec<&'static str> {
    ErrorKind::ALL.iter().map(|kind| kind.code()).collect()
}
