//! The text of the head: metadata first, padded with spaces, up to where the state begins.

use super::malformed;
use crate::error::{Error, ErrorKind, Result};

/// How the document begins.
pub(super) const OPENING: &[u8] = br#"{"metadata":"#;

/// What stands between the metadata and the state.
pub(super) const BETWEEN: &[u8] = br#","agent_state":"#;

/// How the document ends.
pub(super) const CLOSING: &[u8] = b"}";

/// Writes the text of the head, padded to this length.
pub(super) fn to_text(metadata: &str, length: usize) -> Result<Vec<u8>> {
    let mut text = [OPENING, metadata.as_bytes()].concat();
    let padding = length.checked_sub(text.len()).and_then(|left| left.checked_sub(BETWEEN.len()));
    let padding = padding.ok_or_else(|| too_long(length))?;
    text.resize(text.len().saturating_add(padding), b' ');
    text.extend_from_slice(BETWEEN);
    Ok(text)
}

/// The length of the text without padding.
pub(super) fn least_length(metadata: &str) -> usize {
    OPENING.len().saturating_add(metadata.len()).saturating_add(BETWEEN.len())
}

/// The metadata in the text of a native head.
pub(super) fn metadata_in(text: &[u8]) -> Result<&[u8]> {
    let inner = text.strip_prefix(OPENING).and_then(|text| text.strip_suffix(BETWEEN));
    let inner = inner.ok_or_else(|| malformed("the head does not hold metadata alone"))?;
    let inner = trim(inner, &[b' '; 64]);
    Ok(trim(inner, b" "))
}

/// The text without these spaces at its end, however often they stand there.
fn trim<'a>(text: &'a [u8], spaces: &[u8]) -> &'a [u8] {
    let mut text = text;
    while let Some(rest) = text.strip_suffix(spaces) {
        text = rest;
    }
    text
}

pub(super) fn too_long(limit: usize) -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        format!("the metadata does not fit a head of {limit} bytes"),
    )
    .with_hint("shorten the description or the tags")
}
