//! Writes values as the JSON of `persist.codec` while they are walked.
//!
//! `persist/codec/_encode.py` says what the text is, and a property test holds both to the same
//! bytes. What is seldom, and all that has to be refused, is left to it: the walk stops with
//! `Stop::Leave`, and Python begins anew. Values of other classes than the built-in ones are asked
//! for their shape in Python; messages of LangChain are read by a plan.

mod again;
mod containers;
mod keys;
mod long;
mod messages;
mod numbers;
mod objects;
mod pace;
mod path;

mod secrets;
mod shared;
mod stream;
mod text;

use std::collections::{HashMap, HashSet};

use persist_core::Error;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyString, PyTuple,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::error::Failure;
use crate::raw;

pub(crate) use self::keys::Key;
pub(crate) use self::messages::Head;
pub(crate) use self::stream::{Saving, Stream};

use self::keys::Keys;
use self::objects::Class;
use self::pace::{Pace, Print};
use self::path::{Path, Step};
use self::secrets::{Policy, Scan};
use self::shared::Met;
use self::stream::Piece;
use self::text::Text;

/// Levels of values inside one another, from which on the codec in Python takes over.
const DEEPEST: u32 = 100;
/// The largest integer that every reader of JSON holds exactly.
const SAFE_INTEGER: i64 = 1 << 53;
/// Whether longer integers can come back is for the codec in Python to say.
const LONGEST_INTEGER: usize = 4000;

/// Why a walk ended before its time.
pub(crate) enum Stop {
    /// The codec in Python does it, or says what is wrong.
    Leave,
    /// The state changed meanwhile.
    Changed,
    /// Long bytes stand in a constructor that was begun as one without tags.
    Tagged,
    /// Something long is held by a value whose text was kept, to be read again.
    Held,
    Python(PyErr),
    Core(Error),
}

impl From<PyErr> for Stop {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Core(error) => Self::Core(error),
            Failure::Python(error) => Self::Python(error),
        }
    }
}

impl From<raw::Changed> for Stop {
    fn from(_: raw::Changed) -> Self {
        Self::Changed
    }
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Python(error) => Self::Python(error),
            Stop::Core(error) => Self::Core(error),
            Stop::Leave | Stop::Changed | Stop::Tagged | Stop::Held => {
                Self::Python(Python::attach(changed))
            }
        }
    }
}

/// The exception for a state that changed.
fn changed(py: Python<'_>) -> PyErr {
    let make = || py.import("persist.codec._encode")?.getattr("changed")?.call0();
    make().map_or_else(|failed| failed, PyErr::from_value)
}

type Done<T = ()> = std::result::Result<T, Stop>;

/// How the caller wants it, as `persist.codec` hands it over.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Wishes<'py> {
    path: Bound<'py, PyString>,
    secrets_policy: String,
    redact: Bound<'py, PyFrozenSet>,
    /// Whether what Python gave the shape of is read again and compared.
    verify: bool,
    max_pause: Option<f64>,
}

/// One walk over one value.
struct Walk<'w, 'py> {
    py: Python<'py>,
    wishes: &'w Wishes<'py>,
    /// Who takes the text before all of it is there.
    stream: Option<&'w mut Stream>,
    text: Text,
    met: Met<'py>,
    keys: Keys<'py>,
    scan: Scan<'py>,
    classes: FxHashMap<usize, Class<'py>>,
    /// By address: what Python said of values that hold others.
    shapes: FxHashMap<usize, (Bound<'py, PyAny>, Bound<'py, PyAny>)>,
    /// The addresses of what there is a limit for.
    counted: HashMap<String, HashSet<usize>>,
    /// The addresses of messages that their plan does not fit.
    unplanned: FxHashSet<usize>,
    /// The addresses of constructors' values that hold long bytes: they begin with a tag.
    tagged: HashSet<usize>,
    pace: Pace,
    print: Print,
    /// Where a text of a conversation looks like it holds a credential.
    warnings: Vec<String>,
    /// How many nodes are open whose text may still change.
    unsettled: u32,
    /// Whether a value that Python gave the shape of shares something with others.
    needs_check: bool,
    /// How many labels and references were written.
    labels_written: u64,
    /// How many values are open that Python gave the shape of.
    shaped: u32,
    /// Whether the value that is open needs no check of its text.
    is_proven: bool,
    /// Whether the walk only looks whether all is as it was.
    is_checking: bool,
}

/// What was written.
pub(crate) struct Written {
    pub(crate) text: Vec<u8>,
    pub(crate) marks: Vec<usize>,
    /// Whether all of it is to be read again and compared.
    pub(crate) needs_check: bool,
    /// What it weighs, as the limits of the format count.
    pub(crate) weight: u64,
}

/// Writes a value: its text, the marks, whether that is to be read again and compared, and what it
/// weighs; `None` where the codec in Python has to do it.
#[pyfunction]
#[expect(clippy::type_complexity, reason = "four parts of what was written")]
pub(crate) fn walk<'py>(
    value: &Bound<'py, PyAny>,
    wishes: Wishes<'py>,
) -> Result<Option<(Bound<'py, PyBytes>, Vec<usize>, bool, u64)>, Failure> {
    match write(value, &wishes) {
        Ok(written) => {
            let text = PyBytes::new(value.py(), &written.text);
            Ok(Some((text, written.marks, written.needs_check, written.weight)))
        }
        Err(Stop::Leave) => Ok(None),
        Err(stop) => Err(stop.into()),
    }
}

/// Writes a value.
pub(crate) fn write<'py>(value: &Bound<'py, PyAny>, wishes: &Wishes<'py>) -> Done<Written> {
    let mut walk = Walk::new(value.py(), wishes, None);
    walk.run(value)?;
    let (needs_check, weight) = (walk.needs_check, walk.text.weight());
    let (text, marks) = walk.text.take();
    Ok(Written { text, marks, needs_check, weight })
}

/// Writes a value into a snapshot, up to what is still to be saved.
pub(crate) fn begin<'py>(
    value: &Bound<'py, PyAny>,
    wishes: &Wishes<'py>,
    mut stream: Stream,
) -> Done<Saving> {
    let mut walk = Walk::new(value.py(), wishes, Some(&mut stream));
    walk.run(value)?;
    let weight = walk.text.weight();
    let (text, marks) = walk.text.take();
    Ok(Saving { stream, rest: Piece { text, marks }, weight })
}

impl<'w, 'py> Walk<'w, 'py> {
    fn new(py: Python<'py>, wishes: &'w Wishes<'py>, stream: Option<&'w mut Stream>) -> Self {
        Self {
            py,
            wishes,
            stream,
            text: Text::new(false),
            met: Met::new(),
            keys: Keys::new(),
            scan: Scan::new(&wishes.secrets_policy, wishes.redact.clone()),
            classes: FxHashMap::default(),
            shapes: FxHashMap::default(),
            counted: HashMap::new(),
            unplanned: FxHashSet::default(),
            tagged: HashSet::new(),
            pace: Pace::new(wishes.max_pause),
            print: Print::default(),
            warnings: Vec::new(),
            unsettled: 0,
            needs_check: false,
            labels_written: 0,
            shaped: 0,
            is_proven: false,
            is_checking: false,
        }
    }

    fn run(&mut self, value: &Bound<'py, PyAny>) -> Done {
        self.pass(value)?;
        let print = self.print;
        if self.met.labels() > 0 {
            if let Some(stream) = &mut self.stream {
                stream.restart();
            }
            self.begin_pass(Text::new(false));
            self.pass(value)?;
        }
        if self.needs_check && self.stream.is_some() {
            // The text is not there any more, to be compared.
            return Err(Stop::Leave);
        }
        if self.pace.was_interrupted() {
            let written = std::mem::replace(&mut self.text, Text::new(true));
            let (seen, needs_check) = (self.print, self.needs_check);
            self.is_checking = true;
            self.pace.hurry();
            self.begin_pass(Text::new(true));
            self.pass(value)?;
            (self.text, self.needs_check) = (written, needs_check);
            if self.print != print || seen != print {
                return Err(Stop::Changed);
            }
        }
        self.warn()
    }

    fn begin_pass(&mut self, text: Text) {
        self.text = text;
        self.needs_check = false;
        self.met.walk_again();
        self.print = Print::default();
        if !self.is_checking {
            self.warnings.clear();
        }
    }

    fn pass(&mut self, value: &Bound<'py, PyAny>) -> Done {
        let wishes = self.wishes;
        self.value(value, &Path::root(&wishes.path), 0)
    }

    /// Hands on what is written, if it is time; lets other threads run.
    fn settle(&mut self) -> Done {
        self.pace.breathe(self.py);
        self.hand_on()
    }

    /// Hands on what is written, if that is enough and will not be changed.
    fn hand_on(&mut self) -> Done {
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        if self.unsettled > 0 || self.text.length() < stream.kept() {
            return Ok(());
        }
        let (text, marks) = self.text.take();
        let taken = stream.take(self.py, Piece { text, marks })?;
        self.text.reuse(taken.memory);
        if taken.has_waited {
            self.pace.interrupted();
        }
        Ok(())
    }

    /// A function of `persist.codec._walk`.
    fn codec(&self, name: &str) -> Done<Bound<'py, PyAny>> {
        let module = self.py.import(intern!(self.py, "persist.codec._walk"))?;
        Ok(module.getattr(name)?)
    }

    fn warn(&mut self) -> Done {
        if self.warnings.is_empty() {
            return Ok(());
        }
        self.codec("warn")?.call1((std::mem::take(&mut self.warnings),))?;
        Ok(())
    }

    fn value(&mut self, value: &Bound<'py, PyAny>, at: &Path<'_, 'py>, depth: u32) -> Done {
        if self.is_checking {
            return self.see(value, at, depth);
        }
        self.print.saw(raw::address(value) as u64);
        if let Ok(text) = value.cast_exact::<PyString>() {
            self.string(text, at)
        } else if let Ok(dict) = value.cast_exact::<PyDict>() {
            self.print.saw(dict.len() as u64);
            self.shared(value, depth, |walk| walk.dict(dict, at, depth))
        } else if let Ok(list) = value.cast_exact::<PyList>() {
            self.print.saw(list.len() as u64);
            self.shared(value, depth, |walk| walk.list(list, at, depth))
        } else if value.is_none() {
            self.text.scalar(b"null");
            Ok(())
        } else if let Ok(number) = value.cast_exact::<PyInt>() {
            self.integer(number)
        } else if let Ok(number) = value.cast_exact::<PyFloat>() {
            self.float(number.extract()?);
            Ok(())
        } else if let Ok(is_true) = value.cast_exact::<PyBool>() {
            self.text.scalar(if is_true.is_true() { b"true" } else { b"false" });
            Ok(())
        } else {
            self.other(value, at, depth)
        }
    }

    /// A value of a class that JSON does not have.
    fn other(&mut self, value: &Bound<'py, PyAny>, at: &Path<'_, 'py>, depth: u32) -> Done {
        if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            self.tuple(tuple, at, depth)
        } else if let Ok(bytes) = value.cast_exact::<PyBytes>() {
            self.bytes(bytes)
        } else if let Ok(bytes) = value.cast_exact::<PyByteArray>() {
            self.shared(value, depth, |walk| walk.bytearray(bytes))
        } else {
            self.object(value, at, depth)
        }
    }

    /// Shows Python a text that may hold a credential.
    fn show(&mut self, text: &Bound<'py, PyString>, at: &Path<'_, 'py>) -> Done {
        if self.scan.policy == Policy::Allow {
            return Ok(());
        }
        self.pace.interrupted();
        let path = at.text()?;
        match self.codec("suspicion")?.call1((text, &path))?.extract::<u8>()? {
            0 => {}
            1 if self.scan.policy == Policy::Error => self.warnings.push(path),
            _ => return Err(Stop::Leave),
        }
        Ok(())
    }

    fn integer(&mut self, number: &Bound<'py, PyInt>) -> Done {
        match number.extract::<i64>() {
            Ok(value) if (-SAFE_INTEGER..=SAFE_INTEGER).contains(&value) => {
                self.print.saw(value.cast_unsigned());
                self.text.integer(value);
            }
            Ok(value) => self.big_integer(value.to_string().as_bytes()),
            Err(_) => {
                let Ok(digits) = number.str() else {
                    return Err(Stop::Leave);
                };
                if digits.len()? > LONGEST_INTEGER {
                    return Err(Stop::Leave);
                }
                self.big_integer(raw::utf8(&digits)?.as_bytes());
            }
        }
        Ok(())
    }

    fn big_integer(&mut self, digits: &[u8]) {
        self.text.begin_tag("int");
        self.text.string(digits);
        self.text.end_object();
    }

    fn float(&mut self, value: f64) {
        self.print.saw(value.to_bits());
        if value.is_finite() {
            self.text.scalar(&numbers::float(value));
            return;
        }
        self.text.begin_tag("float");
        self.text.string(format!("{:016x}", value.to_bits()).as_bytes());
        self.text.end_object();
    }
}
