//! Where in the state the walk is; written out only when somebody has to be told.

use pyo3::prelude::*;
use pyo3::types::PyString;

/// A step, and the ones above it.
#[derive(Clone, Copy)]
pub(super) struct Path<'a, 'py> {
    above: Option<&'a Path<'a, 'py>>,
    step: Step<'a, 'py>,
}

#[derive(Clone, Copy)]
pub(super) enum Step<'a, 'py> {
    /// As it is: the beginning, or the step of a `Child`.
    Text(&'a Bound<'py, PyString>),
    Index(usize),
    /// The member of a dict whose keys are text.
    Member(&'a Bound<'py, PyAny>),
    /// The item of any other dict.
    Item(&'a Bound<'py, PyAny>),
    /// The key of such an item.
    KeyOf(usize),
    /// A key of the dict.
    Key,
    /// A field of an object.
    Field(&'a Bound<'py, PyString>),
}

impl<'a, 'py> Path<'a, 'py> {
    pub(super) fn root(name: &'a Bound<'py, PyString>) -> Self {
        Self { above: None, step: Step::Text(name) }
    }

    pub(super) fn to<'b>(&'b self, step: Step<'b, 'py>) -> Path<'b, 'py>
    where
        'a: 'b,
    {
        Path { above: Some(self), step }
    }

    /// The path as `persist.codec` writes it.
    pub(super) fn text(&self) -> PyResult<String> {
        let mut made = self.above.map_or_else(|| Ok(String::new()), Path::text)?;
        let step = match self.step {
            Step::Text(text) => text.to_string_lossy().into_owned(),
            Step::Index(index) => format!("[{index}]"),
            Step::KeyOf(index) => format!("[key {index}]"),
            Step::Key => "[key]".to_owned(),
            Step::Field(name) => format!(".{name}"),
            Step::Member(name) if name.call_method0("isidentifier")?.is_truthy()? => {
                format!(".{name}")
            }
            Step::Member(name) => format!("[{}]", name.repr()?),
            Step::Item(name) => {
                let module = name.py().import("persist.codec._encode")?;
                let short: String = module.getattr("_short")?.call1((name,))?.extract()?;
                format!("[{short}]")
            }
        };
        made.push_str(&step);
        Ok(made)
    }
}
