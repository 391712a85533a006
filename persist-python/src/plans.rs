//! Plans for messages of LangChain: fields that are read and set without their class.
//!
//! `persist/codec/_plans.py` says which fields a class has and what they may hold, so that the class
//! would neither change them nor write them otherwise. The first message of each shape, in each
//! direction, is compared with what the class and the codec in Python make of it.

mod rules;

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PySet, PyString, PyType};
use rustc_hash::FxHashMap;

use self::rules::{Rule, is_full, is_text};
use crate::raw::{self, Items, New, Slot};
use crate::walk::{Head, Key};

pub(crate) struct Field {
    /// Its place among the fields.
    number: u32,
    name: Py<PyString>,
    /// Its name as a key of JSON.
    key: Key,
    rule: Rule,
    /// What it is when the message does not say; `None` when it has to.
    default: Option<Unsaid>,
    /// Whether LangChain writes it even when it is empty.
    is_always_written: bool,
}

struct Unsaid {
    value: Py<PyAny>,
    /// The address of its class.
    class: usize,
    is_full: bool,
}

/// How the messages of a class are read and made.
pub(crate) struct Plan {
    identifier: Py<PyList>,
    /// The last step of the id.
    name: Py<PyString>,
    head: Head,
    class: Py<PyType>,
    new: New,
    slots: Slots,
    fields: Vec<Field>,
    /// By the fields that are given: whether the class makes the same message.
    made: Shapes,
    /// By the fields that are written: whether the codec in Python writes the same.
    written: Shapes,
}

/// What pydantic keeps of an object beside its `__dict__`.
struct Slots {
    fields_set: Slot,
    extra: Slot,
    private: Slot,
}

/// What a message holds.
pub(crate) struct Held<'py> {
    fields: Vec<(Role, &'static Field, Bound<'py, PyAny>)>,
    /// The fields that are written, as bits.
    pub(crate) shape: u32,
}

/// What becomes of a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Given,
    /// Empty, and written behind those that are given.
    Always,
    /// An empty list or dict that is left out.
    Empty,
}

impl<'py> Held<'py> {
    /// The fields that are written, in their order.
    pub(crate) fn written(&self) -> impl Iterator<Item = (&'static Field, &Bound<'py, PyAny>)> {
        self.of(Role::Given).chain(self.of(Role::Always))
    }

    /// Lists and dicts that are left out, since they are empty.
    pub(crate) fn empty(&self) -> impl Iterator<Item = (&'static Field, &Bound<'py, PyAny>)> {
        self.of(Role::Empty)
    }

    fn of(&self, role: Role) -> impl Iterator<Item = (&'static Field, &Bound<'py, PyAny>)> {
        let fields = self.fields.iter().filter(move |(of, _, _)| *of == role);
        fields.map(|(_, field, value)| (*field, value))
    }
}

static PLANS: PyOnceLock<Vec<Plan>> = PyOnceLock::new();

fn plans(py: Python<'_>) -> PyResult<&'static [Plan]> {
    let made = PLANS.get_or_try_init(py, || {
        let found = py.import("persist.codec._plans")?.getattr("plans")?.call0()?;
        found.try_iter()?.map(|plan| Plan::new(&plan?)).collect::<PyResult<Vec<_>>>()
    })?;
    Ok(made)
}

/// The plan for messages of this class.
pub(crate) fn plan_of(class: &Bound<'_, PyType>) -> PyResult<Option<&'static Plan>> {
    // Nobody has such a message without langchain-core, which is much to import.
    if !class.module()?.to_string_lossy().starts_with("langchain_core.messages.") {
        return Ok(None);
    }
    Ok(plans(class.py())?.iter().find(|plan| plan.class.is(class)))
}

/// The plan for messages of the class with this id.
pub(crate) fn plan_named(identifier: &Bound<'_, PyAny>) -> PyResult<Option<&'static Plan>> {
    let py = identifier.py();
    let Ok(steps) = identifier.cast_exact::<PyList>() else {
        return Ok(None);
    };
    // Ids differ in their last steps.
    let Some(name) = steps.iter().next_back() else {
        return Ok(None);
    };
    for plan in plans(py)? {
        if is_text(&name) && name.eq(plan.name.bind(py))? && steps.eq(plan.identifier.bind(py))? {
            return Ok(Some(plan));
        }
    }
    Ok(None)
}

impl Plan {
    fn new(plan: &Bound<'_, PyAny>) -> PyResult<Self> {
        let identifier = plan.getattr("identifier")?.cast_into::<PyList>()?;
        let class = plan.getattr("cls")?.cast_into::<PyType>()?;
        let fields = plan.getattr("fields")?;
        Ok(Self {
            head: Head::of(identifier.as_any())?,
            name: identifier.get_item(identifier.len() - 1)?.cast_into::<PyString>()?.unbind(),
            identifier: identifier.unbind(),
            new: New::load(class.py())?,
            slots: Slots {
                fields_set: Slot::of(&class, "__pydantic_fields_set__")?,
                extra: Slot::of(&class, "__pydantic_extra__")?,
                private: Slot::of(&class, "__pydantic_private__")?,
            },
            class: class.unbind(),
            fields: (0..)
                .zip(fields.try_iter()?)
                .map(|(number, field)| Field::new(number, &field?))
                .collect::<PyResult<_>>()?,
            made: Shapes::default(),
            written: Shapes::default(),
        })
    }

    /// The beginning of its constructor in text.
    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    pub(crate) fn is_written(&self, shape: u32) -> Option<bool> {
        self.written.get(shape)
    }

    pub(crate) fn set_written(&self, shape: u32, agrees: bool) {
        self.written.set(shape, agrees);
    }

    /// Whether pydantic keeps nothing of a message beside its fields.
    pub(crate) fn is_plain(&self, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        let slots = (self.slots.extra.get(value), self.slots.private.get(value));
        let (Ok(extra), Ok(private)) = slots else {
            return Ok(false);
        };
        Ok(private.is_none() && (extra.is_none() || extra.len()? == 0))
    }

    pub(crate) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// What a message holds; `None` where only the codec in Python can say.
    pub(crate) fn held<'py>(
        &'static self,
        value: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Held<'py>>> {
        let py = value.py();
        if !self.is_plain(value)? {
            return Ok(None);
        }
        let attributes = raw::attributes(value)?.cast_into::<PyDict>()?;
        if attributes.len() != self.fields.len() {
            return Ok(None);
        }
        let mut held = Held { fields: Vec::with_capacity(self.fields.len()), shape: 0 };
        let mut items = Items::new(&attributes);
        for field in &self.fields {
            let Some(item) = items.next_named(field.name(py)) else {
                return Ok(None);
            };
            if !field.rule.accepts(&item)? {
                return Ok(None);
            }
            let Some(is_given) = field.is_given(&item) else {
                return Ok(None);
            };
            let role = match is_given {
                true => Role::Given,
                false if field.is_always_written => Role::Always,
                false if item.is_none() => continue,
                false => Role::Empty,
            };
            held.shape |= u32::from(is_given) << field.number;
            held.fields.push((role, field, item.to_owned()));
        }
        Ok(Some(held))
    }

    /// The message of these arguments; `None` where its class has to make it.
    pub(crate) fn make<'py>(
        &self,
        arguments: &Bound<'py, PyDict>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some((fields, given, shape)) = self.fields_of(arguments)? else {
            return Ok(None);
        };
        if self.made.get(shape) == Some(false) {
            return Ok(None);
        }
        let py = arguments.py();
        let class = self.class.bind(py);
        let made = self.new.make(class)?;
        raw::set_attributes(&made, &fields)?;
        self.slots.fields_set.set(&made, PySet::new(py, given)?.as_any())?;
        self.slots.extra.set(&made, PyDict::new(py).as_any())?;
        self.slots.private.set(&made, py.None().bind(py))?;
        if self.made.get(shape).is_none() {
            let module = py.import("persist.codec._plans")?;
            let agrees = module.getattr("agrees")?.call1((class, arguments, &made))?;
            if let Some(agrees) = agrees.extract()? {
                self.made.set(shape, agrees);
            }
        }
        Ok(Some(made).filter(|_| self.made.get(shape) == Some(true)))
    }

    /// The `__dict__` of the message, the names that were given, and these as bits.
    #[expect(clippy::type_complexity, reason = "three parts of one message")]
    fn fields_of<'py>(
        &self,
        arguments: &Bound<'py, PyDict>,
    ) -> PyResult<Option<(Bound<'py, PyDict>, Vec<&Bound<'py, PyString>>, u32)>> {
        let py = arguments.py();
        let fields = PyDict::new(py);
        let mut given = Vec::with_capacity(self.fields.len());
        let mut shape = 0;
        for field in &self.fields {
            let name = field.name(py);
            let value = match (arguments.get_item(name)?, &field.default) {
                (Some(value), _) if field.rule.accepts(&value)? => {
                    given.push(name);
                    shape |= 1 << field.number;
                    value
                }
                (None, Some(default)) => fresh(default.value.bind(py)),
                _ => return Ok(None),
            };
            fields.set_item(name, value)?;
        }
        let has_more = given.len() != arguments.len();
        Ok(Some((fields, given, shape)).filter(|_| !has_more))
    }
}

impl Field {
    fn new(number: u32, field: &Bound<'_, PyAny>) -> PyResult<Self> {
        let is_required = field.getattr("is_required")?.extract::<bool>()?;
        let name = field.getattr("name")?.cast_into::<PyString>()?;
        Ok(Self {
            number,
            key: Key::new(&name)?,
            name: name.unbind(),
            rule: Rule::of(&field.getattr("rule")?)?,
            default: Some(Unsaid::new(field.getattr("default")?)).filter(|_| !is_required),
            is_always_written: field.getattr("is_always_written")?.extract()?,
        })
    }

    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    pub(crate) fn name<'py>(&self, py: Python<'py>) -> &Bound<'py, PyString> {
        self.name.bind(py)
    }

    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    /// Whether LangChain writes this value: it is required, or not the empty one of its default.
    fn is_given(&self, value: &Bound<'_, PyAny>) -> Option<bool> {
        let is_full = is_full(value)?;
        let Some(default) = &self.default else {
            return Some(true);
        };
        // Both are empty: `""`, `None`, `[]`, `{}` and the like.
        Some(is_full || default.is_full || raw::class_address(value) != default.class)
    }
}

impl Unsaid {
    fn new(value: Bound<'_, PyAny>) -> Self {
        let (class, is_full) = (raw::class_address(&value), is_full(&value).unwrap_or(true));
        Self { value: value.unbind(), class, is_full }
    }
}

/// The default of a field; containers are not shared.
fn fresh<'py>(default: &Bound<'py, PyAny>) -> Bound<'py, PyAny> {
    if default.is_exact_instance_of::<PyDict>() {
        return PyDict::new(default.py()).into_any();
    }
    if default.is_exact_instance_of::<PyList>() {
        return PyList::empty(default.py()).into_any();
    }
    default.clone()
}

/// What was found out of shapes of messages.
#[derive(Default)]
struct Shapes(Mutex<FxHashMap<u32, bool>>);

impl Shapes {
    fn get(&self, shape: u32) -> Option<bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&shape).copied()
    }

    fn set(&self, shape: u32, agrees: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(shape, agrees);
    }
}
