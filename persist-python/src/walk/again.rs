//! Looks at all values again when other code ran during the walk: when each place holds the object
//! that it held, of the same length, and the same number, the same print comes out. Nothing is
//! written, so that this takes a fraction of the walk.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};

use super::{Done, Path, SAFE_INTEGER, Stop, Walk};
use crate::plans::{Field, Plan};
use crate::raw::{self, Items};

impl<'py> Walk<'_, 'py> {
    /// Sees what `value` saw; what JSON does not have is walked over with a text that is mute.
    pub(super) fn see(
        &mut self,
        value: &Bound<'py, PyAny>,
        at: &Path<'_, 'py>,
        depth: u32,
    ) -> Done {
        self.print.saw(raw::address(value) as u64);
        if let Ok(text) = value.cast_exact::<PyString>() {
            self.print.saw(raw::characters(text) as u64);
        } else if let Ok(dict) = value.cast_exact::<PyDict>() {
            self.print.saw(dict.len() as u64);
            return self.shared(value, depth, |walk| walk.see_dict(dict, at, depth));
        } else if let Ok(list) = value.cast_exact::<PyList>() {
            self.print.saw(list.len() as u64);
            return self.shared(value, depth, |walk| walk.see_list(list, at, depth));
        } else if let Ok(number) = value.cast_exact::<PyInt>() {
            self.see_integer(number);
        } else if let Ok(number) = value.cast_exact::<PyFloat>() {
            self.print.saw(number.extract::<f64>()?.to_bits());
        } else if !value.is_none() && !value.is_exact_instance_of::<PyBool>() {
            return self.other(value, at, depth);
        }
        Ok(())
    }

    pub(super) fn see_key(&mut self, key: &Bound<'py, PyString>) {
        self.print.saw(raw::address(key) as u64);
        self.print.saw(raw::characters(key) as u64);
    }

    fn see_integer(&mut self, number: &Bound<'py, PyInt>) {
        if let Ok(value) = number.extract::<i64>()
            && (-SAFE_INTEGER..=SAFE_INTEGER).contains(&value)
        {
            self.print.saw(value.cast_unsigned());
        }
    }

    fn see_dict(&mut self, dict: &Bound<'py, PyDict>, at: &Path<'_, 'py>, depth: u32) -> Done {
        let mut items = Items::new(dict);
        while let Some((name, item)) = items.next()? {
            self.see(&name, at, depth + 1)?;
            self.see(&item, at, depth + 1)?;
        }
        Ok(())
    }

    fn see_list(&mut self, list: &Bound<'py, PyList>, at: &Path<'_, 'py>, depth: u32) -> Done {
        let length = list.len();
        for index in 0..length {
            let item = list.get_item(index).map_err(|_| Stop::Changed)?;
            self.see(&item, at, depth + 1)?;
        }
        if list.len() == length { Ok(()) } else { Err(Stop::Changed) }
    }

    /// A list or dict that a message leaves out, since it is empty.
    pub(super) fn see_empty(&mut self, item: &Bound<'py, PyAny>) {
        self.print.saw(raw::address(item) as u64);
        self.print.saw(0);
    }

    pub(super) fn see_message(
        &mut self,
        plan: &'static Plan,
        message: &Bound<'py, PyAny>,
        at: &Path<'_, 'py>,
        depth: u32,
    ) -> Done {
        let attributes = raw::attributes(message)?;
        let attributes = attributes.cast_exact::<PyDict>().map_err(|_| Stop::Changed)?;
        if !plan.is_plain(message)? || attributes.len() != plan.fields().len() {
            return Err(Stop::Changed);
        }
        let mut items = Items::new(attributes);
        for field in plan.fields() {
            let item = items.next_named(field.name(self.py)).ok_or(Stop::Changed)?.to_owned();
            // What is `None` is left out when the message is written.
            if !item.is_none() {
                self.in_field(field, |walk| walk.see(&item, at, depth + 2))?;
            }
        }
        Ok(())
    }

    /// Sees what a field holds, in whatever order fields come.
    pub(super) fn in_field(&mut self, field: &Field, see: impl FnOnce(&mut Self) -> Done) -> Done {
        let outside = self.print.enter(field.number().into());
        see(self)?;
        self.print.leave(outside);
        Ok(())
    }
}
