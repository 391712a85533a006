//! Builds Python values from checked text, as it passes.
//!
//! Plain data, messages and simple values such as tuples and dates are made at once. What holds
//! anything else stays the JSON tree that `persist.codec` reads: nothing with behaviour is made
//! here. `persist/codec/_decode.py` says what the values are; a property test holds both to it.

mod base64;
mod messages;
mod names;

use persist_core::{Events, Metadata};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};

use self::base64::Base64;

use self::messages::Plans;
use self::names::Names;

/// A value, and whether `persist.codec` has yet to read it.
#[derive(Clone)]
pub(crate) struct Built<'py> {
    pub(crate) value: Bound<'py, PyAny>,
    pub(crate) is_tree: bool,
}

/// A container that is being filled.
struct Open<'py> {
    items: Items<'py>,
    is_tree: bool,
    place: Place,
}

/// What a tag is made into: nothing where its kind takes JSON as it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Where any value may stand.
    Any,
    /// The object of a kind that holds no values, as a date.
    Leaf,
    /// Inside such an object: what stands here stays a tree.
    InLeaf,
}

impl Open<'_> {
    /// Whether the value of this key is read.
    fn holds(&self, name: &str) -> bool {
        matches!(&self.items, Items::Dict { key: Some(key), .. } if key == name)
    }

    /// Whether this is a tag of one of these kinds, with nothing but its kind so far.
    fn is_of(&self, kinds: &[&str]) -> PyResult<bool> {
        let Items::Dict { made, mark: Mark::Tag, .. } = &self.items else {
            return Ok(false);
        };
        let kind = made.get_item(intern!(made.py(), "$persist"))?;
        let is_one =
            |kind: Bound<'_, PyAny>| kinds.iter().any(|name| kind.eq(name).unwrap_or(false));
        Ok(self.place == Place::Leaf && made.len() == 1 && kind.is_some_and(is_one))
    }
}

enum Items<'py> {
    List(Vec<Bound<'py, PyAny>>),
    Dict { made: Bound<'py, PyDict>, key: Option<Bound<'py, PyString>>, mark: Mark },
}

/// What a key says of the object that it stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    None,
    Langchain,
    Tag,
    /// A tag whose kind is not its first key, which the decoder refuses.
    Misplaced,
}

/// Makes values of the events that it receives.
pub(crate) struct Builder<'py> {
    py: Python<'py>,
    asks_for_tags: bool,
    reads_tags: bool,
    has_begun: bool,
    open: Vec<Open<'py>>,
    done: Option<Built<'py>>,
    long_text: String,
    long_bytes: Option<Base64<'py>>,
    keys: Names<'py>,
    values: Names<'py>,
    plans: Option<Plans<'py>>,
    failed: Option<PyErr>,
}

impl<'py> Builder<'py> {
    /// A builder; one that does not read tags makes the tree alone.
    pub(crate) fn new(py: Python<'py>, reads_tags: bool) -> Self {
        Self {
            py,
            asks_for_tags: reads_tags,
            reads_tags,
            has_begun: false,
            open: Vec::new(),
            done: None,
            long_text: String::new(),
            long_bytes: None,
            keys: Names::new(32),
            values: Names::new(16),
            plans: None,
            failed: None,
        }
    }

    /// The value, once the snapshot is checked.
    pub(crate) fn finish(self) -> PyResult<Built<'py>> {
        match (self.failed, self.done) {
            (None, Some(built)) => Ok(built),
            (Some(failed), _) => Err(failed),
            (None, None) => Err(pyo3::exceptions::PyRuntimeError::new_err("nothing was read")),
        }
    }

    fn attempt(&mut self, make: impl FnOnce(&mut Self) -> PyResult<Built<'py>>) {
        if self.failed.is_some() {
            return;
        }
        if let Err(failed) = make(self).and_then(|built| self.put(built)) {
            self.failed = Some(failed);
        }
    }

    /// Puts a value where it belongs.
    fn put(&mut self, built: Built<'py>) -> PyResult<()> {
        let Some(open) = self.open.last_mut() else {
            self.done = Some(built);
            return Ok(());
        };
        open.is_tree |= built.is_tree;
        match &mut open.items {
            Items::List(items) => items.push(built.value),
            Items::Dict { made, key, mark } => {
                if let Some(key) = key.take() {
                    let is_kind = *mark == Mark::Tag && made.is_empty();
                    made.set_item(key, &built.value)?;
                    if is_kind {
                        self.begin_kind(&built.value)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Notes what may stand in the tag that is open, now that its kind is known.
    fn begin_kind(&mut self, kind: &Bound<'py, PyAny>) -> PyResult<()> {
        let is_leaf = self.reads_tags && self.plans()?.is_leaf(kind)?;
        if let Some(open) = self.open.last_mut().filter(|open| is_leaf && open.place == Place::Any)
        {
            open.place = Place::Leaf;
        }
        Ok(())
    }

    fn begin(&mut self, items: Items<'py>) {
        let place = match self.open.last() {
            Some(Open { place: Place::Leaf | Place::InLeaf, .. }) => Place::InLeaf,
            _ => Place::Any,
        };
        self.open.push(Open { items, is_tree: false, place });
    }

    fn close(&mut self) -> PyResult<Built<'py>> {
        match self.open.pop() {
            Some(Open { items: Items::List(items), is_tree, .. }) => {
                let value = PyList::new(self.py, items)?.into_any();
                Ok(Built { value, is_tree })
            }
            Some(Open { items: Items::Dict { made, mark, .. }, is_tree, place }) => {
                self.object(made, mark, is_tree || place == Place::InLeaf)
            }
            None => Ok(plain(self.py.None().into_bound(self.py))),
        }
    }

    /// What an object of JSON stands for, as far as that is known here.
    fn object(
        &mut self,
        node: Bound<'py, PyDict>,
        mark: Mark,
        is_tree: bool,
    ) -> PyResult<Built<'py>> {
        if mark == Mark::None {
            return Ok(Built { value: node.into_any(), is_tree });
        }
        if self.reads_tags && !is_tree {
            let plans = self.plans()?;
            let made = match mark {
                Mark::Langchain => Plans::message(&node)?,
                Mark::Tag => plans.simple(&node)?,
                Mark::None | Mark::Misplaced => None,
            };
            if let Some(value) = made {
                return Ok(plain(value));
            }
        }
        Ok(Built { value: node.into_any(), is_tree: true })
    }

    fn plans(&mut self) -> PyResult<&mut Plans<'py>> {
        if self.plans.is_none() {
            self.plans = Some(Plans::load(self.py)?);
        }
        // It was set a line above.
        self.plans.as_mut().ok_or_else(|| pyo3::exceptions::PyRuntimeError::new_err("no plans"))
    }

    fn number_of(&self, text: &str) -> PyResult<Bound<'py, PyAny>> {
        if text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
            let value: f64 = text.parse().unwrap_or(f64::NAN);
            return Ok(PyFloat::new(self.py, value).into_any());
        }
        if let Ok(value) = text.parse::<i64>() {
            return Ok(PyInt::new(self.py, value).into_any());
        }
        self.py.import(intern!(self.py, "persist.codec._text"))?.getattr("_integer")?.call1((text,))
    }

    /// Takes a part of a long text: of base64, it is what that stands for.
    fn take_part(&mut self, text: &str) -> PyResult<()> {
        if self.long_text.is_empty() && self.long_bytes.is_none() && self.is_base64()? {
            self.long_bytes = Some(Base64::new(self.py)?);
        }
        if let Some(bytes) = &mut self.long_bytes {
            return bytes.write(text);
        }
        self.long_text.push_str(text);
        Ok(())
    }

    /// Whether the text that is read is the base64 of bytes, or of what an array holds.
    fn is_base64(&self) -> PyResult<bool> {
        if !self.reads_tags {
            return Ok(false);
        }
        match self.open.as_slice() {
            [.., tag, inner] if inner.holds("data") && tag.holds("v") => {
                Ok(inner.place == Place::InLeaf && tag.is_of(&["ndarray", "npscalar"])?)
            }
            [.., tag] if tag.holds("v") => tag.is_of(&["bytes", "bytearray"]),
            _ => Ok(false),
        }
    }

    fn text(&mut self, last: &str) -> PyResult<Built<'py>> {
        if let Some(mut bytes) = self.long_bytes.take() {
            bytes.write(last)?;
            return Ok(plain(bytes.finish()?));
        }
        if self.long_text.is_empty() {
            return Ok(plain(self.values.get(self.py, last).into_any()));
        }
        let mut whole = std::mem::take(&mut self.long_text);
        whole.push_str(last);
        Ok(plain(PyString::new(self.py, &whole).into_any()))
    }
}

fn plain(value: Bound<'_, PyAny>) -> Built<'_> {
    Built { value, is_tree: false }
}

impl Events for Builder<'_> {
    fn begin(&mut self, metadata: &Metadata) {
        if std::mem::replace(&mut self.has_begun, true) {
            *self = Self { has_begun: true, ..Self::new(self.py, self.asks_for_tags) };
        }
        // The original's states have no tags.
        self.reads_tags &= metadata.state_format.is_some();
    }

    fn null(&mut self) {
        self.attempt(|this| Ok(plain(this.py.None().into_bound(this.py))));
    }

    fn boolean(&mut self, value: bool) {
        self.attempt(|this| Ok(plain(PyBool::new(this.py, value).to_owned().into_any())));
    }

    fn number(&mut self, text: &str) {
        self.attempt(|this| this.number_of(text).map(plain));
    }

    fn part(&mut self, text: &str) {
        if self.failed.is_none() {
            self.failed = self.take_part(text).err();
        }
    }

    fn string(&mut self, text: &str) {
        self.attempt(|this| this.text(text));
    }

    fn key(&mut self, text: &str) {
        let name = self.keys.get(self.py, text);
        if let Some(Open { items: Items::Dict { made, key, mark }, .. }) = self.open.last_mut() {
            match text {
                "$persist" if made.is_empty() => *mark = Mark::Tag,
                "$persist" => *mark = Mark::Misplaced,
                "lc" if *mark == Mark::None => *mark = Mark::Langchain,
                _ => {}
            }
            *key = Some(name);
        }
    }

    fn begin_array(&mut self) {
        self.begin(Items::List(Vec::new()));
    }

    fn end_array(&mut self) {
        self.attempt(Self::close);
    }

    fn begin_object(&mut self) {
        let made = PyDict::new(self.py);
        self.begin(Items::Dict { made, key: None, mark: Mark::None });
    }

    fn end_object(&mut self) {
        self.attempt(Self::close);
    }

    fn detached<T: Send>(&mut self, work: impl FnOnce() -> T + Send) -> T {
        self.py.detach(work)
    }
}
