//! What was met before: the same object again is a reference to the place where it stands.

use pyo3::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::raw;

/// What a value is that may be shared.
pub(super) enum Meeting {
    /// Nothing but the value.
    New,
    /// The first of several places of the value, which gets this label.
    Labelled(u32),
    /// A value that stands elsewhere already, under this label.
    Again(u32),
}

/// What a walk met. The first walk over a value finds what is shared; when something is, a second
/// one knows it from the beginning.
pub(super) struct Met<'py> {
    /// By address: the values that more than one place holds, kept alive, and their labels.
    values: FxHashMap<usize, (Bound<'py, PyAny>, Option<u32>)>,
    labels: u32,
    is_first: bool,
    /// By address, in the order of their places: what the second walk met.
    defined: FxHashSet<usize>,
    /// The addresses that were added, while a place may be gone back to.
    added: Vec<usize>,
}

impl<'py> Met<'py> {
    pub(super) fn new() -> Self {
        Self {
            values: FxHashMap::default(),
            labels: 0,
            is_first: true,
            defined: FxHashSet::default(),
            added: Vec::new(),
        }
    }

    /// How many values are shared, as far as is known.
    pub(super) fn labels(&self) -> u32 {
        self.labels
    }

    /// Whether all that is shared is known from the beginning.
    pub(super) fn knows_all(&self) -> bool {
        !self.is_first
    }

    pub(super) fn walk_again(&mut self) {
        self.is_first = false;
        self.values.retain(|_, (_, label)| label.is_some());
        self.defined.clear();
        self.added.clear();
    }

    pub(super) fn meet(&mut self, value: &Bound<'py, PyAny>) -> Meeting {
        if raw::is_held_once(value) {
            return Meeting::New;
        }
        let address = raw::address(value);
        if self.is_first { self.find(address, value) } else { self.recall(address) }
    }

    fn find(&mut self, address: usize, value: &Bound<'py, PyAny>) -> Meeting {
        let Some((_, label)) = self.values.get_mut(&address) else {
            self.values.insert(address, (value.clone(), None));
            self.added.push(address);
            return Meeting::New;
        };
        let label = *label.get_or_insert_with(|| {
            self.labels += 1;
            self.labels
        });
        Meeting::Again(label)
    }

    fn recall(&mut self, address: usize) -> Meeting {
        let Some((_, Some(label))) = self.values.get(&address) else {
            return Meeting::New;
        };
        if !self.defined.insert(address) {
            return Meeting::Again(*label);
        }
        self.added.push(address);
        Meeting::Labelled(*label)
    }

    pub(super) fn place(&self) -> usize {
        self.added.len()
    }

    /// Forgets what was met since.
    pub(super) fn go_back(&mut self, place: usize) {
        for address in self.added.drain(place..) {
            if self.is_first {
                self.values.remove(&address);
            } else {
                self.defined.remove(&address);
            }
        }
    }
}
