//! Writes snapshots: blocks are compressed in parallel, the head goes in last.

use super::table::{self, Entry};
use super::{Limits, framing, head, malformed};
use crate::compression::{Algorithm, Container, Level};
use crate::error::{Error, ErrorKind, Result};
use crate::hashing::Digest;
use crate::json;
use crate::metadata::Metadata;
use crate::parallel;
use crate::storage::Upload;

/// Blocks end at the last cut mark in the second half of this length, or at its end.
const BLOCK: usize = 1024 * 1024;

/// What is to be written.
pub(crate) struct Draft<'a> {
    /// Everything but hashes and sizes, which the writer fills in.
    pub(crate) metadata: Metadata,
    pub(crate) state: &'a [u8],
    pub(crate) marks: &'a [usize],
    pub(crate) algorithm: &'a dyn Algorithm,
    pub(crate) level: Level,
}

impl Draft<'_> {
    /// The length of the head: enough for metadata whose sizes have the most digits.
    pub(crate) fn head_length(&self) -> Result<usize> {
        let zeros = Some(Digest::from_bytes([0; 32]));
        let widest = Metadata {
            compressed_size: Some(u64::MAX),
            uncompressed_size: u64::MAX,
            block_root: zeros.filter(|_| self.has_table()),
            metadata_hash: zeros,
            ..self.metadata.clone()
        };
        framing::head_length(self.algorithm.container(), &widest.to_json())
    }

    fn has_table(&self) -> bool {
        self.algorithm.container() != Container::Plain
    }

    /// Refuses what a reader with default limits would refuse.
    pub(crate) fn check(&self) -> Result<()> {
        Limits::DEFAULT.check_state(self.state.len())?;
        json::check(self.state, Limits::DEFAULT.bounds())
    }
}

impl Limits {
    fn check_state(&self, length: usize) -> Result<()> {
        if length as u64 <= self.unpacked {
            return Ok(());
        }
        let message = format!("the state is longer than {} bytes", self.unpacked);
        Err(Error::new(ErrorKind::LimitExceeded, message)
            .with_hint("split the state, or keep large data beside the agent"))
    }
}

/// Writes the snapshot; returns its metadata with hashes and sizes. The draft was checked.
pub(crate) fn write(draft: &Draft<'_>, mut upload: Box<dyn Upload>) -> Result<Metadata> {
    let head_length = draft.head_length()?;
    let container = draft.algorithm.container();
    let table = write_blocks(draft, &mut *upload)?;
    upload.write(&framing::closing_bytes(container, &table))?;
    let mut metadata = draft.metadata.clone();
    metadata.content_hash = Digest::of(draft.state);
    metadata.uncompressed_size = draft.state.len() as u64;
    metadata.compressed_size = Some(table.iter().map(|entry| u64::from(entry.length)).sum());
    metadata.block_root = draft.has_table().then(|| table::root(&table));
    check_ratio(&metadata, head_length)?;
    let text_length = head_length.saturating_sub(framing::head_overhead(container));
    let text = head::to_text(&metadata.seal(), text_length)?;
    upload.commit(&framing::head_bytes(container, &text))?;
    Ok(metadata)
}

/// A state of one repeated byte can be denser than readers accept.
fn check_ratio(metadata: &Metadata, head_length: usize) -> Result<()> {
    let size = metadata.compressed_size.unwrap_or_default().saturating_add(head_length as u64);
    Limits::DEFAULT.check_unpacked(metadata.uncompressed_size, size).map_err(|error| {
        Error::new(error.kind(), "the state compresses too well: no reader would accept it")
            .with_hint("write it with compression=\"none\"")
    })
}

/// Writes the blocks a few at a time, so that memory stays bounded; returns their table.
fn write_blocks(draft: &Draft<'_>, upload: &mut dyn Upload) -> Result<Vec<Entry>> {
    let blocks = cut(draft.state, draft.marks);
    let mut table = Vec::with_capacity(blocks.len());
    for wave in blocks.chunks(parallel::threads()) {
        let size = wave.iter().map(|block| block.len()).sum();
        for (bytes, entry) in parallel::map(wave, size, |block| make_block(draft, block))? {
            upload.write(&bytes)?;
            table.push(entry);
        }
    }
    Ok(table)
}

fn make_block(draft: &Draft<'_>, plain: &[u8]) -> Result<(Vec<u8>, Entry)> {
    let packed = draft.algorithm.compress(plain, draft.level)?;
    let bytes = framing::block_bytes(draft.algorithm.container(), plain, packed);
    let length = u32::try_from(bytes.len()).map_err(|_| malformed("a block is too long"))?;
    let plain_length = u32::try_from(plain.len()).map_err(|_| malformed("a block is too long"))?;
    Ok((bytes, Entry { length, plain: plain_length, digest: Digest::of(plain) }))
}

/// Cuts the state into blocks: at the last mark in (half, whole] of a block's length, else at its end.
fn cut<'a>(state: &'a [u8], marks: &[usize]) -> Vec<&'a [u8]> {
    let mut blocks = Vec::new();
    let (mut rest, mut start) = (state, 0_usize);
    while rest.len() > BLOCK {
        let earliest = start.saturating_add(BLOCK / 2);
        let latest = start.saturating_add(BLOCK);
        let before = marks.partition_point(|mark| *mark <= latest);
        let mark = marks.get(before.wrapping_sub(1)).filter(|mark| **mark > earliest);
        let end = mark.copied().unwrap_or(latest);
        let (block, behind) = rest.split_at(end.saturating_sub(start));
        blocks.push(block);
        (rest, start) = (behind, end);
    }
    blocks.push(rest);
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_end_at_marks() {
        let state = vec![b'x'; 3 * BLOCK];
        let marks = [100, BLOCK / 2, BLOCK - 7, BLOCK + 9, 2 * BLOCK];
        let lengths: Vec<_> = cut(&state, &marks).iter().map(|block| block.len()).collect();
        assert_eq!(lengths, [BLOCK - 7, BLOCK, BLOCK, 7]);
    }

    #[test]
    fn a_small_state_is_one_block() {
        assert_eq!(cut(b"{}", &[1]), [b"{}"]);
    }
}
