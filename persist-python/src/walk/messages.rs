//! Messages of LangChain, and its other constructors.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use super::pace::Print;
use super::shared::Meeting;
use super::text::{Beginning, CONTAINER, Place};
use super::{Done, Path, Step, Stop, Walk, text};
use crate::plans::{Held, Plan};
use crate::raw;

/// The id of a class, as LangChain writes it.
pub(crate) struct Head {
    steps: Vec<Vec<u8>>,
    /// All up to the arguments, in a file that has none of our tags in them.
    plain: Beginning,
    /// The same where there are some.
    tagged: Beginning,
}

impl Head {
    pub(crate) fn of(identifier: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut steps = Vec::new();
        let mut id = vec![b'['];
        for (index, step) in identifier.cast::<PyList>()?.iter().enumerate() {
            let step = raw::utf8(step.cast::<PyString>()?)?.as_bytes().to_vec();
            if index > 0 {
                id.push(b',');
            }
            text::quote(&mut id, &step);
            steps.push(step);
        }
        id.push(b']');
        let around = |start: &str, weight: u64| Beginning {
            text: [start.as_bytes(), &id, b",\"kwargs\":"].concat(),
            weight: weight + CONTAINER + steps.len() as u64,
        };
        let plain = around("{\"lc\":1,\"type\":\"constructor\",\"id\":", CONTAINER + 2);
        let tagged = around("{\"$persist\":\"lc\",\"v\":{\"id\":", 2 * CONTAINER + 1);
        Ok(Self { steps, plain, tagged })
    }
}

/// What is put back when a value is written again.
pub(super) struct Before {
    text: Place,
    met: usize,
    print: Print,
    warnings: usize,
}

impl<'py> Walk<'_, 'py> {
    /// Writes a message by its plan; says false when that does not fit.
    pub(super) fn message(
        &mut self,
        plan: &'static Plan,
        value: &Bound<'py, PyAny>,
        at: &Path<'_, 'py>,
        depth: u32,
    ) -> Done<bool> {
        let Some(held) = plan.held(value)? else {
            return Ok(false);
        };
        if !self.agrees(plan, value, &held)? {
            return Ok(false);
        }
        self.constructor(value, plan.head(), |walk| {
            let mut is_first = true;
            for (field, item) in held.written() {
                let (name, key) = (field.name(walk.py), field.key());
                if walk.scan.has_names() || key.is_credential != Some(false) {
                    walk.check_name(name.as_any(), item)?;
                }
                walk.text.key(is_first, &key.quoted);
                walk.in_field(field, |walk| {
                    walk.value(item, &at.to(Step::Field(name)), depth + 2)
                })?;
                is_first = false;
            }
            for (field, item) in held.empty() {
                walk.in_field(field, |walk| {
                    walk.see_empty(item);
                    Ok(())
                })?;
            }
            let py = walk.py;
            walk.empty(is_first, held.empty().map(|(field, item)| (field.name(py), item)))
        })?;
        Ok(true)
    }

    fn agrees(&mut self, plan: &Plan, value: &Bound<'py, PyAny>, held: &Held<'py>) -> Done<bool> {
        if let Some(agrees) = plan.is_written(held.shape) {
            return Ok(agrees);
        }
        self.pace.interrupted();
        let names = |fields: Vec<_>| PyTuple::new(self.py, fields);
        let given = names(held.written().map(|(field, _)| field.name(self.py)).collect())?;
        let empty = names(held.empty().map(|(field, _)| field.name(self.py)).collect())?;
        let found =
            self.codec("writes")?.call1((value, given, empty))?.extract::<Option<bool>>()?;
        if let Some(agrees) = found {
            plan.set_written(held.shape, agrees);
        }
        Ok(found == Some(true))
    }

    /// Writes a constructor of LangChain's; under our kind `lc`, when one of our tags is in it.
    pub(super) fn constructor(
        &mut self,
        value: &Bound<'py, PyAny>,
        head: &Head,
        arguments: impl Fn(&mut Self) -> Done,
    ) -> Done {
        if self.tagged.contains(&raw::address(value)) {
            return self.tagged(head, &arguments);
        }
        let before = self.before();
        self.unsettled += 1;
        let written = if self.text.is_cut_in_dicts() {
            self.constructor_in_cuts(head, &arguments)
        } else {
            self.constructor_in_whole(head, &arguments)
        };
        self.unsettled -= 1;
        if !matches!(written, Err(Stop::Tagged)) {
            return written;
        }
        self.tagged.insert(raw::address(value));
        if self.unsettled > 0 {
            // The outermost is written again, and all that hold the long bytes with it.
            return written;
        }
        self.go_back(before);
        self.tagged(head, &arguments)
    }

    pub(super) fn before(&self) -> Before {
        let warnings = self.warnings.len();
        Before { text: self.text.place(), met: self.met.place(), print: self.print, warnings }
    }

    pub(super) fn go_back(&mut self, before: Before) {
        self.text.go_back(before.text);
        self.met.go_back(before.met);
        self.print = before.print;
        self.warnings.truncate(before.warnings);
    }

    /// No cut is inside: the beginning is changed afterwards.
    fn constructor_in_whole(
        &mut self,
        head: &Head,
        arguments: &impl Fn(&mut Self) -> Done,
    ) -> Done {
        let (from, tags) = (self.text.length(), self.text.tags());
        self.text.begin_written_object(&head.plain);
        self.text.begin_object();
        arguments(self)?;
        self.text.end_object();
        if self.text.tags() != tags {
            self.text.replace(from, &head.plain, &head.tagged);
            self.text.end_inner_object();
        }
        self.text.end_object();
        Ok(())
    }

    /// Where cuts may be depends on the levels above: with a tag, all is written again.
    fn constructor_in_cuts(&mut self, head: &Head, arguments: &impl Fn(&mut Self) -> Done) -> Done {
        let (before, tags) = (self.before(), self.text.tags());
        self.text.begin_object();
        self.text.key(true, b"\"lc\":");
        self.text.integer(1);
        self.text.key(false, b"\"type\":");
        self.text.string(b"constructor");
        self.steps(false, head, arguments)?;
        self.text.end_object();
        if self.text.tags() == tags || self.text.is_muted() {
            return Ok(());
        }
        self.go_back(before);
        self.tagged(head, arguments)
    }

    fn tagged(&mut self, head: &Head, arguments: &impl Fn(&mut Self) -> Done) -> Done {
        self.text.begin_tag("lc");
        self.text.begin_object();
        self.steps(true, head, arguments)?;
        self.text.end_object();
        self.text.end_object();
        Ok(())
    }

    fn steps(
        &mut self,
        is_first: bool,
        head: &Head,
        arguments: &impl Fn(&mut Self) -> Done,
    ) -> Done {
        self.text.key(is_first, b"\"id\":");
        self.text.begin_array();
        for (index, step) in head.steps.iter().enumerate() {
            self.text.next(index == 0);
            self.text.string(step);
        }
        self.text.end_array();
        self.text.key(false, b"\"kwargs\":");
        self.text.begin_object();
        arguments(self)?;
        self.text.end_object();
        Ok(())
    }

    /// The empty lists and dicts that LangChain leaves out: written where they are shared.
    pub(super) fn empty<'a>(
        &mut self,
        mut is_first: bool,
        fields: impl Iterator<Item = (&'a Bound<'py, PyString>, &'a Bound<'py, PyAny>)>,
    ) -> Done
    where
        'py: 'a,
    {
        let mut labelled = Vec::new();
        for (name, item) in fields {
            match self.meet(item) {
                Meeting::New => {}
                Meeting::Labelled(label) => labelled.push((label, name, item)),
                Meeting::Again(label) => {
                    let key = self.key(name)?;
                    self.text.key(is_first, &key.quoted);
                    self.refer(label);
                    is_first = false;
                }
            }
        }
        labelled.sort_by_key(|(label, _, _)| *label);
        for (label, name, item) in labelled {
            let key = self.key(name)?;
            self.text.key(is_first, &key.quoted);
            let is_list = item.is_exact_instance_of::<PyList>();
            self.labelled(label, |walk| {
                if is_list {
                    walk.text.begin_array();
                    walk.text.end_array();
                } else {
                    walk.text.begin_object();
                    walk.text.end_object();
                }
                Ok(())
            })?;
            is_first = false;
        }
        Ok(())
    }
}
