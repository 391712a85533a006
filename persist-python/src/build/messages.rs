//! Messages of LangChain, made by setting their fields, where that gives what their class would.
//!
//! `persist/codec/_plans.py` says for which fields that is so, and compares the first message of
//! each shape with the one that its class makes of the same arguments.

use std::collections::HashMap;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyList, PySet, PyString};

/// What a field may hold, so that validation would leave it as it is.
enum Rule<'py> {
    Text,
    OptionalText,
    Content,
    Dict,
    /// A dict from which the class would parse no calls.
    NoCalls,
    Calls,
    Empty,
    Usage,
    OneOf(Bound<'py, PyList>),
    Anything,
}

struct Field<'py> {
    name: Bound<'py, PyString>,
    rule: Rule<'py>,
    /// What it is when the message does not say; `None` when it has to.
    default: Option<Bound<'py, PyAny>>,
}

struct Plan<'py> {
    identifier: Bound<'py, PyList>,
    class: Bound<'py, PyAny>,
    fields: Vec<Field<'py>>,
    /// By the fields that are there: whether the class makes the same message.
    agrees: HashMap<u32, bool>,
}

/// How the values are made that are no plain data.
pub(super) struct Plans<'py> {
    messages: Option<Vec<Plan<'py>>>,
    module: Bound<'py, PyModule>,
    new: Bound<'py, PyAny>,
    set: Bound<'py, PyAny>,
    simple: Bound<'py, PyAny>,
    kinds: Bound<'py, PyAny>,
    leaves: Bound<'py, PyAny>,
}

impl<'py> Plans<'py> {
    pub(super) fn load(py: Python<'py>) -> PyResult<Self> {
        let module = py.import("persist.codec._plans")?;
        let object = py.import("builtins")?.getattr("object")?;
        Ok(Self {
            messages: None,
            new: object.getattr("__new__")?,
            set: object.getattr("__setattr__")?,
            simple: module.getattr("simple")?,
            kinds: module.getattr("SIMPLE")?,
            leaves: module.getattr("LEAVES")?,
            module,
        })
    }

    /// Whether a kind takes its JSON as it is written, and no values in it.
    pub(super) fn is_leaf(&self, kind: &Bound<'py, PyAny>) -> PyResult<bool> {
        Ok(kind.is_exact_instance_of::<PyString>() && self.leaves.contains(kind)?)
    }

    /// The value of a tag whose kind holds data alone; `None` for any other.
    pub(super) fn simple(&self, node: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = node.py();
        let (Some(kind), Some(value), 2) =
            (node.get_item(intern!(py, "$persist"))?, node.get_item(intern!(py, "v"))?, node.len())
        else {
            return Ok(None);
        };
        if !kind.is_exact_instance_of::<PyString>() || !self.kinds.contains(&kind)? {
            return Ok(None);
        }
        if kind.eq("tuple")?
            && let Ok(items) = value.cast_exact::<PyList>()
        {
            return Ok(Some(items.to_tuple().into_any()));
        }
        if kind.eq("bytes")? && value.is_exact_instance_of::<pyo3::types::PyBytes>() {
            return Ok(Some(value));
        }
        Ok(Some(self.simple.call1((node,))?).filter(|made| !made.is_none()))
    }

    /// The message of a constructor; `None` where its class has to make it.
    pub(super) fn message(
        &mut self,
        node: &Bound<'py, PyDict>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = node.py();
        let (Some(lc), Some(kind), Some(identifier), Some(arguments), 4) = (
            node.get_item(intern!(py, "lc"))?,
            node.get_item(intern!(py, "type"))?,
            node.get_item(intern!(py, "id"))?,
            node.get_item(intern!(py, "kwargs"))?,
            node.len(),
        ) else {
            return Ok(None);
        };
        let Ok(arguments) = arguments.cast_exact::<PyDict>() else {
            return Ok(None);
        };
        if !lc.eq(1)? || !kind.eq(intern!(py, "constructor"))? {
            return Ok(None);
        }
        if self.messages.is_none() {
            self.messages = Some(plans(&self.module)?);
        }
        for plan in self.messages.iter_mut().flatten() {
            if plan.identifier.eq(&identifier)? {
                return plan.make(arguments, &self.new, &self.set, &self.module);
            }
        }
        Ok(None)
    }
}

impl<'py> Plan<'py> {
    fn make(
        &mut self,
        arguments: &Bound<'py, PyDict>,
        new: &Bound<'py, PyAny>,
        set: &Bound<'py, PyAny>,
        module: &Bound<'py, PyModule>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some((fields, given, shape)) = self.fields_of(arguments)? else {
            return Ok(None);
        };
        if self.agrees.get(&shape) == Some(&false) {
            return Ok(None);
        }
        let py = arguments.py();
        let made = new.call1((&self.class,))?;
        set.call1((&made, intern!(py, "__dict__"), fields))?;
        set.call1((&made, intern!(py, "__pydantic_fields_set__"), PySet::new(py, given)?))?;
        set.call1((&made, intern!(py, "__pydantic_extra__"), PyDict::new(py)))?;
        set.call1((&made, intern!(py, "__pydantic_private__"), py.None()))?;
        if !self.agrees.contains_key(&shape) {
            let agrees = module.getattr("agrees")?.call1((&self.class, shape, arguments, &made))?;
            self.agrees.insert(shape, agrees.extract()?);
            return Ok(Some(made).filter(|_| self.agrees.get(&shape) == Some(&true)));
        }
        Ok(Some(made))
    }

    /// The `__dict__` of the message, the names that were given, and these as bits.
    #[expect(clippy::type_complexity, reason = "three parts of one message")]
    fn fields_of(
        &self,
        arguments: &Bound<'py, PyDict>,
    ) -> PyResult<Option<(Bound<'py, PyDict>, Vec<&Bound<'py, PyString>>, u32)>> {
        let fields = PyDict::new(arguments.py());
        let mut given = Vec::with_capacity(self.fields.len());
        let mut shape = 0;
        for (number, field) in self.fields.iter().enumerate() {
            let value = match (arguments.get_item(&field.name)?, &field.default) {
                (Some(value), _) if field.rule.accepts(&value)? => {
                    given.push(&field.name);
                    shape |= 1 << number;
                    value
                }
                (None, Some(default)) => fresh(default),
                _ => return Ok(None),
            };
            fields.set_item(&field.name, value)?;
        }
        let has_more = given.len() != arguments.len();
        Ok(Some((fields, given, shape)).filter(|_| !has_more))
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

impl Rule<'_> {
    fn accepts(&self, value: &Bound<'_, PyAny>) -> PyResult<bool> {
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
                Ok(dict) => !dict.contains(intern!(py, "tool_calls"))?,
                Err(_) => false,
            },
            Self::Calls => match value.cast_exact::<PyList>() {
                Ok(calls) => calls.iter().all(|call| is_call(&call).unwrap_or(false)),
                Err(_) => false,
            },
            Self::Empty => value.cast_exact::<PyList>().is_ok_and(PyListMethods::is_empty),
            Self::Usage => value.is_none() || is_usage(value),
            Self::OneOf(values) => is_text(value) && values.contains(value)?,
            Self::Anything => true,
        })
    }
}

fn is_text(value: &Bound<'_, PyAny>) -> bool {
    value.is_exact_instance_of::<PyString>()
}

fn is_dict(value: &Bound<'_, PyAny>) -> bool {
    value.is_exact_instance_of::<PyDict>()
}

/// Whether this is a call of a tool as its class writes it: name, args, id, type.
fn is_call(call: &Bound<'_, PyAny>) -> PyResult<bool> {
    let call = call.cast_exact::<PyDict>()?;
    let is_part = |(place, (key, value)): (usize, (Bound<'_, PyAny>, Bound<'_, PyAny>))| {
        Ok(match place {
            0 => key.eq("name")? && is_text(&value),
            1 => key.eq("args")? && is_dict(&value),
            2 => key.eq("id")? && (value.is_none() || is_text(&value)),
            3 => key.eq("type")? && value.eq("tool_call")?,
            _ => false,
        })
    };
    let parts: PyResult<Vec<bool>> = call.iter().enumerate().map(is_part).collect();
    Ok(call.len() == 4 && parts?.into_iter().all(|is_right| is_right))
}

/// Whether these are the three counts of tokens, in the order of their class, and no details.
fn is_usage(value: &Bound<'_, PyAny>) -> bool {
    let Ok(usage) = value.cast_exact::<PyDict>() else {
        return false;
    };
    let names = ["input_tokens", "output_tokens", "total_tokens"];
    let is_count = |((key, value), name): ((Bound<'_, PyAny>, Bound<'_, PyAny>), &str)| {
        key.eq(name).unwrap_or(false)
            && value.is_exact_instance_of::<PyInt>()
            && value.extract::<i64>().is_ok()
    };
    usage.len() == names.len() && usage.iter().zip(names).all(is_count)
}

fn plans<'py>(module: &Bound<'py, PyModule>) -> PyResult<Vec<Plan<'py>>> {
    let found = module.getattr("plans")?.call0()?;
    found.try_iter()?.map(|plan| plan_of(&plan?)).collect()
}

fn plan_of<'py>(plan: &Bound<'py, PyAny>) -> PyResult<Plan<'py>> {
    let fields = plan.getattr("fields")?;
    Ok(Plan {
        identifier: plan.getattr("identifier")?.cast_into::<PyList>()?,
        class: plan.getattr("cls")?,
        fields: fields.try_iter()?.map(|field| field_of(&field?)).collect::<PyResult<_>>()?,
        agrees: HashMap::new(),
    })
}

fn field_of<'py>(field: &Bound<'py, PyAny>) -> PyResult<Field<'py>> {
    let rule = field.getattr("rule")?;
    let rule = match rule.cast::<PyList>() {
        Ok(values) => Rule::OneOf(values.clone()),
        Err(_) => match rule.extract::<String>()?.as_str() {
            "text" => Rule::Text,
            "optional text" => Rule::OptionalText,
            "content" => Rule::Content,
            "dict" => Rule::Dict,
            "no calls" => Rule::NoCalls,
            "calls" => Rule::Calls,
            "empty" => Rule::Empty,
            "usage" => Rule::Usage,
            _ => Rule::Anything,
        },
    };
    let is_required = field.getattr("is_required")?.extract::<bool>()?;
    let default = field.getattr("default")?;
    let name = field.getattr("name")?.cast_into::<PyString>()?;
    Ok(Field { name, rule, default: Some(default).filter(|_| !is_required) })
}
