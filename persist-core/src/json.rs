//! The one strict reader of JSON text (RFC 8259) that bytes from outside go through.
//!
//! It refuses what parsers are known to disagree on: duplicate keys at any level, `NaN`, lone
//! surrogates, a byte order mark, bytes that are not UTF-8, and anything after the value. It keeps
//! its own stack, so that depth costs memory in proportion and never the thread's stack.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod stream;

use std::collections::HashSet;
use std::hash::Hash;
use std::ops::Range;

use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType, Peek};

pub use stream::Events;
pub(crate) use stream::{Ignored, Parser, too_heavy};

use crate::error::{Error, ErrorKind, Result};

/// How far a text may go before it is refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Arrays and objects inside one another.
    pub(crate) depth: usize,
    /// Digits of one integer.
    pub(crate) integer_digits: usize,
    /// Values, where an array or object counts as [`CONTAINER`].
    pub(crate) weight: u64,
}

/// What an array or object weighs beside one scalar.
pub(crate) const CONTAINER: u64 = 8;

/// As many members as metadata has, and a few more.
const USUAL_MEMBERS: usize = 24;

/// One member of an object: its key, and where its value stands.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) value: Range<usize>,
}

/// Checks that the text is one JSON value with nothing around it.
pub(crate) fn check(text: &[u8], bounds: Bounds) -> Result<()> {
    let mut parser = Parser::new(bounds);
    parser.feed(text, &mut Ignored)?;
    parser.finish(&mut Ignored)
}

/// Checks that the text is one JSON object, and says where the values of its members stand.
pub(crate) fn members(text: &[u8], bounds: Bounds) -> Result<Vec<Member>> {
    let mut scanner = Scanner::new(text, bounds);
    let found = scanner.object()?;
    scanner.end()?;
    Ok(found)
}

/// The first member of the object that this text begins, when it is there whole.
///
/// The text may end anywhere after it: this is how metadata is read from the head of a file.
pub(crate) fn first_member(text: &[u8], bounds: Bounds) -> Option<Member> {
    let mut scanner = Scanner::new(text, bounds);
    let key = scanner.jiter.next_object().ok()??.to_owned();
    let value = scanner.member_value().ok()?;
    Some(Member { key, value })
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn format_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Format, message)
}

/// A container that is still open.
enum Open {
    Array,
    Object(Keys<String>),
}

/// The keys of one object: a list while it is short, a set from then on.
struct Keys<K> {
    few: Vec<K>,
    many: HashSet<K>,
}

impl<K: Eq + Hash> Keys<K> {
    const FEW: usize = 32;

    fn new() -> Self {
        Self { few: Vec::new(), many: HashSet::new() }
    }

    /// Adds a key; false when it was there already.
    fn add(&mut self, key: K) -> bool {
        if self.many.is_empty() && self.few.len() < Self::FEW {
            let is_new = !self.few.contains(&key);
            self.few.push(key);
            return is_new;
        }
        self.many.extend(self.few.drain(..));
        self.many.insert(key)
    }
}

struct Scanner<'a> {
    text: &'a [u8],
    jiter: Jiter<'a>,
    bounds: Bounds,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a [u8], bounds: Bounds) -> Self {
        Self { text, jiter: Jiter::new(text), bounds }
    }

    fn end(&mut self) -> Result<()> {
        self.jiter.finish().map_err(|error| self.refuse(&error))
    }

    /// Reads one object and the place of each member's value.
    fn object(&mut self) -> Result<Vec<Member>> {
        let mut found = Vec::with_capacity(USUAL_MEMBERS);
        let mut next = self.first_key()?;
        while let Some(key) = next {
            let value = self.member_value()?;
            found.push(Member { key, value });
            next = self.next_key()?;
        }
        let mut keys = Keys::new();
        match found.iter().find(|member| !keys.add(member.key.as_str())) {
            Some(member) => Err(twice(&member.key, member.value.start)),
            None => Ok(found),
        }
    }

    /// Reads the value that follows a key; returns where it stands.
    fn member_value(&mut self) -> Result<Range<usize>> {
        let peek = self.jiter.peek().map_err(|error| self.refuse(&error))?;
        let start = self.jiter.current_index();
        self.known_value(peek)?;
        Ok(start..self.jiter.current_index())
    }

    /// Reads one value, whatever is inside it, without recursion.
    fn known_value(&mut self, first: Peek) -> Result<()> {
        let mut open = Vec::new();
        let mut next = self.enter(first, &mut open)?;
        loop {
            let peek = match next {
                Some(peek) => peek,
                None => match self.step(&mut open)? {
                    Some(peek) => peek,
                    None if open.is_empty() => return Ok(()),
                    None => continue,
                },
            };
            next = self.enter(peek, &mut open)?;
        }
    }

    /// Reads a scalar, or opens a container and returns its first value.
    fn enter(&mut self, peek: Peek, open: &mut Vec<Open>) -> Result<Option<Peek>> {
        match peek {
            Peek::Array => {
                self.deepen(open, Open::Array)?;
                let first = self.jiter.known_array().map_err(|error| self.refuse(&error))?;
                Ok(close_if_none(first, open))
            }
            Peek::Object => {
                let mut keys = Keys::new();
                let first = self.first_key()?;
                if let Some(key) = &first {
                    self.add_key(&mut keys, key)?;
                }
                self.deepen(open, Open::Object(keys))?;
                let value = first.map(|_| self.peek()).transpose()?;
                Ok(close_if_none(value, open))
            }
            Peek::String => {
                let read = self.jiter.known_str().map(drop);
                read.map_err(|error| self.refuse(&error)).map(|()| None)
            }
            _ => self.scalar(peek).map(|()| None),
        }
    }

    fn scalar(&mut self, peek: Peek) -> Result<()> {
        match peek {
            Peek::Null => self.jiter.known_null().map_err(|error| self.refuse(&error)),
            Peek::True | Peek::False => {
                self.jiter.known_bool(peek).map(drop).map_err(|error| self.refuse(&error))
            }
            _ => self.number(peek),
        }
    }

    fn number(&mut self, peek: Peek) -> Result<()> {
        let start = self.jiter.current_index();
        let digits = self
            .jiter
            .known_number_bytes(peek)
            .map(|number| {
                number
                    .iter()
                    .skip_while(|byte| **byte == b'-')
                    .take_while(|byte| byte.is_ascii_digit())
            })
            .map(Iterator::count)
            .map_err(|error| self.refuse(&error))?;
        if digits > self.bounds.integer_digits {
            let limit = self.bounds.integer_digits;
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("the integer at byte {start} has more than {limit} digits"),
            ));
        }
        Ok(())
    }

    /// The next value of the innermost open container, or `None` when that one is closed.
    fn step(&mut self, open: &mut Vec<Open>) -> Result<Option<Peek>> {
        let next = match open.last_mut() {
            None => return Ok(None),
            Some(Open::Array) => self.jiter.array_step().map_err(|error| self.refuse(&error))?,
            Some(Open::Object(keys)) => match self.next_key()? {
                None => None,
                Some(key) => {
                    self.add_key(keys, &key)?;
                    Some(self.peek()?)
                }
            },
        };
        Ok(close_if_none(next, open))
    }

    fn peek(&mut self) -> Result<Peek> {
        self.jiter.peek().map_err(|error| self.refuse(&error))
    }

    fn first_key(&mut self) -> Result<Option<String>> {
        let key = self.jiter.next_object().map(|key| key.map(str::to_owned));
        key.map_err(|error| self.refuse(&error))
    }

    fn next_key(&mut self) -> Result<Option<String>> {
        let key = self.jiter.next_key().map(|key| key.map(str::to_owned));
        key.map_err(|error| self.refuse(&error))
    }

    fn add_key(&self, keys: &mut Keys<String>, key: &str) -> Result<()> {
        if keys.add(key.to_owned()) { Ok(()) } else { Err(twice(key, self.jiter.current_index())) }
    }

    fn deepen(&self, open: &mut Vec<Open>, container: Open) -> Result<()> {
        open.push(container);
        if open.len() <= self.bounds.depth {
            return Ok(());
        }
        let limit = self.bounds.depth;
        Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("the JSON value is nested more than {limit} levels deep"),
        ))
    }

    /// Names the place and the reason, never the text itself: it may hold a secret.
    fn refuse(&self, error: &JiterError) -> Error {
        let place = error.index.min(self.text.len());
        let is_long_number =
            error.error_type == JiterErrorType::JsonError(JsonErrorType::NumberOutOfRange);
        let kind = if is_long_number { ErrorKind::LimitExceeded } else { ErrorKind::Format };
        Error::new(kind, format!("invalid JSON at byte {place}: {}", error.error_type))
    }
}

fn twice(key: &str, place: usize) -> Error {
    format_error(format!("the key {key:?} stands twice in one object, near byte {place}"))
}

fn close_if_none(next: Option<Peek>, open: &mut Vec<Open>) -> Option<Peek> {
    if next.is_none() {
        open.pop();
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { depth: 8, integer_digits: 20, weight: 100 };

    fn kind(text: &str) -> Option<ErrorKind> {
        check(text.as_bytes(), BOUNDS).err().map(|error| error.kind())
    }

    #[test]
    fn every_kind_of_value_is_accepted() {
        for text in [
            "null",
            "true",
            "[]",
            "{}",
            "[1,2.5e-3,\"a\"]",
            r#"{"a":{"b":[{}]},"c":[[],[1]]}"#,
            "-0.0",
            "\"\\ud83d\\ude00\"",
        ] {
            assert_eq!(kind(text), None, "{text}");
        }
    }

    #[test]
    fn what_parsers_disagree_on_is_refused() {
        for text in [
            "",
            " 1",
            "1 ",
            "NaN",
            "[1,]",
            "{\"a\":1,}",
            "01",
            "+1",
            "1.",
            "\u{feff}1",
            "1 2",
            r#"{"a":1,"a":2}"#,
            r#"[{"b":{"a":1,"\u0061":2}}]"#,
            r#""\ud800""#,
            "\"\n\"",
            "[",
            "Infinity",
            "{\"a\"}",
            "'a'",
        ] {
            assert_eq!(kind(text), Some(ErrorKind::Format), "{text:?}");
        }
        assert!(check(b"\"\xff\"", BOUNDS).is_err());
    }

    #[test]
    fn limits_are_exact() {
        assert_eq!(kind("[[[[[[[[]]]]]]]]"), None);
        assert_eq!(kind("[[[[[[[[[]]]]]]]]]"), Some(ErrorKind::LimitExceeded));
        assert_eq!(kind(&"1".repeat(20)), None);
        assert_eq!(kind(&"1".repeat(21)), Some(ErrorKind::LimitExceeded));
        let of = |items: usize| format!("[[],{{\"a\":\"\"}}{}]", ",null".repeat(items));
        assert_eq!(kind(&of(75)), None);
        assert_eq!(kind(&of(76)), Some(ErrorKind::LimitExceeded));
    }

    #[test]
    fn duplicates_are_found_among_many_keys() {
        for count in [31, 32, 33, 40] {
            let many: Vec<_> = (0..count).map(|n| format!("\"k{n}\":{n}")).collect();
            let once = format!("{{{}}}", many.join(","));
            assert_eq!(kind(&once), None);
            assert_eq!(members(once.as_bytes(), BOUNDS).unwrap().len(), count);
            for again in [3, count - 1] {
                let twice = format!("{{{},\"k{again}\":0}}", many.join(","));
                assert_eq!(kind(&twice), Some(ErrorKind::Format));
                let error = members(twice.as_bytes(), BOUNDS).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Format);
            }
        }
    }

    #[test]
    fn members_say_where_the_values_stand() {
        let text = br#"{ "a" : [1, 2] , "b":{"c":3}}"#;
        let found = members(text, BOUNDS).unwrap();
        let values: Vec<_> =
            found.iter().map(|member| (&*member.key, text.get(member.value.clone()))).collect();
        assert_eq!(values, [("a", text.get(8..14)), ("b", text.get(21..28))]);
    }

    #[test]
    fn the_first_member_is_found_in_a_cut_text() {
        let text = br#"{"metadata":{"a":1}  ,"agent_state":[1,2"#;
        let member = first_member(text, BOUNDS).unwrap();
        assert_eq!(text.get(member.value), Some(&br#"{"a":1}"#[..]));
        assert!(first_member(&text[..15], BOUNDS).is_none());
    }
}
