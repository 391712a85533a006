//! zstd frames (RFC 8878): raw ones for head and end, skippable ones for lengths and the block table.

use super::super::table::{self, ENTRIES_IN_PART, Entry};
use super::super::{MAX_HEAD, PAGE, changed, head, malformed};
use super::{Block, Layout};
use crate::error::Result;

const FRAME: u32 = 0xFD2F_B528;

/// A skippable frame with the length of the next frame and that of its text.
const LENGTHS: u32 = 0x184D_2A51;

/// A skippable frame with a part of the block table.
const TABLE: u32 = 0x184D_2A52;

/// A skippable frame with a block of a private algorithm.
const PRIVATE: u32 = 0x184D_2A53;

/// Single segment, content size in four bytes, no checksum, no dictionary.
const DESCRIPTOR: u8 = 0b1010_0000;

/// Magic, descriptor, content size, and the header of one raw block.
pub(super) const HEAD_OVERHEAD: usize = 4 + 1 + 4 + 3;

const SKIPPABLE_START: usize = 8;

/// The frame of lengths that stands before each block.
const LENGTHS_FRAME: u32 = 16;

/// A frame of one raw block; the callers' texts are shorter than 128 KiB.
pub(super) fn raw_frame(text: &[u8]) -> Vec<u8> {
    let length = to_u32(text.len());
    let mut bytes = Vec::with_capacity(text.len().saturating_add(HEAD_OVERHEAD));
    bytes.extend(FRAME.to_le_bytes());
    bytes.push(DESCRIPTOR);
    bytes.extend(length.to_le_bytes());
    bytes.extend(raw_block_header(length));
    bytes.extend_from_slice(text);
    bytes
}

/// The last block of its frame, raw: bit 0 set, type 0, then the size from bit 3.
fn raw_block_header(length: u32) -> [u8; 3] {
    let [low, middle, high, _] = ((length << 3) | 1).to_le_bytes();
    [low, middle, high]
}

fn skippable(magic: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(content.len().saturating_add(SKIPPABLE_START));
    bytes.extend(magic.to_le_bytes());
    bytes.extend(to_u32(content.len()).to_le_bytes());
    bytes.extend_from_slice(content);
    bytes
}

pub(super) fn block(plain: usize, packed: &[u8]) -> Vec<u8> {
    let lengths = [to_u32(packed.len()).to_le_bytes(), to_u32(plain).to_le_bytes()].concat();
    let mut bytes = skippable(LENGTHS, &lengths);
    bytes.extend_from_slice(packed);
    bytes
}

pub(super) fn private_block(plain: usize, packed: &[u8]) -> Vec<u8> {
    block(plain, &skippable(PRIVATE, packed))
}

pub(super) fn closing(table: &[Entry]) -> Vec<u8> {
    let parts = table.chunks(ENTRIES_IN_PART);
    let mut bytes: Vec<u8> =
        parts.flat_map(|part| skippable(TABLE, &table::to_bytes(part))).collect();
    bytes.extend(raw_frame(head::CLOSING));
    bytes
}

/// Lengths here are far below the maximum: blocks are at most 8 MiB.
fn to_u32(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Whether the file begins with a raw frame of whole pages, as ours do.
pub(in crate::format) fn is_native_head(file: &[u8]) -> bool {
    let length = raw_length(file).and_then(|length| length.checked_add(HEAD_OVERHEAD));
    length.is_some_and(|length| length.is_multiple_of(PAGE))
}

/// The content size of the raw frame that begins here.
fn raw_length(bytes: &[u8]) -> Option<usize> {
    let (magic, bytes) = bytes.split_first_chunk()?;
    let (descriptor, bytes) = bytes.split_first()?;
    let (size, bytes) = bytes.split_first_chunk()?;
    let size = u32::from_le_bytes(*size);
    let header = bytes.first_chunk::<3>()?;
    let is_raw = u32::from_le_bytes(*magic) == FRAME
        && *descriptor == DESCRIPTOR
        && u64::from(size) <= MAX_HEAD as u64
        && *header == raw_block_header(size);
    usize::try_from(size).ok().filter(|_| is_raw)
}

/// Takes a raw frame from the front.
fn take_raw(bytes: &[u8]) -> Result<(&[u8], &[u8])> {
    let length = raw_length(bytes).ok_or_else(|| malformed("a raw zstd frame was expected"))?;
    let behind = bytes.get(HEAD_OVERHEAD..).unwrap_or_default();
    behind.split_at_checked(length).ok_or_else(|| changed("the file is cut"))
}

/// Takes a skippable frame from the front: its magic and its content.
fn take_skippable(bytes: &[u8]) -> Result<(u32, &[u8], &[u8])> {
    let cut = || changed("the file is cut");
    let (magic, behind) = bytes.split_first_chunk().ok_or_else(cut)?;
    let (size, behind) = behind.split_first_chunk().ok_or_else(cut)?;
    let size = usize::try_from(u32::from_le_bytes(*size)).map_err(|_| cut())?;
    let (content, behind) = behind.split_at_checked(size).ok_or_else(cut)?;
    Ok((u32::from_le_bytes(*magic), content, behind))
}

pub(super) fn take_head(file: &[u8]) -> Result<(&[u8], usize)> {
    let (text, rest) = take_raw(file)?;
    let length = file.len().saturating_sub(rest.len());
    if !length.is_multiple_of(PAGE) || length > MAX_HEAD {
        return Err(malformed("the head is not a whole number of pages"));
    }
    Ok((text, length))
}

pub(super) fn take_apart(file: &[u8]) -> Result<Layout<'_>> {
    let (head, length) = take_head(file)?;
    let mut rest = file.get(length..).unwrap_or_default();
    let mut layout = Layout { head, blocks: Vec::new(), table: Vec::new() };
    while !rest.starts_with(&FRAME.to_le_bytes()) {
        let (magic, content, behind) = take_skippable(rest)?;
        rest = match magic {
            LENGTHS if layout.table.is_empty() => take_block(content, behind, &mut layout.blocks)?,
            TABLE => {
                layout.table.extend(table::from_bytes(content)?);
                behind
            }
            _ => return Err(malformed("a zstd frame stands where this format has none")),
        };
    }
    let (text, behind) = take_raw(rest)?;
    if text == head::CLOSING && behind.is_empty() {
        return Ok(layout);
    }
    Err(malformed("the snapshot does not end with its last frame"))
}

pub(super) fn take_framed_block(bytes: &[u8]) -> Result<Block<'_>> {
    let (magic, content, behind) = take_skippable(bytes)?;
    let mut blocks = Vec::new();
    let rest = take_block(content, behind, &mut blocks)?;
    match (magic, blocks.pop()) {
        (LENGTHS, Some(block)) if rest.is_empty() => Ok(block),
        _ => Err(malformed("a zstd frame stands where this format has none")),
    }
}

/// Takes the block that the lengths announce.
fn take_block<'a>(
    lengths: &[u8],
    bytes: &'a [u8],
    blocks: &mut Vec<Block<'a>>,
) -> Result<&'a [u8]> {
    let (length, plain) = two_lengths(lengths).ok_or_else(|| malformed("bad block lengths"))?;
    let size = usize::try_from(length).unwrap_or(usize::MAX);
    let (frame, behind) = bytes.split_at_checked(size).ok_or_else(|| changed("the file is cut"))?;
    let length = length.checked_add(LENGTHS_FRAME).ok_or_else(|| malformed("bad block lengths"))?;
    let (packed, is_private) = private_content(frame)?;
    blocks.push(Block { packed, length, plain, member: None, is_private });
    Ok(behind)
}

fn two_lengths(content: &[u8]) -> Option<(u32, u32)> {
    let (length, rest) = content.split_first_chunk()?;
    let plain = <[u8; 4]>::try_from(rest).ok()?;
    let lengths = (u32::from_le_bytes(*length), u32::from_le_bytes(plain));
    (lengths.1 > 0).then_some(lengths)
}

/// What a private algorithm made; a frame of zstd itself is handed on as it stands.
fn private_content(frame: &[u8]) -> Result<(&[u8], bool)> {
    if !frame.starts_with(&PRIVATE.to_le_bytes()) {
        return Ok((frame, false));
    }
    match take_skippable(frame)? {
        (_, content, []) => Ok((content, true)),
        _ => Err(malformed("bytes stand behind a block")),
    }
}
