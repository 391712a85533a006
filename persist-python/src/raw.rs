//! What PyO3 does not hand out: how often a value is held, dicts that may change while they are looked
//! at, and objects that are made and read past the code of their class.
#![expect(unsafe_code, reason = "the calls of CPython that PyO3 wraps otherwise, or not at all")]

use std::ffi::c_int;

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple, PyType};

/// Whether only one place holds this value, and the caller's `Bound`.
pub(crate) fn is_held_once(value: &Bound<'_, PyAny>) -> bool {
    // SAFETY: the pointer is that of a live value.
    unsafe { ffi::Py_REFCNT(value.as_ptr()) <= 2 }
}

/// What tells a value from all others that are alive.
pub(crate) fn address(value: &Bound<'_, PyAny>) -> usize {
    value.as_ptr() as usize
}

/// What tells the class of a value from all others.
pub(crate) fn class_address(value: &Bound<'_, PyAny>) -> usize {
    value.get_type_ptr() as usize
}

/// The `__dict__` of an object.
pub(crate) fn attributes<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the pointer is that of a live value; the call returns a new reference, or null with
    // an exception set.
    unsafe {
        let found = ffi::PyObject_GenericGetDict(value.as_ptr(), std::ptr::null_mut());
        Bound::from_owned_ptr_or_err(value.py(), found)
    }
}

/// Makes the `__dict__` of an object this one.
pub(crate) fn set_attributes(
    value: &Bound<'_, PyAny>,
    attributes: &Bound<'_, PyDict>,
) -> PyResult<()> {
    // SAFETY: both pointers are those of live values; the call takes a reference of its own.
    let done = unsafe {
        let none = std::ptr::null_mut();
        ffi::PyObject_GenericSetDict(value.as_ptr(), attributes.as_ptr(), none)
    };
    done_or_err(value.py(), done)
}

fn done_or_err(py: Python<'_>, done: c_int) -> PyResult<()> {
    if done == 0 { Ok(()) } else { Err(PyErr::fetch(py)) }
}

type Void = *mut std::ffi::c_void;

/// `object.__new__` of a class, without the lookups.
pub(crate) struct New(ffi::newfunc);

impl New {
    pub(crate) fn load(py: Python<'_>) -> PyResult<Self> {
        let object = py.get_type::<PyAny>();
        // SAFETY: the pointer is that of the class `object`, whose slot holds what its name says.
        unsafe {
            let slot = ffi::PyType_GetSlot(object.as_ptr().cast(), ffi::Py_tp_new);
            let slot = std::mem::transmute::<Void, Option<ffi::newfunc>>(slot);
            slot.map(Self).ok_or_else(|| PyTypeError::new_err("object has no __new__"))
        }
    }

    pub(crate) fn make<'py>(&self, class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
        let py = class.py();
        let none = PyTuple::empty(py);
        // SAFETY: the class and the arguments are alive; the slot is that of `object`, which takes a
        // class, arguments and no keywords, and returns a new reference, or null with an exception.
        unsafe {
            let made = (self.0)(class.as_ptr().cast(), none.as_ptr(), std::ptr::null_mut());
            Bound::from_owned_ptr_or_err(py, made)
        }
    }
}

/// A slot of a class, as `__slots__` declares it: read and set without the code of the class.
pub(crate) struct Slot {
    descriptor: Py<PyAny>,
    get: ffi::descrgetfunc,
    set: ffi::descrsetfunc,
}

impl Slot {
    pub(crate) fn of(class: &Bound<'_, PyType>, name: &str) -> PyResult<Self> {
        let py = class.py();
        let missing = || PyTypeError::new_err(format!("a class of messages has no slot {name}"));
        for base in class.mro() {
            let Ok(descriptor) = base.getattr("__dict__")?.get_item(name) else {
                continue;
            };
            let kind = py.import("types")?.getattr("MemberDescriptorType")?;
            if !descriptor.get_type().is(&kind) {
                return Err(missing());
            }
            // SAFETY: the class of the descriptor is alive, and each slot holds what its name says.
            return unsafe {
                let class = descriptor.get_type_ptr();
                let get = ffi::PyType_GetSlot(class, ffi::Py_tp_descr_get);
                let set = ffi::PyType_GetSlot(class, ffi::Py_tp_descr_set);
                let get = std::mem::transmute::<Void, Option<ffi::descrgetfunc>>(get);
                let set = std::mem::transmute::<Void, Option<ffi::descrsetfunc>>(set);
                let (get, set) = (get.ok_or_else(missing)?, set.ok_or_else(missing)?);
                Ok(Self { descriptor: descriptor.unbind(), get, set })
            };
        }
        Err(missing())
    }

    /// What an object of the class holds there.
    pub(crate) fn get<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        // SAFETY: all pointers are those of live values; the descriptor checks the class of the
        // value, and returns a new reference, or null with an exception.
        unsafe {
            let class = value.get_type_ptr().cast();
            let found = (self.get)(self.descriptor.as_ptr(), value.as_ptr(), class);
            Bound::from_owned_ptr_or_err(value.py(), found)
        }
    }

    pub(crate) fn set(&self, value: &Bound<'_, PyAny>, held: &Bound<'_, PyAny>) -> PyResult<()> {
        // SAFETY: as in `get`; the call takes a reference of its own.
        let done = unsafe { (self.set)(self.descriptor.as_ptr(), value.as_ptr(), held.as_ptr()) };
        done_or_err(value.py(), done)
    }
}

/// UTF-8 in an object of its own; the text itself would keep it for as long as it lives.
pub(crate) fn utf8<'py>(text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyBytes>> {
    // SAFETY: the pointer is that of a live text; the call returns new bytes, or null with an
    // exception set.
    unsafe {
        let made = ffi::PyUnicode_AsUTF8String(text.as_ptr());
        Ok(Bound::from_owned_ptr_or_err(text.py(), made)?.cast_into_unchecked())
    }
}

/// The characters of a text from one place to another.
pub(crate) fn part_of<'py>(
    text: &Bound<'py, PyString>,
    from: usize,
    to: usize,
) -> PyResult<Bound<'py, PyString>> {
    let (from, to) = (from.try_into()?, to.try_into()?);
    // SAFETY: the pointer is that of a live text; the call returns a new text, or null with an
    // exception set.
    unsafe {
        let made = ffi::PyUnicode_Substring(text.as_ptr(), from, to);
        Ok(Bound::from_owned_ptr_or_err(text.py(), made)?.cast_into_unchecked())
    }
}

/// The items of a dict, one after the other; an error once there are more or fewer than at first.
pub(crate) struct Items<'a, 'py> {
    dict: &'a Bound<'py, PyDict>,
    position: ffi::Py_ssize_t,
    /// How many are still to come.
    left: usize,
}

/// The dict has another size than before.
pub(crate) struct Changed;

impl<'a, 'py> Items<'a, 'py> {
    pub(crate) fn new(dict: &'a Bound<'py, PyDict>) -> Self {
        Self { dict, position: 0, left: dict.len() }
    }

    #[expect(clippy::type_complexity, reason = "a key and its value")]
    pub(crate) fn next(
        &mut self,
    ) -> Result<Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)>, Changed> {
        let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
        let py = self.dict.py();
        // SAFETY: the dict is alive, and the position is 0 or what the last call set it to; the
        // call checks it against the dict as it is now. Both pointers are borrowed of the dict, and
        // held before any code can run that changes it.
        unsafe {
            let dict = self.dict.as_ptr();
            if ffi::PyDict_Next(dict, &raw mut self.position, &raw mut key, &raw mut value) == 0 {
                return if self.left == 0 { Ok(None) } else { Err(Changed) };
            }
            self.left = self.left.checked_sub(1).ok_or(Changed)?;
            Ok(Some((Bound::from_borrowed_ptr(py, key), Bound::from_borrowed_ptr(py, value))))
        }
    }

    /// The value of the next item; `None` when that has another name, or there is none.
    ///
    /// It is borrowed of the dict: nobody may change that meanwhile.
    pub(crate) fn next_named(
        &mut self,
        name: &Bound<'py, PyString>,
    ) -> Option<Borrowed<'a, 'py, PyAny>> {
        let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
        let py = self.dict.py();
        // SAFETY: as in `next`.
        unsafe {
            let dict = self.dict.as_ptr();
            if ffi::PyDict_Next(dict, &raw mut self.position, &raw mut key, &raw mut value) == 0 {
                return None;
            }
            let (key, value) = (Borrowed::from_ptr(py, key), Borrowed::from_ptr(py, value));
            Some(value).filter(|_| is_word(&key, name))
        }
    }
}

/// Whether all keys of a dict are text, and of no subclass.
pub(crate) fn has_text_keys(dict: &Bound<'_, PyDict>) -> bool {
    let (mut position, mut key) = (0, std::ptr::null_mut());
    // SAFETY: the dict is alive, and nothing runs meanwhile that could change it; its keys are
    // borrowed for no longer than that.
    unsafe {
        let dict = dict.as_ptr();
        while ffi::PyDict_Next(dict, &raw mut position, &raw mut key, std::ptr::null_mut()) != 0 {
            if ffi::PyUnicode_CheckExact(key) == 0 {
                return false;
            }
        }
    }
    true
}

/// Whether this is a text, of no subclass, and has these characters.
pub(crate) fn is_word(value: &Bound<'_, PyAny>, word: &Bound<'_, PyString>) -> bool {
    let is_other = || value.is_exact_instance_of::<PyString>() && value.eq(word).unwrap_or(false);
    value.is(word) || is_other()
}

/// The number of characters of a text.
pub(crate) fn characters(text: &Bound<'_, PyString>) -> usize {
    // SAFETY: the pointer is that of a live text; the call cannot fail then.
    let length = unsafe { ffi::PyUnicode_GetLength(text.as_ptr()) };
    usize::try_from(length).unwrap_or_default()
}
