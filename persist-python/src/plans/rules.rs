//! What a field of a message may hold, so that its class would leave it as it is.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

pub(super) enum Rule {
    Text,
    OptionalText,
    Content,
    Dict,
    /// A dict from which the class would parse no calls.
    NoCalls,
    Calls,
    Empty,
    Usage,
    OneOf(Py<PyList>),
    Anything,
}

impl Rule {
    pub(super) fn of(rule: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(values) = rule.cast::<PyList>() {
            return Ok(Self::OneOf(values.clone().unbind()));
        }
        Ok(match rule.extract::<String>()?.as_str() {
            "text" => Self::Text,
            "optional text" => Self::OptionalText,
            "content" => Self::Content,
            "dict" => Self::Dict,
            "no calls" => Self::NoCalls,
            "calls" => Self::Calls,
            "empty" => Self::Empty,
            "usage" => Self::Usage,
            _ => Self::Anything,
        })
    }

    pub(super) fn accepts(&self, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = value.py();
        Ok(match self {
            Self::Text => is_text(value),
            Self::OptionalText => value.is_none() || is_text(value),
            Self::Content => {
                let is_piece = |item: Bound<'_, _>| is_text(&item) || is_dict(&item);
                is_text(value)
                    || value.cast_exact::<PyList>().is_ok_and(|items| items.iter().all(is_piece))
            }
            Self::Dict => is_dict(value),
            Self::NoCalls => match value.cast_exact::<PyDict>() {
                Ok(dict) => !dict.contains(intern!(py, "tool_calls"))?,
                Err(_) => false,
            },
            Self::Calls => match value.cast_exact::<PyList>() {
                Ok(calls) => calls.iter().all(|call| is_call(&call).unwrap_or(false)),
                Err(_) => false,
            },
            Self::Empty => value.cast_exact::<PyList>().is_ok_and(PyListMethods::is_empty),
            Self::Usage => value.is_none() || is_usage(value),
            Self::OneOf(values) => is_text(value) && values.bind(py).contains(value)?,
            Self::Anything => true,
        })
    }
}

pub(super) fn is_text(value: &Bound<'_, PyAny>) -> bool {
    value.is_exact_instance_of::<PyString>()
}

fn is_dict(value: &Bound<'_, PyAny>) -> bool {
    value.is_exact_instance_of::<PyDict>()
}

/// Whether a value is built in and no empty one of its class; None for a value of another class.
pub(super) fn is_full(value: &Bound<'_, PyAny>) -> Option<bool> {
    let is_built_in = value.is_none()
        || is_text(value)
        || is_dict(value)
        || value.is_exact_instance_of::<PyList>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyTuple>()
        || value.is_exact_instance_of::<PyBytes>();
    if is_built_in { value.is_truthy().ok() } else { None }
}

/// Whether this is a call of a tool as its class writes it: name, args, id, type.
fn is_call(call: &Bound<'_, PyAny>) -> PyResult<bool> {
    let call = call.cast_exact::<PyDict>()?;
    let is_part = |(place, (key, value)): (usize, (Bound<'_, PyAny>, Bound<'_, PyAny>))| {
        Ok(is_text(&key)
            && match place {
                0 => key.eq("name")? && is_text(&value),
                1 => key.eq("args")? && is_dict(&value),
                2 => key.eq("id")? && (value.is_none() || is_text(&value)),
                3 => key.eq("type")? && value.eq("tool_call")?,
                _ => false,
            })
    };
    let parts: PyResult<Vec<bool>> = call.iter().enumerate().map(is_part).collect();
    Ok(call.len() == 4 && parts?.into_iter().all(|is_right| is_right))
}

/// Whether these are the three counts of tokens, in the order of their class, and no details.
fn is_usage(value: &Bound<'_, PyAny>) -> bool {
    let Ok(usage) = value.cast_exact::<PyDict>() else {
        return false;
    };
    let names = ["input_tokens", "output_tokens", "total_tokens"];
    let is_count = |((key, value), name): ((Bound<'_, PyAny>, Bound<'_, PyAny>), &str)| {
        is_text(&key)
            && key.eq(name).unwrap_or(false)
            && value.is_exact_instance_of::<PyInt>()
            && value.extract::<i64>().is_ok()
    };
    usage.len() == names.len() && usage.iter().zip(names).all(is_count)
}
