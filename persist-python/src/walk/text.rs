//! The text that a walk writes: JSON as `persist.codec._text` writes it, with the marks where it may
//! be cut.

use persist_core::Limits;

/// Levels of dicts between whose members a cut may be.
const LEVELS_OF_MARKS: u32 = 6;
/// From this length on, a cut may be behind a value that is no element of an upper list.
const LARGE: usize = 4096;

/// Text, as far as it was not handed on.
pub(super) struct Text {
    bytes: Vec<u8>,
    marks: Vec<usize>,
    /// How much was handed on before.
    start: usize,
    cuts: Cuts,
    tags: usize,
    /// What was written weighs so much, as the limits of the format count.
    weight: u64,
    /// How many containers are open.
    levels: u32,
    is_muted: bool,
}

pub(super) const CONTAINER: u64 = Limits::CONTAINER_WEIGHT;

/// The beginning of an object that is written as it is.
pub(super) struct Beginning {
    pub(super) text: Vec<u8>,
    /// What the object and all in the text weigh.
    pub(super) weight: u64,
}

/// Where cuts may be, at the place that is being written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cuts {
    /// Behind large members of a dict, and in them for so many levels.
    Members { levels: u32 },
    /// Behind each element of a list; so many containers are open in this one.
    Elements { open: usize, levels: u32 },
    /// Behind the value that began here, if it is large.
    Whole { open: usize, from: usize },
}

/// A place to go back to.
#[derive(Clone, Copy)]
pub(super) struct Place {
    length: usize,
    marks: usize,
    cuts: Cuts,
    tags: usize,
    weight: u64,
    levels: u32,
}

impl Text {
    pub(super) fn new(is_muted: bool) -> Self {
        Self {
            bytes: Vec::new(),
            marks: Vec::new(),
            start: 0,
            cuts: Cuts::Members { levels: LEVELS_OF_MARKS },
            tags: 0,
            weight: 0,
            levels: 0,
            is_muted,
        }
    }

    pub(super) fn is_muted(&self) -> bool {
        self.is_muted
    }

    /// Writes nothing from now on: the text will be written again.
    pub(super) fn mute(&mut self) {
        self.is_muted = true;
        self.bytes = Vec::new();
        self.marks = Vec::new();
    }

    /// How many containers are open.
    pub(super) fn levels(&self) -> u32 {
        self.levels
    }

    /// How many tags of ours were written.
    pub(super) fn tags(&self) -> usize {
        self.tags
    }

    pub(super) fn weight(&self) -> u64 {
        self.weight
    }

    /// Whether a cut may be between the members of the next dict.
    pub(super) fn is_cut_in_dicts(&self) -> bool {
        matches!(self.cuts, Cuts::Members { .. })
    }

    /// The length of all that was written.
    fn position(&self) -> usize {
        self.start + self.bytes.len()
    }

    /// The length of what was not handed on.
    pub(super) fn length(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn since(&self, length: usize) -> &[u8] {
        self.bytes.get(length..).unwrap_or_default()
    }

    pub(super) fn place(&self) -> Place {
        Place {
            length: self.bytes.len(),
            marks: self.marks.len(),
            cuts: self.cuts,
            tags: self.tags,
            weight: self.weight,
            levels: self.levels,
        }
    }

    pub(super) fn go_back(&mut self, place: Place) {
        self.bytes.truncate(place.length);
        self.marks.truncate(place.marks);
        self.cuts = place.cuts;
        self.tags = place.tags;
        self.weight = place.weight;
        self.levels = place.levels;
    }

    /// Puts another beginning of an object where this one stands; no marks are behind it.
    pub(super) fn replace(&mut self, from: usize, this: &Beginning, other: &Beginning) {
        self.weight = self.weight - this.weight + other.weight;
        if !self.is_muted {
            self.bytes.splice(from..from + this.text.len(), other.text.iter().copied());
        }
    }

    /// Takes what was written and is not handed on, with the marks in it; what comes is counted from
    /// there.
    pub(super) fn take(&mut self) -> (Vec<u8>, Vec<usize>) {
        let text = std::mem::take(&mut self.bytes);
        let marks = self.marks.drain(..).map(|mark| mark - self.start).collect();
        self.start += text.len();
        (text, marks)
    }

    /// Gives the memory of what was taken back.
    pub(super) fn reuse(&mut self, mut memory: Vec<u8>) {
        memory.clear();
        self.bytes = memory;
    }

    pub(super) fn begin_object(&mut self) {
        self.begin(b'{', true);
    }

    pub(super) fn begin_array(&mut self) {
        self.begin(b'[', false);
    }

    pub(super) fn end_object(&mut self) {
        self.end(b'}');
    }

    pub(super) fn end_array(&mut self) {
        self.end(b']');
    }

    /// An object whose beginning is written already, where no cut is inside.
    pub(super) fn begin_written_object(&mut self, beginning: &Beginning) {
        self.begin_object();
        self.weight = self.weight - CONTAINER + beginning.weight;
        if self.is_muted {
            return;
        }
        self.bytes.pop();
        self.bytes.extend_from_slice(&beginning.text);
    }

    /// The end of an object whose beginning was put there by `replace`.
    pub(super) fn end_inner_object(&mut self) {
        if !self.is_muted {
            self.bytes.push(b'}');
        }
    }

    fn begin(&mut self, bracket: u8, is_object: bool) {
        self.levels += 1;
        self.weight += CONTAINER;
        if self.is_muted {
            return;
        }
        self.cuts = match self.cuts {
            Cuts::Members { levels: 0 } => Cuts::Whole { open: 1, from: self.position() },
            Cuts::Members { levels } if is_object => Cuts::Members { levels: levels - 1 },
            Cuts::Members { levels } => Cuts::Elements { open: 0, levels },
            Cuts::Elements { open, levels } => Cuts::Elements { open: open + 1, levels },
            Cuts::Whole { open, from } => Cuts::Whole { open: open + 1, from },
        };
        self.bytes.push(bracket);
    }

    fn end(&mut self, bracket: u8) {
        self.levels -= 1;
        if self.is_muted {
            return;
        }
        self.bytes.push(bracket);
        match self.cuts {
            Cuts::Members { levels } => self.cuts = Cuts::Members { levels: levels + 1 },
            Cuts::Elements { open: 0, levels } => self.cuts = Cuts::Members { levels },
            Cuts::Elements { open, levels } => {
                self.cuts = Cuts::Elements { open: open - 1, levels };
                self.ended(0);
            }
            Cuts::Whole { open: 1, from } => {
                self.cuts = Cuts::Members { levels: 0 };
                self.ended(from);
            }
            Cuts::Whole { open, from } => self.cuts = Cuts::Whole { open: open - 1, from },
        }
    }

    /// Sets the mark behind a value that began here, if there is one.
    fn ended(&mut self, from: usize) {
        let is_marked = match self.cuts {
            Cuts::Members { .. } => self.position() - from >= LARGE,
            Cuts::Elements { open, .. } => open == 0,
            Cuts::Whole { .. } => false,
        };
        if is_marked {
            self.marks.push(self.position());
        }
    }

    /// What stands between two elements of a list.
    pub(super) fn next(&mut self, is_first: bool) {
        if !is_first && !self.is_muted {
            self.bytes.push(b',');
        }
    }

    /// A key, with its quotes and its colon.
    pub(super) fn key(&mut self, is_first: bool, quoted: &[u8]) {
        if self.is_muted {
            return;
        }
        let from = self.position() - usize::from(is_first);
        self.next(is_first);
        self.bytes.extend_from_slice(quoted);
        if self.is_cut_in_dicts() && self.position() - from >= LARGE {
            self.marks.push(self.position());
        }
    }

    /// A value that needs no quotes.
    pub(super) fn scalar(&mut self, text: &[u8]) {
        self.weight += 1;
        if self.is_muted {
            return;
        }
        let from = self.position();
        self.bytes.extend_from_slice(text);
        self.ended(from);
    }

    pub(super) fn integer(&mut self, value: i64) {
        let mut digits = itoa::Buffer::new();
        self.scalar(digits.format(value).as_bytes());
    }

    pub(super) fn string(&mut self, text: &[u8]) {
        self.weight += 1;
        if self.is_muted {
            return;
        }
        let from = self.position();
        quote(&mut self.bytes, text);
        self.ended(from);
    }

    /// The beginning of a text that comes in parts; says where that is.
    pub(super) fn begin_text(&mut self) -> usize {
        let from = self.position();
        self.weight += 1;
        if !self.is_muted {
            self.bytes.push(b'"');
        }
        from
    }

    /// What the next part is appended to, as it goes between the quotes.
    pub(super) fn part(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The end of a text that began here.
    pub(super) fn end_text(&mut self, from: usize) {
        if self.is_muted {
            return;
        }
        self.bytes.push(b'"');
        self.ended(from);
    }

    /// The beginning of a value that stands elsewhere too, up to the value.
    pub(super) fn begin_label(&mut self, label: u32) {
        self.tags += 1;
        self.begin_object();
        self.key(true, b"\"$persist\":");
        self.string(b"shared");
        self.key(false, b"\"id\":");
        self.integer(label.into());
        self.key(false, b"\"v\":");
    }

    /// The beginning of a tag of ours, up to its value.
    pub(super) fn begin_tag(&mut self, kind: &str) {
        self.tags += 1;
        self.begin_object();
        self.key(true, b"\"$persist\":");
        self.string(kind.as_bytes());
        self.key(false, b"\"v\":");
    }
}

/// A JSON string, as Python's `json` writes it without `ensure_ascii`.
pub(super) fn quote(into: &mut Vec<u8>, text: &[u8]) {
    into.push(b'"');
    escape(into, text);
    into.push(b'"');
}

/// What stands between the quotes.
pub(super) fn escape(into: &mut Vec<u8>, text: &[u8]) {
    into.reserve(text.len() + 2);
    let mut rest = text;
    loop {
        let (plain, from) = rest.split_at(plain_length(rest));
        into.extend_from_slice(plain);
        let Some((byte, more)) = from.split_first() else {
            return;
        };
        escape_byte(into, *byte);
        rest = more;
    }
}

fn escape_byte(into: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => return into.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
    };
    into.extend_from_slice(&[b'\\', short]);
}

/// How many bytes at the beginning stand for themselves.
fn plain_length(text: &[u8]) -> usize {
    let plain = if text.len() < 32 { plain_chunks::<8>(text) } else { plain_chunks::<32>(text) };
    let rest = text.get(plain..).unwrap_or_default();
    plain + rest.iter().take_while(|byte| !is_escaped(**byte)).count()
}

/// How many bytes at the beginning stand for themselves, as far as whole chunks tell.
fn plain_chunks<const N: usize>(text: &[u8]) -> usize {
    let (chunks, _) = text.as_chunks::<N>();
    let plain = chunks.iter().take_while(|chunk| is_plain(chunk)).count();
    // What is left is the end of the last chunk that can be.
    let is_all = plain == chunks.len() && text.last_chunk::<N>().is_some_and(is_plain);
    if is_all { text.len() } else { plain * N }
}

/// Without a branch inside, which compilers turn into vector instructions.
#[inline]
fn is_plain<const N: usize>(chunk: &[u8; N]) -> bool {
    !chunk.iter().fold(false, |found, byte| found | is_escaped(*byte))
}

fn is_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}
