//! Long bytes, decoded as their base64 arrives, into the one buffer that they stay in.

use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Decodes into an `io.BytesIO`, which hands its buffer over without a copy.
pub(super) struct Base64<'py> {
    buffer: Bound<'py, PyAny>,
    /// Up to three characters that wait for the fourth.
    left: String,
    is_padded: bool,
}

impl<'py> Base64<'py> {
    pub(super) fn new(py: Python<'py>) -> PyResult<Self> {
        let buffer = py.import("io")?.call_method0("BytesIO")?;
        Ok(Self { buffer, left: String::new(), is_padded: false })
    }

    pub(super) fn write(&mut self, text: &str) -> PyResult<()> {
        self.left.push_str(text);
        if !self.left.is_ascii() {
            return Err(self.refuse());
        }
        let rest = self.left.split_off(self.left.len() - self.left.len() % 4);
        let whole = std::mem::replace(&mut self.left, rest);
        if whole.is_empty() {
            return Ok(());
        }
        if self.is_padded {
            return Err(self.refuse());
        }
        self.is_padded = whole.ends_with('=');
        let bytes = STANDARD.decode(whole).map_err(|_| self.refuse())?;
        self.buffer.call_method1("write", (PyBytes::new(self.buffer.py(), &bytes),))?;
        Ok(())
    }

    pub(super) fn finish(self) -> PyResult<Bound<'py, PyAny>> {
        if !self.left.is_empty() {
            return Err(self.refuse());
        }
        self.buffer.call_method0("getvalue")
    }

    fn refuse(&self) -> PyErr {
        let make = || {
            let module = self.buffer.py().import("persist.exceptions")?;
            module.getattr("FormatError")?.call1(("a value of bytes is not base64",))
        };
        make().map_or_else(|failed| failed, PyErr::from_value)
    }
}
