//! gzip members (RFC 1952) with their lengths in an extra field.

use libdeflater::crc32;

use super::super::table::{self, ENTRIES_IN_PART, Entry};
use super::super::{MAX_HEAD, PAGE, changed, head, malformed};
use super::{Block, Layout};
use crate::error::Result;

/// Magic, deflate, FEXTRA alone, no time, no extra flags, unknown system.
const MEMBER_START: [u8; 10] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff];

/// The subfield that holds the member's length and its text's length.
const LENGTHS: [u8; 2] = *b"PS";

/// The subfield that holds a part of the block table.
const TABLE: [u8; 2] = *b"PT";

const LENGTHS_SIZE: u16 = 8;
const SUBFIELD_START: usize = 4;
const TRAILER: usize = 8;

/// A stored deflate block that is the last one: its first byte, then length and complement.
const STORED_START: usize = 5;

/// The start of a member, XLEN and the subfield of lengths.
const MEMBER_HEADER: usize = 10 + 2 + SUBFIELD_START + 8;

pub(super) const HEAD_OVERHEAD: usize = MEMBER_HEADER + STORED_START + TRAILER;

pub(super) fn head(text: &[u8]) -> Vec<u8> {
    member(text, &stored(text), None)
}

pub(super) fn block(plain: &[u8], packed: &[u8]) -> Vec<u8> {
    member(plain, packed, None)
}

pub(super) fn closing(table: &[Entry]) -> Vec<u8> {
    let mut parts: Vec<_> = table.chunks(ENTRIES_IN_PART).map(table::to_bytes).collect();
    let last = parts.pop().unwrap_or_default();
    let mut bytes: Vec<u8> =
        parts.iter().flat_map(|part| member(&[], &stored(&[]), Some(part))).collect();
    bytes.extend(member(head::CLOSING, &stored(head::CLOSING), Some(&last)));
    bytes
}

/// A deflate stream of one stored block; the callers' texts are shorter than 65,536 bytes.
fn stored(text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    let mut bytes = vec![1];
    bytes.extend(length.to_le_bytes());
    bytes.extend((!length).to_le_bytes());
    bytes.extend_from_slice(text);
    bytes
}

fn member(plain: &[u8], packed: &[u8], table: Option<&[u8]>) -> Vec<u8> {
    let table_size = table.map_or(0, |table| table.len().saturating_add(SUBFIELD_START));
    let extra = MEMBER_HEADER.saturating_sub(12).saturating_add(table_size);
    let length = packed.len().saturating_add(MEMBER_HEADER + TRAILER).saturating_add(table_size);
    let mut bytes = Vec::with_capacity(length);
    bytes.extend(MEMBER_START);
    bytes.extend(to_u16(extra).to_le_bytes());
    bytes.extend(LENGTHS);
    bytes.extend(LENGTHS_SIZE.to_le_bytes());
    bytes.extend(to_u32(length).to_le_bytes());
    bytes.extend(to_u32(plain.len()).to_le_bytes());
    if let Some(table) = table {
        bytes.extend(TABLE);
        bytes.extend(to_u16(table.len()).to_le_bytes());
        bytes.extend_from_slice(table);
    }
    bytes.extend_from_slice(packed);
    bytes.extend(crc32(plain).to_le_bytes());
    bytes.extend(to_u32(plain.len()).to_le_bytes());
    bytes
}

/// Lengths here are far below the maximum: blocks are at most 8 MiB.
fn to_u32(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn to_u16(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// Whether the file begins with a member that tells its lengths, as ours do.
///
/// Nothing else of the header is looked at: a changed byte there makes a bad native file, not a
/// foreign one.
pub(in crate::format) fn has_lengths(file: &[u8]) -> bool {
    file.get(12..14) == Some(&LENGTHS)
}

/// A member that was taken from the front of some bytes.
struct Member<'a> {
    whole: &'a [u8],
    length: u32,
    plain: u32,
    table: Option<&'a [u8]>,
    packed: &'a [u8],
    crc: u32,
}

/// Takes the next member; the lengths in it are checked before anything is taken.
fn take_member(bytes: &[u8]) -> Result<(Member<'_>, &[u8])> {
    let (length, plain) = lengths_of(bytes).ok_or_else(bad_member)?;
    let size = usize::try_from(length).map_err(|_| bad_member())?;
    let (whole, rest) = bytes.split_at_checked(size).ok_or_else(|| changed("the file is cut"))?;
    let member = split_member(whole, length, plain).ok_or_else(bad_member)?;
    Ok((member, rest))
}

fn bad_member() -> crate::error::Error {
    malformed("a gzip member is not laid out as this format has it")
}

/// The two lengths in the extra field of the member that begins here.
fn lengths_of(bytes: &[u8]) -> Option<(u32, u32)> {
    if !bytes.starts_with(&MEMBER_START) {
        return None;
    }
    let field = bytes.get(12..MEMBER_HEADER)?;
    let (name, field) = field.split_first_chunk()?;
    let (size, field) = field.split_first_chunk()?;
    let (length, field) = field.split_first_chunk()?;
    let (plain, _) = field.split_first_chunk()?;
    let is_ours = *name == LENGTHS && u16::from_le_bytes(*size) == LENGTHS_SIZE;
    is_ours.then(|| (u32::from_le_bytes(*length), u32::from_le_bytes(*plain)))
}

fn split_member(whole: &[u8], length: u32, plain: u32) -> Option<Member<'_>> {
    let extra = usize::from(u16::from_le_bytes(*whole.get(10..)?.first_chunk()?));
    let (header, body) = whole.split_at_checked(extra.checked_add(12)?)?;
    let table = match header.get(MEMBER_HEADER..)? {
        [] => None,
        field => Some(table_in(field)?),
    };
    let (packed, trailer) = body.split_at_checked(body.len().checked_sub(TRAILER)?)?;
    let (crc, size) = trailer.split_first_chunk()?;
    let size_matches = u32::from_le_bytes(*size.first_chunk()?) == plain;
    let crc = u32::from_le_bytes(*crc);
    size_matches.then_some(Member { whole, length, plain, table, packed, crc })
}

fn table_in(field: &[u8]) -> Option<&[u8]> {
    let (name, field) = field.split_first_chunk()?;
    let (size, table) = field.split_first_chunk()?;
    let is_whole = usize::from(u16::from_le_bytes(*size)) == table.len();
    (*name == TABLE && is_whole).then_some(table)
}

/// The text of a stored member, whose checksum is checked.
fn stored_text<'a>(member: &Member<'a>) -> Result<&'a [u8]> {
    let text =
        stored_in(member.packed).ok_or_else(|| malformed("the head is not stored plainly"))?;
    if text.len() as u64 != u64::from(member.plain) || crc32(text) != member.crc {
        return Err(changed("a gzip member does not match its checksum"));
    }
    Ok(text)
}

fn stored_in(packed: &[u8]) -> Option<&[u8]> {
    let (start, text) = packed.split_first_chunk::<STORED_START>()?;
    let [kind, low, high, not_low, not_high] = *start;
    let length = u16::from_le_bytes([low, high]);
    let complement = u16::from_le_bytes([not_low, not_high]);
    (kind == 1 && length == !complement && usize::from(length) == text.len()).then_some(text)
}

pub(super) fn take_head(file: &[u8]) -> Result<(&[u8], usize)> {
    let (member, rest) = take_member(file)?;
    let length = file.len().saturating_sub(rest.len());
    if member.table.is_some() || !length.is_multiple_of(PAGE) || length > MAX_HEAD {
        return Err(malformed("the head is not a whole number of pages"));
    }
    Ok((stored_text(&member)?, length))
}

pub(super) fn take_apart(file: &[u8]) -> Result<Layout<'_>> {
    let (head, length) = take_head(file)?;
    let mut rest = file.get(length..).unwrap_or_default();
    let mut layout = Layout { head, blocks: Vec::new(), table: Vec::new() };
    loop {
        let (member, behind) = take_member(rest)?;
        rest = behind;
        match member.table {
            None if layout.table.is_empty() => layout.blocks.push(block_of(&member)?),
            None => return Err(malformed("a block stands behind the block table")),
            Some(part) => {
                layout.table.extend(table::from_bytes(part)?);
                if is_closing(&member)? {
                    return end(rest).map(|()| layout);
                }
            }
        }
    }
}

pub(super) fn take_block(bytes: &[u8]) -> Result<Block<'_>> {
    let (member, rest) = take_member(bytes)?;
    match (member.table, rest) {
        (None, []) => block_of(&member),
        _ => Err(bad_member()),
    }
}

fn block_of<'a>(member: &Member<'a>) -> Result<Block<'a>> {
    if member.plain == 0 {
        return Err(malformed("a block is empty"));
    }
    let Member { whole, length, plain, packed, .. } = *member;
    Ok(Block { packed, length, plain, member: Some(whole), is_private: false })
}

/// Whether this member of the table closes the document; one that goes on holds no text.
fn is_closing(member: &Member<'_>) -> Result<bool> {
    match stored_text(member)? {
        text if text == head::CLOSING => Ok(true),
        [] => Ok(false),
        _ => Err(malformed("the document does not end behind the state")),
    }
}

fn end(rest: &[u8]) -> Result<()> {
    if rest.is_empty() {
        return Ok(());
    }
    Err(malformed(format!("{} bytes stand behind the end of the snapshot", rest.len())))
}
