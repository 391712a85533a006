//! Short texts that come again and again: keys, kinds, names of models.

use std::hash::Hasher;

use pyo3::prelude::*;
use pyo3::types::PyString;
use rustc_hash::FxHasher;

const SLOTS: usize = 1024;

/// The last text of each slot; a text has one slot.
pub(super) struct Names<'py> {
    /// Longer texts are made anew each time.
    longest: usize,
    slots: Vec<Option<(Box<str>, Bound<'py, PyString>)>>,
}

impl<'py> Names<'py> {
    pub(super) fn new(longest: usize) -> Self {
        Self { longest, slots: Vec::new() }
    }

    pub(super) fn get(&mut self, py: Python<'py>, text: &str) -> Bound<'py, PyString> {
        if text.len() > self.longest {
            return PyString::new(py, text);
        }
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, || None);
        }
        let Some(slot) = self.slots.get_mut(slot_of(text)) else {
            return PyString::new(py, text);
        };
        if let Some((seen, name)) = slot
            && **seen == *text
        {
            return name.clone();
        }
        let name = PyString::new(py, text);
        *slot = Some((text.into(), name.clone()));
        name
    }
}

fn slot_of(text: &str) -> usize {
    let mut hasher = FxHasher::default();
    hasher.write(text.as_bytes());
    #[expect(clippy::cast_possible_truncation, reason = "the lowest bits are the slot")]
    let hash = hasher.finish() as usize;
    hash % SLOTS
}
