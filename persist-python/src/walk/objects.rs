//! Values of other classes: Python says what they consist of, the walk writes it.

use std::rc::Rc;

use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PySet, PyString, PyType};

use super::messages::Head;
use super::secrets::Policy;
use super::{DEEPEST, Done, Path, SAFE_INTEGER, Step, Stop, Walk, numbers};
use crate::plans::{Plan, plan_of};
use crate::raw::{self, Items};

/// How values of a class are written.
#[derive(Clone)]
pub(super) struct Class<'py> {
    kind: Rc<Kind<'py>>,
    plan: Option<&'static Plan>,
    /// Keeps the class, so that its address stays its own.
    _kept: Bound<'py, PyType>,
}

/// What `persist.codec` knows of a class.
pub(super) struct Kind<'py> {
    /// Its `encode`; None until it is asked for, or when nobody knows the class.
    encode: Option<Bound<'py, PyAny>>,
    name: String,
    is_immutable: bool,
    is_secret: bool,
    /// Makes a small value that comes back when this one does; None for one that is small.
    sample: Option<Bound<'py, PyAny>>,
    /// Which objects it is one of that a state may hold so many of.
    limit: Option<(String, usize)>,
}

/// Levels of containers in the text, which readers allow more of.
const MOST_LEVELS: u32 = 450;

static CHILD: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static BASE64: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

impl<'py> Walk<'_, 'py> {
    pub(super) fn object(
        &mut self,
        value: &Bound<'py, PyAny>,
        at: &Path<'_, 'py>,
        depth: u32,
    ) -> Done {
        if let Some(plan) = self.plan(value)? {
            return self.shared(value, depth, |walk| {
                if walk.is_checking && !walk.unplanned.contains(&raw::address(value)) {
                    return walk.see_message(plan, value, at, depth);
                }
                if walk.message(plan, value, at, depth)? {
                    return Ok(());
                }
                walk.unplanned.insert(raw::address(value));
                let kind = walk.kind(value)?;
                walk.shaped(&kind, value, at, depth)
            });
        }
        let kind = self.class(value)?.kind;
        if kind.encode.is_none() || (kind.is_secret && self.scan.policy != Policy::Allow) {
            return Err(Stop::Leave);
        }
        if !kind.is_immutable {
            return self.shared(value, depth, |walk| walk.shaped(&kind, value, at, depth));
        }
        if depth >= DEEPEST {
            return Err(Stop::Leave);
        }
        self.shaped(&kind, value, at, depth)
    }

    fn plan(&mut self, value: &Bound<'py, PyAny>) -> Done<Option<&'static Plan>> {
        match self.classes.get(&raw::class_address(value)) {
            Some(class) => Ok(class.plan),
            None => Ok(self.class(value)?.plan),
        }
    }

    fn class(&mut self, value: &Bound<'py, PyAny>) -> Done<Class<'py>> {
        let address = raw::class_address(value);
        if let Some(class) = self.classes.get(&address) {
            return Ok(class.clone());
        }
        let plan = plan_of(&value.get_type())?;
        let kind = if plan.is_some() { Kind::unasked() } else { self.ask(value)? };
        let class = Class { kind: Rc::new(kind), plan, _kept: value.get_type() };
        self.classes.insert(address, class.clone());
        Ok(class)
    }

    /// What is known of a class that has a plan, for those of its values that the plan does not fit.
    fn kind(&mut self, value: &Bound<'py, PyAny>) -> Done<Rc<Kind<'py>>> {
        let mut class = self.class(value)?;
        if class.kind.encode.is_none() {
            class.kind = Rc::new(self.ask(value)?);
            self.classes.insert(raw::class_address(value), class.clone());
        }
        if class.kind.encode.is_some() { Ok(class.kind) } else { Err(Stop::Leave) }
    }

    fn ask(&mut self, value: &Bound<'py, PyAny>) -> Done<Kind<'py>> {
        self.pace.interrupted();
        let known = self.codec("known")?.call1((value,))?;
        if known.is_none() {
            return Ok(Kind::unasked());
        }
        let (encode, name, is_immutable, is_secret, sample, limit) = known.extract()?;
        Ok(Kind { encode: Some(encode), name, is_immutable, is_secret, sample, limit })
    }

    fn shaped(
        &mut self,
        kind: &Kind<'py>,
        value: &Bound<'py, PyAny>,
        at: &Path<'_, 'py>,
        depth: u32,
    ) -> Done {
        if let Some((what, most)) = &kind.limit {
            let counted = self.counted.entry(what.clone()).or_default();
            counted.insert(raw::address(value));
            if counted.len() > *most {
                return Err(Stop::Leave);
            }
        }
        if self.is_proven || self.is_like_its_sample(kind, value)? {
            return self.write_shape(kind, value, at, depth);
        }
        let before = self.before();
        let (from, labels) = (self.text.length(), self.labels_written);
        self.shaped += 1;
        self.unsettled += 1;
        let written = self.write_shape(kind, value, at, depth);
        self.shaped -= 1;
        self.unsettled -= 1;
        if let (Err(Stop::Held), 0) = (&written, self.shaped) {
            self.go_back(before);
            return self.without_check(kind, value, at, depth);
        }
        written?;
        if self.shaped > 0 || self.text.is_muted() || !self.wishes.verify {
            return Ok(());
        }
        if self.labels_written != labels {
            // What it shares may be elsewhere: all is compared, once it is written.
            self.needs_check = true;
            return Ok(());
        }
        let comes_back = self.codec("comes_back")?;
        let is_same = comes_back.call1((value, self.text.since(from)))?.is_truthy()?;
        if is_same { Ok(()) } else { Err(Stop::Leave) }
    }

    /// Writes a value that comes back since it does with what is long in it made short: its text is
    /// not kept to be read again.
    fn without_check(
        &mut self,
        kind: &Kind<'py>,
        value: &Bound<'py, PyAny>,
        at: &Path<'_, 'py>,
        depth: u32,
    ) -> Done {
        self.pace.interrupted();
        let comes_back = self.codec("comes_back_shortened")?;
        if self.wishes.verify && !comes_back.call1((value,))?.is_truthy()? {
            return Err(Stop::Leave);
        }
        let labels = self.labels_written;
        self.is_proven = true;
        let written = self.write_shape(kind, value, at, depth);
        self.is_proven = false;
        self.needs_check |= self.wishes.verify && self.labels_written != labels;
        written
    }

    /// Whether a long value comes back since a small one of its kind does: its text is not kept to be
    /// read again.
    fn is_like_its_sample(&mut self, kind: &Kind<'py>, value: &Bound<'py, PyAny>) -> Done<bool> {
        let Some(sample) = &kind.sample else {
            return Ok(false);
        };
        self.pace.interrupted();
        let sample = sample.call1((value,))?;
        if sample.is_none() {
            return Ok(false);
        }
        if self.text.is_muted() || !self.wishes.verify {
            return Ok(true);
        }
        let comes_back = self.codec("sample_comes_back")?;
        if comes_back.call1((sample,))?.is_truthy()? { Ok(true) } else { Err(Stop::Leave) }
    }

    fn write_shape(
        &mut self,
        kind: &Kind<'py>,
        value: &Bound<'py, PyAny>,
        at: &Path<'_, 'py>,
        depth: u32,
    ) -> Done {
        let known = self.shapes.get(&raw::address(value)).map(|(_, shape)| shape.clone());
        if self.is_checking && known.is_none() {
            // It holds no other values.
            return Ok(());
        }
        let is_new = known.is_none();
        let shape = known.map_or_else(|| self.shape_of(kind, value), Ok)?;
        let has_children = if kind.name == "lc" {
            self.shaped_constructor(value, &shape, at, depth)?;
            true
        } else {
            self.text.begin_tag(&kind.name);
            let has_children = self.shape(&shape, at, depth + 1)?;
            self.text.end_object();
            has_children
        };
        if has_children {
            self.see_attributes(value)?;
            if is_new {
                self.shapes.insert(raw::address(value), (value.clone(), shape));
            }
        }
        Ok(())
    }

    fn shape_of(&mut self, kind: &Kind<'py>, value: &Bound<'py, PyAny>) -> Done<Bound<'py, PyAny>> {
        self.pace.interrupted();
        let Some(encode) = &kind.encode else {
            return Err(Stop::Leave);
        };
        encode.call1((value,)).map_err(|error| {
            let is_ours = error.is_instance_of::<PyException>(self.py);
            if is_ours { Stop::Leave } else { Stop::Python(error) }
        })
    }

    /// Remembers what an object holds now, to compare.
    fn see_attributes(&mut self, value: &Bound<'py, PyAny>) -> Done {
        if let Ok(held) = value.cast::<PyDict>() {
            self.see_items(held)?;
        } else if let Ok(held) = value.cast::<PySet>() {
            self.print.saw(held.len() as u64);
        }
        match raw::attributes(value) {
            Ok(attributes) => match attributes.cast::<PyDict>() {
                Ok(attributes) => self.see_items(attributes),
                Err(_) => Ok(()),
            },
            // It has slots, or none.
            Err(_) => Ok(()),
        }
    }

    fn see_items(&mut self, dict: &Bound<'py, PyDict>) -> Done {
        let mut items = Items::new(dict);
        while let Some((_, item)) = items.next()? {
            self.print.saw(raw::address(&item) as u64);
        }
        Ok(())
    }

    /// Writes what a kind returned, JSON as it stands and children as values; says whether there
    /// were any, or something else that may change.
    fn shape(&mut self, shape: &Bound<'py, PyAny>, at: &Path<'_, 'py>, depth: u32) -> Done<bool> {
        if shape.get_type().is(child(self.py)?) {
            self.child(shape, at, depth)?;
            return Ok(true);
        }
        if shape.get_type().is(base64(self.py)?) {
            let buffer = shape.getattr(intern!(self.py, "buffer"))?;
            self.check_held(buffer.len()?)?;
            self.buffer(&buffer)?;
            // It may change, if it is not bytes.
            return Ok(!buffer.is_exact_instance_of::<PyBytes>());
        }
        if self.text.levels() > MOST_LEVELS {
            return Err(Stop::Leave);
        }
        if let Ok(dict) = shape.cast_exact::<PyDict>() {
            return self.shape_of_dict(dict, at, depth);
        }
        if let Ok(list) = shape.cast_exact::<PyList>() {
            let mut has_children = false;
            self.text.begin_array();
            for (index, item) in list.iter().enumerate() {
                self.text.next(index == 0);
                has_children |= self.shape(&item, at, depth)?;
            }
            self.text.end_array();
            return Ok(has_children);
        }
        self.leaf(shape)?;
        Ok(false)
    }

    fn shape_of_dict(
        &mut self,
        dict: &Bound<'py, PyDict>,
        at: &Path<'_, 'py>,
        depth: u32,
    ) -> Done<bool> {
        let mut has_children = false;
        let mut is_first = true;
        self.text.begin_object();
        let mut items = Items::new(dict);
        while let Some((name, item)) = items.next()? {
            let key = self.key(name.cast_exact().map_err(|_| Stop::Leave)?)?;
            self.text.key(is_first, &key.quoted);
            has_children |= self.shape(&item, at, depth)?;
            is_first = false;
        }
        self.text.end_object();
        Ok(has_children)
    }

    fn leaf(&mut self, leaf: &Bound<'py, PyAny>) -> Done {
        if let Ok(text) = leaf.cast_exact::<PyString>() {
            self.text.string(raw::utf8(text).map_err(|_| Stop::Leave)?.as_bytes());
        } else if leaf.is_none() {
            self.text.scalar(b"null");
        } else if let Ok(is_true) = leaf.cast_exact::<PyBool>() {
            self.text.scalar(if is_true.is_true() { b"true" } else { b"false" });
        } else if let Ok(number) = leaf.cast_exact::<PyInt>() {
            let number: i64 = number.extract().map_err(|_| Stop::Leave)?;
            if !(-SAFE_INTEGER..=SAFE_INTEGER).contains(&number) {
                return Err(Stop::Leave);
            }
            self.text.integer(number);
        } else if let Ok(number) = leaf.cast_exact::<PyFloat>()
            && number.value().is_finite()
        {
            self.text.scalar(&numbers::float(number.value()));
        } else {
            return Err(Stop::Leave);
        }
        Ok(())
    }

    pub(super) fn child(
        &mut self,
        child: &Bound<'py, PyAny>,
        at: &Path<'_, 'py>,
        depth: u32,
    ) -> Done {
        let value = child.getattr(intern!(self.py, "value"))?;
        let step = child.getattr(intern!(self.py, "step"))?.cast_into::<PyString>();
        let step = step.map_err(|_| Stop::Leave)?;
        let name = child.getattr(intern!(self.py, "name"))?;
        if !name.is_none() {
            self.check_name(&name, &value)?;
        }
        self.value(&value, &at.to(Step::Text(&step)), depth + 1)
    }

    /// A constructor of LangChain's, as its kind in Python shapes it.
    fn shaped_constructor(
        &mut self,
        value: &Bound<'py, PyAny>,
        shape: &Bound<'py, PyAny>,
        at: &Path<'_, 'py>,
        depth: u32,
    ) -> Done {
        let item = |name: &str| shape.get_item(name).map_err(|_| Stop::Leave);
        let head = Head::of(&item("id")?)?;
        let arguments = item("kwargs")?;
        let arguments = arguments.cast_exact::<PyDict>().map_err(|_| Stop::Leave)?;
        let empty = item("empty")?;
        let empty = empty.cast_exact::<PyDict>().map_err(|_| Stop::Leave)?;
        self.constructor(value, &head, |walk| {
            let mut is_first = true;
            let mut items = Items::new(arguments);
            while let Some((name, item)) = items.next()? {
                let key = walk.key(name.cast_exact().map_err(|_| Stop::Leave)?)?;
                walk.text.key(is_first, &key.quoted);
                walk.shape(&item, at, depth + 1)?;
                is_first = false;
            }
            let empty = empty.iter().map(|(name, item)| Ok((name.cast_into()?, item)));
            let empty = empty.collect::<PyResult<Vec<_>>>()?;
            for (_, item) in &empty {
                walk.see_empty(item);
            }
            walk.empty(is_first, empty.iter().map(|(name, item)| (name, item)))
        })
    }
}

impl Kind<'_> {
    fn unasked() -> Self {
        Self {
            encode: None,
            name: String::new(),
            is_immutable: false,
            is_secret: false,
            sample: None,
            limit: None,
        }
    }
}

fn child(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    of_types(py, &CHILD, "Child")
}

fn base64(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    of_types(py, &BASE64, "Base64")
}

fn of_types<'py>(
    py: Python<'py>,
    found: &'static PyOnceLock<Py<PyAny>>,
    name: &str,
) -> PyResult<&'py Bound<'py, PyAny>> {
    let found = found.get_or_try_init(py, || {
        let module = py.import("persist.codec._types")?;
        Ok::<_, PyErr>(module.getattr(name)?.unbind())
    })?;
    Ok(found.bind(py))
}
