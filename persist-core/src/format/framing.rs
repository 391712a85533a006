//! The bytes around the blocks, as each container has them: written here and read back here.
//!
//! Nothing in this file compresses: the head is stored, and blocks arrive compressed.

mod gzip;
mod zstd;

use super::table::Entry;
use super::{MAX_HEAD, PAGE, head};
use crate::compression::Container;
use crate::error::Result;

pub(super) use gzip::has_lengths as is_native_gzip;
pub(super) use zstd::is_native_head as is_native_zstd;

/// A block as it stands in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    /// What the algorithm made.
    pub(super) packed: &'a [u8],
    /// Bytes in the file, with the framing.
    pub(super) length: u32,
    /// Bytes of text.
    pub(super) plain: u32,
    /// The whole member of gzip, whose trailer holds a checksum of the text.
    pub(super) member: Option<&'a [u8]>,
    /// Whether an algorithm of a third party made it.
    pub(super) is_private: bool,
}

/// A native file, taken apart but not yet checked.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    pub(super) head: &'a [u8],
    pub(super) blocks: Vec<Block<'a>>,
    pub(super) table: Vec<Entry>,
}

/// Bytes that the framing adds to the text of the head.
pub(super) fn head_overhead(container: Container) -> usize {
    match container {
        Container::Gzip => gzip::HEAD_OVERHEAD,
        Container::Zstd | Container::Private => zstd::HEAD_OVERHEAD,
        Container::Plain => 0,
    }
}

/// The length that the head of a file with this metadata takes: whole pages.
pub(super) fn head_length(container: Container, metadata: &str) -> Result<usize> {
    let least = head::least_length(metadata).saturating_add(head_overhead(container));
    let length = least.next_multiple_of(PAGE);
    if length > MAX_HEAD {
        return Err(head::too_long(MAX_HEAD));
    }
    Ok(length)
}

/// Frames the text of the head.
pub(super) fn head_bytes(container: Container, text: &[u8]) -> Vec<u8> {
    match container {
        Container::Gzip => gzip::head(text),
        Container::Zstd | Container::Private => zstd::raw_frame(text),
        Container::Plain => text.to_vec(),
    }
}

/// Frames one block of state.
pub(super) fn block_bytes(container: Container, plain: &[u8], packed: Vec<u8>) -> Vec<u8> {
    match container {
        Container::Gzip => gzip::block(plain, &packed),
        Container::Zstd => zstd::block(plain.len(), &packed),
        Container::Private => zstd::private_block(plain.len(), &packed),
        Container::Plain => packed,
    }
}

/// Writes the end of the file: the block table and the last byte of the document.
pub(super) fn closing_bytes(container: Container, table: &[Entry]) -> Vec<u8> {
    match container {
        Container::Gzip => gzip::closing(table),
        Container::Zstd | Container::Private => zstd::closing(table),
        Container::Plain => head::CLOSING.to_vec(),
    }
}

/// Takes a native file apart; nothing of the state is decompressed.
pub(super) fn take_apart(container: Container, file: &[u8]) -> Result<Layout<'_>> {
    match container {
        Container::Gzip => gzip::take_apart(file),
        _ => zstd::take_apart(file),
    }
}

/// Takes one block, with its framing and nothing else.
pub(super) fn take_block(container: Container, bytes: &[u8]) -> Result<Block<'_>> {
    match container {
        Container::Gzip => gzip::take_block(bytes),
        _ => zstd::take_framed_block(bytes),
    }
}

/// The text of a native head, and its length in the file; the file may be cut behind it.
pub(super) fn take_head(container: Container, file: &[u8]) -> Result<(&[u8], usize)> {
    match container {
        Container::Gzip => gzip::take_head(file),
        _ => zstd::take_head(file),
    }
}
