//! Metadata as Python holds it.

use persist_core::{Field, Metadata, Version};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList, PyString};
use serde_json::{Map, Number, Value};

/// The dict of the metadata, and the tag of the object.
pub(crate) type Described<'py> = (Bound<'py, PyAny>, Option<String>);

/// Makes the dict of the metadata.
pub(crate) fn members<'py>(py: Python<'py>, metadata: &Metadata) -> PyResult<Bound<'py, PyAny>> {
    let members = PyDict::new(py);
    let mut made = Ok(());
    metadata.visit(|name, field| {
        if made.is_ok() {
            made = field_of(py, field).and_then(|value| members.set_item(name, value));
        }
    });
    made.map(|()| members.into_any())
}

fn field_of<'py>(py: Python<'py>, field: Field<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match field {
        Field::Number(number) => number.into_pyobject(py)?.into_any(),
        Field::Text(text) => PyString::new(py, text).into_any(),
        Field::Texts(texts) => dict(py, texts)?.into_any(),
        Field::Unknown(value) => self::value(py, value)?,
        _ => py.None().into_bound(py),
    })
}

/// Makes what a verb returns of a snapshot at its place.
pub(crate) fn described<'py>(py: Python<'py>, version: &Version) -> PyResult<Described<'py>> {
    let tag = version.e_tag.as_ref().map(|tag| tag.as_str().to_owned());
    Ok((members(py, &version.metadata)?, tag))
}

fn dict<'py>(py: Python<'py>, members: &Map<String, Value>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, member) in members {
        dict.set_item(name, value(py, member)?)?;
    }
    Ok(dict)
}

fn value<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(is_true) => PyBool::new(py, *is_true).to_owned().into_any(),
        Value::Number(number) => self::number(py, number)?,
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Array(items) => {
            let items = items.iter().map(|item| self::value(py, item));
            PyList::new(py, items.collect::<PyResult<Vec<_>>>()?)?.into_any()
        }
        Value::Object(members) => dict(py, members)?.into_any(),
    })
}

/// A field that this release does not know may hold any number.
fn number<'py>(py: Python<'py>, number: &Number) -> PyResult<Bound<'py, PyAny>> {
    if let Some(whole) = number.as_u64() {
        return Ok(whole.into_pyobject(py)?.into_any());
    }
    let loads = py.import(intern!(py, "json"))?.getattr(intern!(py, "loads"))?;
    loads.call1((number.to_string(),))
}
