//! Reads JSON text that arrives in pieces, as strictly as the rest of this room, in bounded memory.
//!
//! What is kept is one token that a piece cuts, and the keys of the objects that are open. A long
//! text is handed on in parts.

use std::collections::HashSet;
use std::mem;

use memchr::memchr2;

use super::{Bounds, format_error, is_space};
use crate::error::{Error, ErrorKind, Result};
use crate::metadata::Metadata;

/// A text that goes on in the next piece is handed on in parts of at least this many bytes.
const LONG: usize = 64 * 1024;

/// An escaped character beyond the first 65,536: two times `\u` and four digits.
const LONGEST_ESCAPE: usize = 12;

/// What is found in the text of a state, in the order of the text.
///
/// Nothing of it is to be acted on before all of the snapshot is checked: [`crate::snapshot::read`]
/// returns only then.
pub trait Events {
    /// The metadata, before anything else.
    fn begin(&mut self, metadata: &Metadata) {
        let _ = metadata;
    }

    /// `null`.
    fn null(&mut self) {}

    /// `true` or `false`.
    fn boolean(&mut self, value: bool) {
        let _ = value;
    }

    /// A number, as it stands in the text.
    fn number(&mut self, text: &str) {
        let _ = text;
    }

    /// A part of a long text; [`Events::string`] brings the last one.
    fn part(&mut self, text: &str) {
        let _ = text;
    }

    /// A text, or what is left of one that came in parts.
    fn string(&mut self, text: &str) {
        let _ = text;
    }

    /// The key of the next value; it is new in its object.
    fn key(&mut self, text: &str) {
        let _ = text;
    }

    /// The start of an array.
    fn begin_array(&mut self) {}

    /// The end of the innermost array.
    fn end_array(&mut self) {}

    /// The start of an object.
    fn begin_object(&mut self) {}

    /// The end of the innermost object.
    fn end_object(&mut self) {}

    /// Does work that needs nothing of the receiver, as reading and hashing the next block.
    fn detached<T: Send>(&mut self, work: impl FnOnce() -> T + Send) -> T {
        work()
    }
}

/// Looks at nothing: for checking alone.
pub(crate) struct Ignored;

impl Events for Ignored {}

/// What may stand next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    Nothing,
}

/// A text that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Key,
    Value,
}

/// A container that is still open.
enum Open {
    Array,
    Object { first: usize, text: usize, many: HashSet<String> },
}

/// The keys of the open objects, one behind the other; of an object with many, a set.
#[derive(Default)]
struct Keys {
    text: String,
    ends: Vec<(usize, usize)>,
}

impl Keys {
    const FEW: usize = 32;

    /// Adds a key to the innermost object; false when it was there already.
    fn add(&mut self, first: usize, many: &mut HashSet<String>, key: &str) -> bool {
        if !many.is_empty() {
            return many.insert(key.to_owned());
        }
        let few = self.ends.get(first..).unwrap_or_default();
        let text = |&(start, end): &(usize, usize)| self.text.get(start..end);
        if few.iter().any(|place| text(place) == Some(key)) {
            return false;
        }
        if few.len() >= Self::FEW {
            many.extend(few.iter().filter_map(text).map(str::to_owned));
            return many.insert(key.to_owned());
        }
        let start = self.text.len();
        self.text.push_str(key);
        self.ends.push((start, self.text.len()));
        true
    }
}

/// Reads one JSON value with nothing around it, piece by piece.
pub(crate) struct Parser {
    bounds: Bounds,
    /// Where in the whole text the next byte stands.
    offset: u64,
    /// The start of a token that the last piece cut.
    carry: Vec<u8>,
    cuts_number: bool,
    inside: Option<Text>,
    scratch: String,
    expect: Expect,
    open: Vec<Open>,
    keys: Keys,
    last: u8,
}

impl Parser {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            offset: 0,
            carry: Vec::new(),
            cuts_number: false,
            inside: None,
            scratch: String::new(),
            expect: Expect::Value,
            open: Vec::new(),
            keys: Keys::default(),
            last: b' ',
        }
    }

    /// Reads the next piece of the text.
    pub(crate) fn feed(&mut self, piece: &[u8], events: &mut impl Events) -> Result<()> {
        let (Some(first), Some(last)) = (piece.first(), piece.last()) else {
            return Ok(());
        };
        if self.offset == 0 && self.carry.is_empty() && is_space(*first) {
            return Err(not_bare());
        }
        self.last = *last;
        if self.cuts_number {
            return self.rest_of_number(piece, events);
        }
        if self.carry.is_empty() {
            return self.read(piece, events);
        }
        let mut joined = mem::take(&mut self.carry);
        joined.extend_from_slice(piece);
        self.read(&joined, events)
    }

    /// Checks that the value is there whole.
    pub(crate) fn finish(&mut self, events: &mut impl Events) -> Result<()> {
        if mem::take(&mut self.cuts_number) {
            let number = mem::take(&mut self.carry);
            self.number(&number, events)?;
        }
        if is_space(self.last) {
            return Err(not_bare());
        }
        if self.expect == Expect::Nothing && self.carry.is_empty() {
            return Ok(());
        }
        Err(self.refuse(0, "the text ends inside a value"))
    }

    /// A number ends where another byte stands, or the text ends.
    fn rest_of_number(&mut self, piece: &[u8], events: &mut impl Events) -> Result<()> {
        let (more, behind) = split_number(piece);
        self.carry.extend_from_slice(more);
        self.check_digits(&self.carry)?;
        if behind.is_empty() {
            return Ok(());
        }
        self.cuts_number = false;
        let number = mem::take(&mut self.carry);
        self.number(&number, events)?;
        self.offset = self.offset.saturating_add(number.len() as u64);
        self.read(behind, events)
    }

    fn read(&mut self, text: &[u8], events: &mut impl Events) -> Result<()> {
        let mut rest = text;
        let result = self.tokens(&mut rest, events);
        let used = text.len().saturating_sub(rest.len());
        let result = result.map_err(|refused| refused.at(self.offset.saturating_add(used as u64)));
        self.offset = self.offset.saturating_add(used as u64);
        self.carry.extend_from_slice(rest);
        result
    }

    /// Reads tokens until the text ends or ends inside one.
    fn tokens(
        &mut self,
        rest: &mut &[u8],
        events: &mut impl Events,
    ) -> std::result::Result<(), Refused> {
        loop {
            if let Some(text) = self.inside {
                if !self.text(text, rest, events)? {
                    return Ok(());
                }
                continue;
            }
            let Some((byte, behind)) = rest.split_first() else {
                return Ok(());
            };
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => {}
                b'"' => self.begin_text()?,
                b',' => self.comma()?,
                b':' => self.colon()?,
                b'[' | b'{' => self.begin(*byte == b'{', events)?,
                b']' | b'}' => self.end(*byte == b'}', events)?,
                _ => {
                    if !self.scalar(rest, events)? {
                        return Ok(());
                    }
                    continue;
                }
            }
            *rest = behind;
        }
    }

    fn begin_text(&mut self) -> std::result::Result<(), Refused> {
        self.inside = Some(match self.expect {
            Expect::Value | Expect::ValueOrEnd => Text::Value,
            Expect::Key | Expect::KeyOrEnd => Text::Key,
            _ => return Err(UNEXPECTED),
        });
        Ok(())
    }

    fn comma(&mut self) -> std::result::Result<(), Refused> {
        self.expect = match (self.expect, self.open.last()) {
            (Expect::CommaOrEnd, Some(Open::Array)) => Expect::Value,
            (Expect::CommaOrEnd, Some(Open::Object { .. })) => Expect::Key,
            _ => return Err(UNEXPECTED),
        };
        Ok(())
    }

    fn colon(&mut self) -> std::result::Result<(), Refused> {
        if self.expect != Expect::Colon {
            return Err(UNEXPECTED);
        }
        self.expect = Expect::Value;
        Ok(())
    }

    fn begin(
        &mut self,
        is_object: bool,
        events: &mut impl Events,
    ) -> std::result::Result<(), Refused> {
        self.check_value()?;
        if self.open.len() >= self.bounds.depth {
            let limit = self.bounds.depth;
            let message = format!("the JSON value is nested more than {limit} levels deep");
            return Err(Refused::Whole(Error::new(ErrorKind::LimitExceeded, message)));
        }
        if is_object {
            let (first, text) = (self.keys.ends.len(), self.keys.text.len());
            self.open.push(Open::Object { first, text, many: HashSet::new() });
            self.expect = Expect::KeyOrEnd;
            events.begin_object();
        } else {
            self.open.push(Open::Array);
            self.expect = Expect::ValueOrEnd;
            events.begin_array();
        }
        Ok(())
    }

    fn end(
        &mut self,
        is_object: bool,
        events: &mut impl Events,
    ) -> std::result::Result<(), Refused> {
        match (is_object, self.expect, self.open.pop()) {
            (false, Expect::ValueOrEnd | Expect::CommaOrEnd, Some(Open::Array)) => {
                events.end_array();
            }
            (
                true,
                Expect::KeyOrEnd | Expect::CommaOrEnd,
                Some(Open::Object { first, text, .. }),
            ) => {
                self.keys.ends.truncate(first);
                self.keys.text.truncate(text);
                events.end_object();
            }
            _ => return Err(UNEXPECTED),
        }
        self.value_ended();
        Ok(())
    }

    fn check_value(&self) -> std::result::Result<(), Refused> {
        if matches!(self.expect, Expect::Value | Expect::ValueOrEnd) {
            return Ok(());
        }
        Err(UNEXPECTED)
    }

    fn value_ended(&mut self) {
        self.expect = if self.open.is_empty() { Expect::Nothing } else { Expect::CommaOrEnd };
    }

    /// Reads a number or a word; false when the text ends inside it.
    fn scalar(
        &mut self,
        rest: &mut &[u8],
        events: &mut impl Events,
    ) -> std::result::Result<bool, Refused> {
        self.check_value()?;
        if matches!(rest.first(), Some(b'-' | b'0'..=b'9')) {
            let (number, behind) = split_number(rest);
            if behind.is_empty() {
                self.check_digits(number).map_err(Refused::Whole)?;
                self.cuts_number = true;
                return Ok(false);
            }
            self.number(number, events).map_err(Refused::Whole)?;
            *rest = behind;
            return Ok(true);
        }
        for word in ["null", "true", "false"] {
            if let Some(behind) = rest.strip_prefix(word.as_bytes()) {
                *rest = behind;
                match word {
                    "null" => events.null(),
                    _ => events.boolean(word == "true"),
                }
                self.value_ended();
                return Ok(true);
            }
            if word.as_bytes().starts_with(rest) {
                return Ok(false);
            }
        }
        Err(UNEXPECTED)
    }

    fn number(&mut self, number: &[u8], events: &mut impl Events) -> Result<()> {
        self.check_digits(number)?;
        let text = str::from_utf8(number).ok().filter(|_| is_number(number));
        let text = text.ok_or_else(|| self.refuse(0, "this is not a number"))?;
        events.number(text);
        self.value_ended();
        Ok(())
    }

    fn check_digits(&self, number: &[u8]) -> Result<()> {
        let digits = number.strip_prefix(b"-").unwrap_or(number);
        let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count <= self.bounds.integer_digits {
            return Ok(());
        }
        let (start, limit) = (self.offset, self.bounds.integer_digits);
        Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("an integer near byte {start} has more than {limit} digits"),
        ))
    }

    /// Reads on in a text; false when the piece ends inside it.
    fn text(
        &mut self,
        kind: Text,
        rest: &mut &[u8],
        events: &mut impl Events,
    ) -> std::result::Result<bool, Refused> {
        loop {
            let length = memchr2(b'"', b'\\', rest);
            let (run, behind) = rest.split_at(length.unwrap_or(rest.len()));
            if run.iter().fold(u8::MAX, |least, byte| least.min(*byte)) < b' ' {
                return Err(Refused::Here("a control character stands in a text"));
            }
            match behind.split_first() {
                Some((b'"', behind)) => {
                    let text = str::from_utf8(run).map_err(|_| NOT_UTF8)?;
                    *rest = behind;
                    self.inside = None;
                    return self.end_text(kind, text, events).map(|()| true);
                }
                Some(_) => {
                    self.scratch.push_str(str::from_utf8(run).map_err(|_| NOT_UTF8)?);
                    *rest = behind;
                    let Some((character, length)) = unescape(behind)? else {
                        return Ok(false);
                    };
                    self.scratch.push(character);
                    *rest = behind.get(length..).unwrap_or_default();
                }
                None => {
                    let (text, cut) = whole_characters(run)?;
                    self.scratch.push_str(text);
                    *rest = cut;
                    if kind == Text::Value && self.scratch.len() >= LONG {
                        events.part(&self.scratch);
                        self.scratch.clear();
                    }
                    return Ok(false);
                }
            }
        }
    }

    fn end_text(
        &mut self,
        kind: Text,
        last: &str,
        events: &mut impl Events,
    ) -> std::result::Result<(), Refused> {
        if self.scratch.is_empty() {
            return self.text_ended(kind, last, events);
        }
        let mut scratch = mem::take(&mut self.scratch);
        scratch.push_str(last);
        self.text_ended(kind, &scratch, events)?;
        scratch.clear();
        self.scratch = scratch;
        Ok(())
    }

    fn text_ended(
        &mut self,
        kind: Text,
        text: &str,
        events: &mut impl Events,
    ) -> std::result::Result<(), Refused> {
        if kind == Text::Value {
            events.string(text);
            self.value_ended();
            return Ok(());
        }
        if let Some(Open::Object { first, many, .. }) = self.open.last_mut()
            && !self.keys.add(*first, many, text)
        {
            return Err(Refused::Twice(text.to_owned()));
        }
        events.key(text);
        self.expect = Expect::Colon;
        Ok(())
    }

    fn refuse(&self, behind: usize, why: &'static str) -> Error {
        Refused::Here(why).at(self.offset.saturating_add(behind as u64))
    }
}

/// Why a token is refused; the place is added where it is known.
enum Refused {
    Here(&'static str),
    Twice(String),
    Whole(Error),
}

const UNEXPECTED: Refused = Refused::Here("this cannot stand here");
const NOT_UTF8: Refused = Refused::Here("a text is not UTF-8");
const BAD_ESCAPE: Refused = Refused::Here("this is no escape sequence, or half of a character");

impl Refused {
    /// Names the place and the reason, never a text that is a value: it may hold a secret.
    fn at(self, place: u64) -> Error {
        match self {
            Self::Here(why) => format_error(format!("invalid JSON at byte {place}: {why}")),
            Self::Twice(key) => format_error(format!(
                "the key {key:?} stands twice in one object, near byte {place}"
            )),
            Self::Whole(error) => error,
        }
    }
}

fn not_bare() -> Error {
    format_error("the JSON value is empty or has white space around it")
}

fn split_number(text: &[u8]) -> (&[u8], &[u8]) {
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    text.split_at(text.iter().take_while(|byte| is_part(byte)).count())
}

/// Whether this is a number as RFC 8259 has it.
fn is_number(text: &[u8]) -> bool {
    let whole = text.strip_prefix(b"-").unwrap_or(text);
    let (digits, rest) = split_digits(whole);
    let is_whole = digits == b"0" || digits.first().is_some_and(|byte| *byte != b'0');
    let (has_fraction, rest) = match rest.strip_prefix(b".") {
        Some(fraction) => {
            let (digits, rest) = split_digits(fraction);
            (!digits.is_empty(), rest)
        }
        None => (true, rest),
    };
    let has_exponent = match rest {
        [] => true,
        [b'e' | b'E', b'+' | b'-', digits @ ..] | [b'e' | b'E', digits @ ..] => {
            let (digits, rest) = split_digits(digits);
            !digits.is_empty() && rest.is_empty()
        }
        _ => false,
    };
    is_whole && has_fraction && has_exponent
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

/// The characters that are there whole, and the start of one that is not.
fn whole_characters(run: &[u8]) -> std::result::Result<(&str, &[u8]), Refused> {
    let whole = match str::from_utf8(run) {
        Ok(text) => return Ok((text, &[])),
        Err(error) if error.error_len().is_some() => return Err(NOT_UTF8),
        Err(error) => error.valid_up_to(),
    };
    let (whole, cut) = run.split_at(whole);
    Ok((str::from_utf8(whole).map_err(|_| NOT_UTF8)?, cut))
}

/// The character that an escape sequence stands for, and its length; `None` when it is cut.
fn unescape(text: &[u8]) -> std::result::Result<Option<(char, usize)>, Refused> {
    let character = match text.get(1) {
        None => return Ok(None),
        Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unescape_unit(text),
        Some(_) => return Err(BAD_ESCAPE),
    };
    Ok(Some((character, 2)))
}

fn unescape_unit(text: &[u8]) -> std::result::Result<Option<(char, usize)>, Refused> {
    let Some(digits) = text.get(2..6) else {
        return Ok(None);
    };
    let high = unit(digits)?;
    if let Some(character) = char::from_u32(u32::from(high)) {
        return Ok(Some((character, 6)));
    }
    let Some(low) = text.get(6..LONGEST_ESCAPE) else {
        return Ok(None);
    };
    let low = unit(low.strip_prefix(b"\\u").ok_or(BAD_ESCAPE)?)?;
    let mut decoded = char::decode_utf16([high, low]);
    match (decoded.next(), decoded.next()) {
        (Some(Ok(character)), None) => Ok(Some((character, LONGEST_ESCAPE))),
        _ => Err(BAD_ESCAPE),
    }
}

fn unit(digits: &[u8]) -> std::result::Result<u16, Refused> {
    let mut bytes = [0; 2];
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| BAD_ESCAPE)?;
    Ok(u16::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::members;
    use super::*;

    const BOUNDS: Bounds = Bounds { depth: 8, integer_digits: 20 };

    fn kind(text: &[u8], piece: usize) -> Option<ErrorKind> {
        let mut parser = Parser::new(BOUNDS);
        let fed = text.chunks(piece).try_for_each(|piece| parser.feed(piece, &mut Ignored));
        fed.and_then(|()| parser.finish(&mut Ignored)).err().map(|error| error.kind())
    }

    /// What the reader of whole documents says of the same value.
    fn kind_of_member(text: &[u8]) -> Option<ErrorKind> {
        let bounds = Bounds { depth: BOUNDS.depth, ..BOUNDS };
        let document = [b"{\"v\":", text, b"}"].concat();
        members(&document, bounds).err().map(|error| error.kind())
    }

    #[derive(Default)]
    struct Texts(String);

    impl Events for Texts {
        fn part(&mut self, text: &str) {
            self.0.push_str(text);
        }
        fn string(&mut self, text: &str) {
            self.0.push_str(text);
            self.0.push('|');
        }
        fn key(&mut self, text: &str) {
            self.0.push_str(text);
            self.0.push(':');
        }
        fn number(&mut self, text: &str) {
            self.string(text);
        }
    }

    #[test]
    fn texts_and_numbers_are_the_same_however_they_are_cut() {
        let long = "é\\n".repeat(LONG);
        let text = format!(r#"{{"a\u00e9":"\ud83d\ude00 {long}","b":[-12.5e+3,"",1234567]}}"#);
        let expected = format!("aé:😀 {}|b:-12.5e+3||1234567|", "é\n".repeat(LONG));
        for piece in [1, 2, 3, 7, 64 * 1024, text.len()] {
            let (mut parser, mut texts) = (Parser::new(BOUNDS), Texts::default());
            for piece in text.as_bytes().chunks(piece) {
                parser.feed(piece, &mut texts).unwrap();
            }
            parser.finish(&mut texts).unwrap();
            assert!(texts.0 == expected, "cut every {piece} bytes");
        }
    }

    fn json_like() -> impl Strategy<Value = Vec<u8>> {
        let token = prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"a\"",
            "\"b\"",
            "\"\\u0061\"",
            "\"\\ud800\"",
            "\"\\ud83d\\ude00\"",
            "\"\\x\"",
            "1",
            "-0",
            "01",
            "1.5",
            "1.",
            "2e7",
            "null",
            "true",
            "nu",
            "NaN",
            " ",
            "\"é\"",
            "\u{7f}",
            "\"\u{1}\"",
            "123456789012345678901",
            "\"",
        ]);
        prop::collection::vec(token, 0..12).prop_map(|tokens| tokens.concat().into_bytes())
    }

    fn a_value() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(vec!["1", "-2.5e3", "null", "true", "\"x\\n\"", "\"é\""]);
        leaf.prop_map(str::to_owned).prop_recursive(5, 24, 4, |inner| {
            let key = prop::sample::select(vec!["a", "b", "c", "d"]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(|items| format!("[{}]", items.join(","))),
                prop::collection::vec((key, inner), 0..4).prop_map(|items| {
                    let items: Vec<_> =
                        items.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                    format!("{{{}}}", items.join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn verdicts_are_those_of_the_reader_of_whole_documents(
            text in prop_oneof![json_like(), a_value().prop_map(String::into_bytes)],
            piece in 1_usize..9,
        ) {
            let is_bare = |byte: Option<&u8>| byte.is_some_and(|byte| !is_space(*byte));
            prop_assume!(is_bare(text.first()) && is_bare(text.last()));
            // A text that closes the member and begins another is one value for the other reader.
            prop_assume!(!text.starts_with(b"1,") && !kind_is_two_members(&text));
            prop_assert_eq!(kind(&text, piece).is_some(), kind_of_member(&text).is_some());
        }
    }

    fn kind_is_two_members(text: &[u8]) -> bool {
        let document = [b"{\"v\":", text, b"}"].concat();
        members(&document, BOUNDS).is_ok_and(|members| members.len() != 1)
    }
}
