//! The block table: length and digest of every block, at the end of a native file.

use super::{changed, malformed};
use crate::error::Result;
use crate::hashing::{DIGEST_LENGTH, Digest};

/// Bytes of one entry: two lengths and a digest.
pub(super) const ENTRY: usize = 4 + 4 + DIGEST_LENGTH;

/// Entries in one part of the table: what fits the extra field of a gzip member.
pub(super) const ENTRIES_IN_PART: usize = 1600;

/// One block of state, as the table holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// Bytes that the block takes in the file, with its framing.
    pub(super) length: u32,
    /// Bytes of its text.
    pub(super) plain: u32,
    /// SHA-256 of its text.
    pub(super) digest: Digest,
}

/// Writes a part of the table.
pub(super) fn to_bytes(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len().saturating_mul(ENTRY));
    for entry in entries {
        bytes.extend(entry.length.to_le_bytes());
        bytes.extend(entry.plain.to_le_bytes());
        bytes.extend(entry.digest.as_bytes());
    }
    bytes
}

/// Reads a part of the table.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<Vec<Entry>> {
    let entries = bytes.chunks(ENTRY).map(entry).collect::<Option<Vec<_>>>();
    let fits = |entries: &Vec<_>| (1..=ENTRIES_IN_PART).contains(&entries.len());
    entries.filter(fits).ok_or_else(|| malformed("the block table is empty, cut or too long"))
}

fn entry(bytes: &[u8]) -> Option<Entry> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (plain, rest) = rest.split_first_chunk()?;
    let digest = Digest::from_bytes(*rest.first_chunk()?);
    Some(Entry { length: u32::from_le_bytes(*length), plain: u32::from_le_bytes(*plain), digest })
}

/// The digest over the digests of the blocks, in order.
pub(super) fn root(entries: &[Entry]) -> Digest {
    Digest::of_parts(entries.iter().map(|entry| entry.digest.as_bytes().as_slice()))
}

/// Checks that the table tells the lengths that the blocks have.
pub(super) fn check_lengths(entries: &[Entry], blocks: &[(u32, u32)]) -> Result<()> {
    let stated = entries.iter().map(|entry| (entry.length, entry.plain));
    if stated.eq(blocks.iter().copied()) {
        return Ok(());
    }
    Err(changed("the block table does not match the blocks"))
}
