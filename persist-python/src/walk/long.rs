//! Texts and bytes, which may be long: they are written in parts, and handed on between those.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PySlice, PyString};

use super::{Done, Path, Stop, Walk, text};
use crate::raw;

/// From this length on, it is cheaper to ask whether a text is ASCII than to copy it.
const SHORTEST_ASCII: usize = 512;
/// Longer texts are written in parts of so many characters.
const LONG: usize = 1 << 18;
/// By how much parts overlap when they are searched for credentials.
const LONGEST_CREDENTIAL: usize = 4096;
/// Bytes are written in parts of so many; a multiple of three, which base64 ends a part with.
const PART: usize = 3 << 16;
/// From this length on, what holds bytes is written again, so that they can go on.
const WORTH_IT: usize = 1 << 20;

impl<'py> Walk<'_, 'py> {
    pub(super) fn string(&mut self, text: &Bound<'py, PyString>, at: &Path<'_, 'py>) -> Done {
        let length = raw::characters(text);
        self.print.saw(length as u64);
        if self.text.is_muted() {
            // What is wrong with it, or suspect, is found when it is written.
            return Ok(());
        }
        self.check_held_text(length)?;
        if length >= SHORTEST_ASCII
            && text.call_method0(intern!(self.py, "isascii"))?.is_truthy()?
        {
            // Nothing is kept in the text for it, as would be with other characters.
            return self.ascii(text, text.to_str()?.as_bytes(), at);
        }
        if length > LONG {
            return self.long_string(text, length, at);
        }
        match raw::utf8(text) {
            Ok(utf8) => {
                self.look(text, utf8.as_bytes(), at)?;
                self.text.string(utf8.as_bytes());
                Ok(())
            }
            Err(_) => self.surrogates(text, at),
        }
    }

    fn look(&mut self, text: &Bound<'py, PyString>, utf8: &[u8], at: &Path<'_, 'py>) -> Done {
        if self.scan.is_suspect(utf8) { self.show(text, at) } else { Ok(()) }
    }

    fn ascii(&mut self, text: &Bound<'py, PyString>, ascii: &[u8], at: &Path<'_, 'py>) -> Done {
        self.look(text, ascii, at)?;
        let from = self.text.begin_text();
        for part in ascii.chunks(LONG) {
            text::escape(self.text.part(), part);
            self.hand_on()?;
        }
        self.text.end_text(from);
        Ok(())
    }

    /// A text in parts, so that it is not there twice as a whole.
    fn long_string(
        &mut self,
        text: &Bound<'py, PyString>,
        length: usize,
        at: &Path<'_, 'py>,
    ) -> Done {
        let place = self.text.place();
        // Parts overlap by what a credential is long.
        let mut is_suspect = false;
        let mut tail = Vec::new();
        let begun = self.text.begin_text();
        for from in (0..length).step_by(LONG) {
            let part = raw::part_of(text, from, from + LONG)?;
            let Ok(utf8) = raw::utf8(&part) else {
                self.text.go_back(place);
                return self.surrogates(text, at);
            };
            let bytes = utf8.as_bytes();
            text::escape(self.text.part(), bytes);
            tail.extend_from_slice(bytes);
            is_suspect |= self.scan.is_suspect(&tail);
            tail.drain(..tail.len().saturating_sub(LONGEST_CREDENTIAL));
        }
        self.text.end_text(begun);
        if is_suspect { self.show(text, at) } else { Ok(()) }
    }

    /// A text that UTF-8 does not have.
    fn surrogates(&mut self, text: &Bound<'py, PyString>, at: &Path<'_, 'py>) -> Done {
        self.show(text, at)?;
        let utf16 = text.call_method1("encode", ("utf-16-be", "surrogatepass"))?;
        let digits: String = utf16.call_method0("hex")?.extract()?;
        self.text.begin_tag("str");
        self.text.string(digits.as_bytes());
        self.text.end_object();
        Ok(())
    }

    pub(super) fn bytes(&mut self, bytes: &Bound<'py, PyBytes>) -> Done {
        self.check_held(bytes.as_bytes().len())?;
        self.text.begin_tag("bytes");
        self.base64(bytes.as_bytes())?;
        self.text.end_object();
        Ok(())
    }

    pub(super) fn bytearray(&mut self, bytes: &Bound<'py, PyByteArray>) -> Done {
        self.check_held(bytes.len())?;
        self.text.begin_tag("bytearray");
        self.buffer(bytes.as_any())?;
        self.text.end_object();
        Ok(())
    }

    /// Leaves it to what this stands in to be written in another way, when that pays: a constructor
    /// begins with a tag, a value whose text is read again is checked before.
    pub(super) fn check_held(&self, length: usize) -> Done {
        let is_held = self.unsettled > 0 && self.stream.is_some() && !self.text.is_muted();
        match (is_held && length >= WORTH_IT, self.shaped) {
            (false, _) => Ok(()),
            (true, 0) => Err(Stop::Tagged),
            (true, _) => Err(Stop::Held),
        }
    }

    /// The same for a text, which needs no tag.
    fn check_held_text(&self, length: usize) -> Done {
        if self.shaped > 0 { self.check_held(length) } else { Ok(()) }
    }

    fn base64(&mut self, bytes: &[u8]) -> Done {
        let from = self.text.begin_text();
        if self.text.is_muted() {
            return Ok(());
        }
        for part in bytes.chunks(PART) {
            encode(part, self.text.part())?;
            self.hand_on()?;
        }
        self.text.end_text(from);
        Ok(())
    }

    /// The base64 of what may change while it is written, as an array: what it held is compared in
    /// the end.
    pub(super) fn buffer(&mut self, buffer: &Bound<'py, PyAny>) -> Done {
        if let Ok(bytes) = buffer.cast_exact::<PyBytes>() {
            return self.base64(bytes.as_bytes());
        }
        let length = buffer.len()?;
        self.print.saw(length as u64);
        let begun = self.text.begin_text();
        for from in (0..length).step_by(PART) {
            let to = length.min(from.saturating_add(PART));
            let part = self.part_of(buffer, from, to)?;
            self.print.saw_bytes(part.as_bytes());
            if !self.text.is_muted() {
                encode(part.as_bytes(), self.text.part())?;
                self.hand_on()?;
            }
        }
        self.text.end_text(begun);
        Ok(())
    }

    fn part_of(
        &self,
        buffer: &Bound<'py, PyAny>,
        from: usize,
        to: usize,
    ) -> Done<Bound<'py, PyBytes>> {
        let slice = PySlice::new(self.py, isize_of(from)?, isize_of(to)?, 1);
        let part = buffer.get_item(slice)?;
        let part = self.py.get_type::<PyBytes>().call1((part,))?.cast_into::<PyBytes>();
        part.ok().filter(|part| part.as_bytes().len() == to - from).ok_or(Stop::Changed)
    }
}

fn isize_of(place: usize) -> Done<isize> {
    isize::try_from(place).map_err(|_| Stop::Changed)
}

fn encode(part: &[u8], into: &mut Vec<u8>) -> Done {
    let length = into.len();
    into.resize(length + part.len().div_ceil(3) * 4, 0);
    let free = into.get_mut(length..).unwrap_or_default();
    STANDARD.encode_slice(part, free).map_err(|_| Stop::Leave)?;
    Ok(())
}
