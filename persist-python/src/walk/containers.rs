//! Dicts, lists and tuples.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::keys::Key;
use super::secrets::Policy;
use super::shared::Meeting;
use super::{DEEPEST, Done, Path, Step, Stop, Walk};
use crate::raw::{self, Items};

impl<'py> Walk<'_, 'py> {
    /// Writes a value that may be shared: itself, with a label, or a reference to it.
    pub(super) fn shared(
        &mut self,
        value: &Bound<'py, PyAny>,
        depth: u32,
        write: impl FnOnce(&mut Self) -> Done,
    ) -> Done {
        if depth >= DEEPEST {
            return Err(Stop::Leave);
        }
        match self.meet(value) {
            Meeting::New => write(self),
            Meeting::Again(label) => {
                self.refer(label);
                Ok(())
            }
            Meeting::Labelled(label) => self.labelled(label, write),
        }
    }

    pub(super) fn meet(&mut self, value: &Bound<'py, PyAny>) -> Meeting {
        let meeting = self.met.meet(value);
        if matches!(meeting, Meeting::Again(_)) && !self.met.knows_all() {
            // Its first place is written already, without a label.
            self.text.mute();
        }
        meeting
    }

    pub(super) fn refer(&mut self, label: u32) {
        self.labels_written += 1;
        self.text.begin_tag("ref");
        self.text.integer(label.into());
        self.text.end_object();
    }

    pub(super) fn labelled(&mut self, label: u32, write: impl FnOnce(&mut Self) -> Done) -> Done {
        self.labels_written += 1;
        self.text.begin_label(label);
        write(self)?;
        self.text.end_object();
        Ok(())
    }

    pub(super) fn list(
        &mut self,
        list: &Bound<'py, PyList>,
        at: &Path<'_, 'py>,
        depth: u32,
    ) -> Done {
        let length = list.len();
        self.text.begin_array();
        for index in 0..length {
            let item = list.get_item(index).map_err(|_| Stop::Changed)?;
            self.text.next(index == 0);
            self.value(&item, &at.to(Step::Index(index)), depth + 1)?;
            self.settle()?;
        }
        self.text.end_array();
        if list.len() == length { Ok(()) } else { Err(Stop::Changed) }
    }

    pub(super) fn tuple(
        &mut self,
        tuple: &Bound<'py, PyTuple>,
        at: &Path<'_, 'py>,
        depth: u32,
    ) -> Done {
        if depth >= DEEPEST {
            return Err(Stop::Leave);
        }
        self.text.begin_tag("tuple");
        self.text.begin_array();
        for (index, item) in tuple.iter().enumerate() {
            self.text.next(index == 0);
            self.value(&item, &at.to(Step::Index(index)), depth + 2)?;
        }
        self.text.end_array();
        self.text.end_object();
        Ok(())
    }

    pub(super) fn dict(
        &mut self,
        dict: &Bound<'py, PyDict>,
        at: &Path<'_, 'py>,
        depth: u32,
    ) -> Done {
        if self.is_plain(dict)? {
            self.members(dict, at, depth)
        } else {
            self.pairs(dict, at, depth)
        }
    }

    /// Whether all keys are text, and none makes it look like a tag.
    fn is_plain(&self, dict: &Bound<'py, PyDict>) -> Done<bool> {
        let (tag, lc) = (intern!(self.py, "$persist"), intern!(self.py, "lc"));
        if dict.contains(tag)? || dict.contains(lc)? {
            return Ok(false);
        }
        Ok(raw::has_text_keys(dict))
    }

    fn members(&mut self, dict: &Bound<'py, PyDict>, at: &Path<'_, 'py>, depth: u32) -> Done {
        self.text.begin_object();
        let mut items = Items::new(dict);
        let mut is_first = true;
        while let Some((name, item)) = items.next()? {
            let text = name.cast_exact::<PyString>().map_err(|_| Stop::Changed)?;
            let key = self.key(text)?;
            if !key.long.is_empty() && self.scan.is_suspect(&key.long) {
                self.show(text, &at.to(Step::Key))?;
            }
            self.check_member(&name, key.is_credential, &item)?;
            self.see_key(text);
            self.text.key(is_first, &key.quoted);
            self.value(&item, &at.to(Step::Member(&name)), depth + 1)?;
            is_first = false;
            self.settle()?;
        }
        self.text.end_object();
        Ok(())
    }

    /// A dict as a list of pairs, since one of its keys is no text, or makes it look like a tag.
    fn pairs(&mut self, dict: &Bound<'py, PyDict>, at: &Path<'_, 'py>, depth: u32) -> Done {
        self.text.begin_tag("dict");
        self.text.begin_array();
        let mut items = Items::new(dict);
        let mut index = 0;
        while let Some((name, item)) = items.next()? {
            self.text.next(index == 0);
            self.text.begin_array();
            self.value(&name, &at.to(Step::KeyOf(index)), depth + 2)?;
            self.text.next(false);
            self.check_name(&name, &item)?;
            self.value(&item, &at.to(Step::Item(&name)), depth + 2)?;
            self.text.end_array();
            index += 1;
            self.settle()?;
        }
        self.text.end_array();
        self.text.end_object();
        Ok(())
    }

    /// A key that JSON can have; of others, the codec in Python says what is wrong.
    pub(super) fn key(&mut self, name: &Bound<'py, PyString>) -> Done<std::rc::Rc<Key>> {
        self.keys.get(name).map_err(|_| Stop::Leave)
    }

    /// Leaves it to the codec in Python when what this name holds is a credential.
    pub(super) fn check_name(
        &mut self,
        name: &Bound<'py, PyAny>,
        item: &Bound<'py, PyAny>,
    ) -> Done {
        match name.cast_exact::<PyString>() {
            Ok(text) => {
                let is_credential = self.keys.get(text).map_or(None, |key| key.is_credential);
                self.check_member(name, is_credential, item)
            }
            Err(_) => self.check_member(name, Some(false), item),
        }
    }

    fn check_member(
        &mut self,
        name: &Bound<'py, PyAny>,
        is_credential: Option<bool>,
        item: &Bound<'py, PyAny>,
    ) -> Done {
        let is_credential = match is_credential {
            Some(is_credential) => is_credential,
            None => self.scan.policy != Policy::Allow && self.is_credential(name)?,
        };
        if self.scan.is_left_out(name, is_credential, item)? { Err(Stop::Leave) } else { Ok(()) }
    }

    /// Whether a name beyond ASCII is that of a credential; Python knows.
    fn is_credential(&mut self, name: &Bound<'py, PyAny>) -> Done<bool> {
        self.pace.interrupted();
        let module = self.py.import(intern!(self.py, "persist.codec._secrets"))?;
        Ok(module.getattr(intern!(self.py, "_is_credential"))?.call1((name,))?.is_truthy()?)
    }
}
