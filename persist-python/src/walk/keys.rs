//! Keys of dicts: the same few come again and again, quoted once.

use std::rc::Rc;

use pyo3::prelude::*;
use pyo3::types::{PyBytesMethods, PyString};

use super::secrets::is_name_of_one;
use super::text;
use crate::raw;

/// More would cost a small state more than they save a large one.
const SLOTS: usize = 256;
/// Longer keys are quoted anew each time.
const LONGEST: usize = 64;
/// From this length on, a key itself may be a credential.
const SHORTEST_CREDENTIAL: usize = 20;

/// A key as it is written.
pub(crate) struct Key {
    /// With its quotes and its colon.
    pub(super) quoted: Vec<u8>,
    /// What is in it; empty when it is too short to be a credential itself.
    pub(super) long: Vec<u8>,
    /// Whether it is the name of a credential; None when only Python knows.
    pub(super) is_credential: Option<bool>,
}

/// The last key of each slot; a key has one slot.
pub(super) struct Keys<'py> {
    slots: Vec<Option<(Bound<'py, PyString>, Rc<Key>)>>,
}

impl<'py> Keys<'py> {
    pub(super) fn new() -> Self {
        Self { slots: Vec::new() }
    }

    /// The key as it is written.
    ///
    /// # Errors
    /// When it is no Unicode.
    pub(super) fn get(&mut self, name: &Bound<'py, PyString>) -> PyResult<Rc<Key>> {
        let address = raw::address(name);
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, || None);
        }
        let slot = self.slots.get_mut((address >> 4) % SLOTS);
        if let Some(Some((seen, key))) = &slot
            && raw::address(seen) == address
        {
            return Ok(Rc::clone(key));
        }
        let key = Rc::new(Key::new(name)?);
        if let Some(slot) = slot
            && key.quoted.len() <= LONGEST
        {
            *slot = Some((name.clone(), Rc::clone(&key)));
        }
        Ok(key)
    }
}

impl Key {
    pub(crate) fn new(name: &Bound<'_, PyString>) -> PyResult<Self> {
        let utf8 = raw::utf8(name)?;
        let bytes = utf8.as_bytes();
        let mut quoted = Vec::with_capacity(bytes.len() + 3);
        text::quote(&mut quoted, bytes);
        quoted.push(b':');
        let is_long = bytes.len() >= SHORTEST_CREDENTIAL;
        let long = if is_long { bytes.to_vec() } else { Vec::new() };
        let is_credential = bytes.is_ascii().then(|| is_name_of_one(bytes));
        Ok(Self { quoted, long, is_credential })
    }
}
