//! What stands between quotes.

use super::{LONGEST_ESCAPE, Refused};

const BAD_ESCAPE: Refused = Refused::Here("this is no escape sequence, or half of a character");

/// Bytes that are looked at together: the compiler makes vector instructions of it.
const LANE: usize = 16;

/// How many bytes there are before a quote, an escape or a control character.
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    let (lanes, tail) = bytes.as_chunks::<LANE>();
    let mut length = 0_usize;
    for lane in lanes {
        let mut ends = [0_u8; LANE];
        for (end, byte) in ends.iter_mut().zip(lane) {
            *end = if ends_run(*byte) { u8::MAX } else { 0 };
        }
        let ends = u128::from_le_bytes(ends);
        if ends != 0 {
            return length.saturating_add(ends.trailing_zeros() as usize / 8);
        }
        length = length.saturating_add(LANE);
    }
    length.saturating_add(tail.iter().take_while(|byte| !ends_run(**byte)).count())
}

#[expect(clippy::needless_bitwise_bool, reason = "branches would rule vector instructions out")]
fn ends_run(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < b' ')
}

/// The character that an escape sequence stands for, and its length; `None` when it is cut.
pub(super) fn unescape(text: &[u8]) -> std::result::Result<Option<(char, usize)>, Refused> {
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
