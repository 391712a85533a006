//! Reads JSON text that arrives in pieces, as strictly as the rest of this room, in bounded memory.
//!
//! What is kept is one token that a piece cuts, and the keys of the objects that are open. A long
//! text is handed on in parts.

mod events;
mod keys;
mod numbers;
mod texts;

use std::mem;

pub use events::Events;
pub(crate) use events::Ignored;

use self::keys::{Keys, OwnKeys};
use self::numbers::{is_number, split_number};
use self::texts::{plain_length, unescape};
use super::{Bounds, CONTAINER, format_error, is_space};
use crate::error::{Error, ErrorKind, Result};

/// A text that goes on in the next piece is handed on in parts of at least this many bytes.
const LONG: usize = 64 * 1024;

/// An escaped character beyond the first 65,536: two times `\u` and four digits.
const LONGEST_ESCAPE: usize = 12;

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
    Object(OwnKeys),
}

/// Where in a piece the next token stands.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Skips this byte, when it is the next one.
    fn skips(&mut self, byte: u8) -> bool {
        let is_next = self.rest().first() == Some(&byte);
        self.skip(usize::from(is_next));
        is_next
    }

    fn skip(&mut self, length: usize) {
        self.at = self.at.saturating_add(length);
    }

    /// Takes text that ends before an ASCII character.
    fn take(&mut self, length: usize) -> &'a str {
        let start = self.at;
        self.skip(length);
        self.text.get(start..self.at).unwrap_or_default()
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
    weight: u64,
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
            weight: 0,
        }
    }

    /// What was read weighs so much.
    pub(crate) fn weight(&self) -> u64 {
        self.weight
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

    fn read(&mut self, bytes: &[u8], events: &mut impl Events) -> Result<()> {
        let (text, behind, is_bad) = split_text(bytes);
        let mut cursor = Cursor { text, at: 0 };
        let result = self.tokens(&mut cursor, events);
        self.offset = self.offset.saturating_add(cursor.at as u64);
        result.map_err(|refused| refused.at(self.offset))?;
        let rest = cursor.rest();
        if is_bad {
            return Err(self.refuse(rest.len(), "the text is not UTF-8"));
        }
        self.carry.extend_from_slice(rest);
        self.carry.extend_from_slice(behind);
        Ok(())
    }

    /// Reads tokens until the text ends or ends inside one.
    fn tokens(
        &mut self,
        cursor: &mut Cursor<'_>,
        events: &mut impl Events,
    ) -> std::result::Result<(), Refused> {
        loop {
            if let Some(text) = self.inside {
                if !self.text(text, cursor, events)? {
                    return Ok(());
                }
                self.usual(cursor)?;
                continue;
            }
            let Some(byte) = cursor.rest().first() else {
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
                    if !self.scalar(cursor, events)? {
                        return Ok(());
                    }
                    continue;
                }
            }
            cursor.skip(1);
        }
    }

    /// Takes what most often follows a text, before the next one: a branch that is always the same
    /// is cheaper than the choice among all tokens.
    fn usual(&mut self, cursor: &mut Cursor<'_>) -> std::result::Result<(), Refused> {
        if self.expect == Expect::Colon {
            if !cursor.skips(b':') {
                return Ok(());
            }
            self.expect = Expect::Value;
        } else if cursor.skips(b',') {
            self.comma()?;
        }
        cursor.skips(b' ');
        if cursor.skips(b'"') { self.begin_text() } else { Ok(()) }
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
            (Expect::CommaOrEnd, Some(Open::Object(_))) => Expect::Key,
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
        self.weigh(CONTAINER).map_err(Refused::Whole)?;
        if is_object {
            self.open.push(Open::Object(self.keys.begin()));
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
            (true, Expect::KeyOrEnd | Expect::CommaOrEnd, Some(Open::Object(own))) => {
                self.keys.end(&own);
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

    fn weigh(&mut self, weight: u64) -> Result<()> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight <= self.bounds.weight {
            return Ok(());
        }
        Err(too_heavy(self.bounds.weight))
    }

    fn value_ended(&mut self) {
        self.expect = if self.open.is_empty() { Expect::Nothing } else { Expect::CommaOrEnd };
    }

    /// Reads a number or a word; false when the text ends inside it.
    fn scalar(
        &mut self,
        cursor: &mut Cursor<'_>,
        events: &mut impl Events,
    ) -> std::result::Result<bool, Refused> {
        self.check_value()?;
        let rest = cursor.rest();
        if matches!(rest.first(), Some(b'-' | b'0'..=b'9')) {
            let (number, behind) = split_number(rest);
            if behind.is_empty() {
                self.check_digits(number).map_err(Refused::Whole)?;
                self.cuts_number = true;
                return Ok(false);
            }
            self.number(number, events).map_err(Refused::Whole)?;
            cursor.skip(number.len());
            return Ok(true);
        }
        for word in ["null", "true", "false"] {
            if rest.starts_with(word.as_bytes()) {
                self.weigh(1).map_err(Refused::Whole)?;
                cursor.skip(word.len());
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
        self.weigh(1)?;
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
        cursor: &mut Cursor<'_>,
        events: &mut impl Events,
    ) -> std::result::Result<bool, Refused> {
        loop {
            let run = cursor.take(plain_length(cursor.rest()));
            let rest = cursor.rest();
            match rest.first() {
                Some(b'"') => {
                    cursor.skip(1);
                    self.inside = None;
                    return self.end_text(kind, run, events).map(|()| true);
                }
                Some(b'\\') => {
                    self.scratch.push_str(run);
                    self.hand_on(kind, events);
                    let Some((character, length)) = unescape(rest)? else {
                        return Ok(false);
                    };
                    self.scratch.push(character);
                    cursor.skip(length);
                }
                Some(_) => return Err(Refused::Here("a control character stands in a text")),
                None => {
                    self.scratch.push_str(run);
                    self.hand_on(kind, events);
                    return Ok(false);
                }
            }
        }
    }

    /// Hands on what has come of a long text.
    fn hand_on(&mut self, kind: Text, events: &mut impl Events) {
        if kind == Text::Value && self.scratch.len() >= LONG {
            events.part(&self.scratch);
            self.scratch.clear();
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
            self.weigh(1).map_err(Refused::Whole)?;
            events.string(text);
            self.value_ended();
            return Ok(());
        }
        if let Some(Open::Object(own)) = self.open.last_mut()
            && !self.keys.add(own, text)
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

/// The error for a state that weighs more than this.
pub(crate) fn too_heavy(limit: u64) -> Error {
    let message = format!("the state weighs more than {limit}: it holds too many values");
    Error::new(ErrorKind::LimitExceeded, message)
        .with_hint("if you trust the file, read it with higher limits")
}

fn not_bare() -> Error {
    format_error("the JSON value is empty or has white space around it")
}

/// The characters that are there whole, the bytes behind them, and whether those are not UTF-8;
/// else they begin a character that the next piece ends.
fn split_text(bytes: &[u8]) -> (&str, &[u8], bool) {
    match str::from_utf8(bytes) {
        Ok(text) => (text, &[], false),
        Err(error) => {
            let (whole, behind) = bytes.split_at(error.valid_up_to());
            (str::from_utf8(whole).unwrap_or_default(), behind, error.error_len().is_some())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::members;
    use super::*;

    const BOUNDS: Bounds = Bounds { depth: 8, integer_digits: 20, weight: u64::MAX };

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
