//! Numbers, as RFC 8259 has them.

/// The bytes that can be of a number, and what follows.
pub(super) fn split_number(text: &[u8]) -> (&[u8], &[u8]) {
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    text.split_at(text.iter().take_while(|byte| is_part(byte)).count())
}

/// Whether this is a number as RFC 8259 has it.
pub(super) fn is_number(text: &[u8]) -> bool {
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
