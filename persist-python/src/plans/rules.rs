//! What a field of a message may hold, so that its class would leave it as it is.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::raw::{self, Items};

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
                Ok(dict) => dict.is_empty() || !dict.contains(intern!(py, "tool_calls"))?,
                Err(_) => false,
            },
            Self::Calls => match value.cast_exact::<PyList>() {
                Ok(calls) => calls.iter().all(|call| is_call(&call)),
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
    if value.is_none() {
        return Some(false);
    }
    if let Ok(text) = value.cast_exact::<PyString>() {
        return Some(raw::characters(text) > 0);
    }
    if let Ok(dict) = value.cast_exact::<PyDict>() {
        return Some(!dict.is_empty());
    }
    if let Ok(list) = value.cast_exact::<PyList>() {
        return Some(!list.is_empty());
    }
    let is_built_in = value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyTuple>()
        || value.is_exact_instance_of::<PyBytes>();
    if is_built_in { value.is_truthy().ok() } else { None }
}

/// Whether this is a call of a tool as its class writes it: name, args, id, type.
fn is_call(call: &Bound<'_, PyAny>) -> bool {
    let py = call.py();
    let Ok(call) = call.cast_exact::<PyDict>() else {
        return false;
    };
    let mut items = Items::new(call);
    let mut next = |name| items.next_named(name);
    call.len() == 4
        && next(intern!(py, "name")).is_some_and(|name| is_text(&name))
        && next(intern!(py, "args")).is_some_and(|args| is_dict(&args))
        && next(intern!(py, "id")).is_some_and(|id| id.is_none() || is_text(&id))
        && next(intern!(py, "type")).is_some_and(|of| raw::is_word(&of, intern!(py, "tool_call")))
}

/// Whether these are the three counts of tokens, in the order of their class, and no details.
fn is_usage(value: &Bound<'_, PyAny>) -> bool {
    let py = value.py();
    let Ok(usage) = value.cast_exact::<PyDict>() else {
        return false;
    };
    let mut items = Items::new(usage);
    let mut is_count = |name| {
        let count = items.next_named(name);
        count.is_some_and(|count| {
            count.is_exact_instance_of::<PyInt>() && count.extract::<i64>().is_ok()
        })
    };
    usage.len() == 3
        && is_count(intern!(py, "input_tokens"))
        && is_count(intern!(py, "output_tokens"))
        && is_count(intern!(py, "total_tokens"))
}
