//! Values of tags and constructors, where they are data alone.
//!
//! Messages of LangChain are made by a plan; other simple values by `persist.codec`.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use crate::plans::plan_named;

/// How the values are made that are no plain data.
pub(super) struct Plans<'py> {
    simple: Bound<'py, PyAny>,
    kinds: Bound<'py, PyAny>,
    leaves: Bound<'py, PyAny>,
    arrays: Bound<'py, PyAny>,
}

impl<'py> Plans<'py> {
    pub(super) fn load(py: Python<'py>) -> PyResult<Self> {
        let module = py.import("persist.codec._plans")?;
        Ok(Self {
            simple: module.getattr("simple")?,
            kinds: module.getattr("SIMPLE")?,
            leaves: module.getattr("LEAVES")?,
            arrays: module.getattr("ARRAYS")?,
        })
    }

    /// Whether a kind takes its JSON as it is written, and no values in it.
    pub(super) fn is_leaf(&self, kind: &Bound<'py, PyAny>) -> PyResult<bool> {
        let is_text = kind.is_exact_instance_of::<PyString>();
        Ok(is_text && (self.leaves.contains(kind)? || self.arrays.contains(kind)?))
    }

    /// The value of a tag whose kind holds data alone; `None` for any other.
    pub(super) fn simple(&self, node: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = node.py();
        let (Some(kind), Some(value), 2) =
            (node.get_item(intern!(py, "$persist"))?, node.get_item(intern!(py, "v"))?, node.len())
        else {
            return Ok(None);
        };
        if !kind.is_exact_instance_of::<PyString>() || !self.kinds.contains(&kind)? {
            return Ok(None);
        }
        if kind.eq("tuple")?
            && let Ok(items) = value.cast_exact::<PyList>()
        {
            return Ok(Some(items.to_tuple().into_any()));
        }
        if kind.eq("bytes")? && value.is_exact_instance_of::<pyo3::types::PyBytes>() {
            return Ok(Some(value));
        }
        Ok(Some(self.simple.call1((node,))?).filter(|made| !made.is_none()))
    }

    /// The message of a constructor; `None` where its class has to make it.
    pub(super) fn message(node: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = node.py();
        let (Some(lc), Some(kind), Some(identifier), Some(arguments), 4) = (
            node.get_item(intern!(py, "lc"))?,
            node.get_item(intern!(py, "type"))?,
            node.get_item(intern!(py, "id"))?,
            node.get_item(intern!(py, "kwargs"))?,
            node.len(),
        ) else {
            return Ok(None);
        };
        let Ok(arguments) = arguments.cast_exact::<PyDict>() else {
            return Ok(None);
        };
        if !lc.eq(1)? || !kind.eq(intern!(py, "constructor"))? {
            return Ok(None);
        }
        match plan_named(&identifier)? {
            Some(plan) => plan.make(arguments),
            None => Ok(None),
        }
    }
}
