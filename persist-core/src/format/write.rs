//! Writes snapshots: blocks are packed while the state arrives, the head goes in last.

mod assembly;
mod blocks;
mod workers;

use std::sync::Arc;

use self::assembly::Assembly;
use self::blocks::Blocks;
use super::table::{self, Entry};
use super::{Limits, framing, head, malformed};
use crate::compression::{Algorithm, Container, Level};
use crate::error::{Error, ErrorKind, Result};
use crate::hashing::Digest;
use crate::json::too_heavy;
use crate::metadata::Metadata;
use crate::storage::{ETag, Upload};

/// Blocks end at the last cut mark in the second half of this length, or at its end.
const BLOCK: usize = 1024 * 1024;

const KEEP_BESIDE: &str = "split the state, or keep large data beside the agent";

/// What is to be written.
#[derive(Debug)]
pub(crate) struct Draft {
    /// Everything but hashes and sizes, which the writer fills in.
    pub(crate) metadata: Metadata,
    pub(crate) algorithm: Arc<dyn Algorithm>,
    pub(crate) level: Level,
    /// Whether the state is checked to be strict JSON.
    pub(crate) is_checked: bool,
}

impl Draft {
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
}

/// Takes a state in pieces and writes it as blocks; the head goes in when it is finished.
pub(crate) struct Writer {
    draft: Draft,
    head_length: usize,
    /// What has arrived of the next block.
    block: Vec<u8>,
    /// The last place in it where it may end.
    mark: usize,
    /// Bytes in the blocks before it.
    length: u64,
    /// What the state weighs, as far as its producer said.
    weight: u64,
    blocks: Blocks,
}

impl Writer {
    /// A writer of one snapshot; the upload was begun with the head's length of the draft.
    pub(crate) fn new(draft: Draft, head_length: usize, upload: Box<dyn Upload>) -> Self {
        let assembly = Assembly::new(upload, draft.is_checked);
        let blocks = Blocks::new(&draft, assembly);
        Self { draft, head_length, block: Vec::new(), mark: 0, length: 0, weight: 0, blocks }
    }

    /// Takes a piece that there is room for in the block; false when there is not.
    #[inline]
    pub(crate) fn append(&mut self, bytes: &[u8]) -> bool {
        let fits = bytes.len() <= BLOCK.saturating_sub(self.block.len());
        if fits {
            self.block.extend_from_slice(bytes);
        }
        fits
    }

    /// Takes the next piece of the state.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let mut bytes = bytes;
        while !self.append(bytes) {
            let room = BLOCK.saturating_sub(self.block.len());
            let (fits, rest) = bytes.split_at(room);
            self.block.extend_from_slice(fits);
            self.cut()?;
            bytes = rest;
        }
        Ok(())
    }

    /// Says that a block may end behind what was written.
    pub(crate) fn mark(&mut self) {
        self.mark = self.block.len();
    }

    /// Says what all of the state weighs, where the text is not checked.
    pub(crate) fn weigh(&mut self, weight: u64) {
        self.weight = weight;
    }

    /// Hands on a block that is full: up to the last mark in its second half, else all of it.
    fn cut(&mut self) -> Result<()> {
        let end = if self.mark > BLOCK / 2 { self.mark } else { BLOCK };
        let mut next = self.blocks.buffer()?;
        next.extend_from_slice(self.block.get(end..).unwrap_or_default());
        let mut full = std::mem::replace(&mut self.block, next);
        full.truncate(end);
        self.mark = 0;
        self.length = self.length.saturating_add(full.len() as u64);
        check_length(self.length)?;
        self.blocks.push(full)
    }

    /// Writes what is left and the head; returns the metadata with hashes and sizes, and the tag of
    /// the object.
    pub(crate) fn finish(self) -> Result<(Metadata, Option<ETag>)> {
        let length = self.length.saturating_add(self.block.len() as u64);
        check_length(length)?;
        let mut assembled = self.blocks.finish(self.block)?;
        let container = self.draft.algorithm.container();
        let mut metadata = self.draft.metadata.clone();
        metadata.content_hash = assembled.content_hash;
        metadata.uncompressed_size = length;
        metadata.compressed_size = Some(sum_of_lengths(&assembled.table));
        metadata.block_root = self.draft.has_table().then(|| table::root(&assembled.table));
        let weight = assembled.weight.unwrap_or(self.weight);
        check_ratios(&metadata, weight, self.head_length)?;
        assembled.upload.write(&framing::closing_bytes(container, &assembled.table))?;
        let text_length = self.head_length.saturating_sub(framing::head_overhead(container));
        let text = head::to_text(&metadata.seal(), text_length)?;
        let e_tag = assembled.upload.commit(&framing::head_bytes(container, &text))?;
        Ok((metadata, e_tag))
    }
}

fn sum_of_lengths(table: &[Entry]) -> u64 {
    table.iter().map(|entry| u64::from(entry.length)).sum()
}

fn check_length(length: u64) -> Result<()> {
    let limit = Limits::DEFAULT.unpacked;
    if length <= limit {
        return Ok(());
    }
    let message = format!("the state is longer than {limit} bytes");
    Err(Error::new(ErrorKind::LimitExceeded, message).with_hint(KEEP_BESIDE))
}

/// A state of one repeated byte, or of the same values again and again, can be denser than readers
/// accept.
fn check_ratios(metadata: &Metadata, weight: u64, head_length: usize) -> Result<()> {
    let limits = Limits::DEFAULT;
    if weight > limits.weight {
        return Err(too_heavy(limits.weight).with_hint(KEEP_BESIDE));
    }
    let size = metadata.compressed_size.unwrap_or_default().saturating_add(head_length as u64);
    let is_thin = limits.check_unpacked(metadata.uncompressed_size, size).is_ok();
    if is_thin && weight <= limits.weight_from(size) {
        return Ok(());
    }
    let message = "the state compresses too well: no reader would accept it";
    Err(Error::new(ErrorKind::LimitExceeded, message)
        .with_hint("write it with compression=\"none\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compression::Algorithms;
    use crate::storage::{Key, MemoryStorage, PutOptions, Storage};

    const METADATA: &str = concat!(
        r#"{"agent_id":"a","session_id":"s","snapshot_index":0,"timestamp":"2026-11-24T10:00:00Z","#,
        r#""content_hash":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","#,
        r#""format_version":1,"snapshot_id":"3b241101-e2bb-4255-8caf-4136c566a962","#,
        r#""uncompressed_size":1,"compression_algorithm":"none"}"#
    );

    /// The lengths of the blocks that a state of this length is cut into.
    fn lengths(length: usize, marks: &[usize]) -> Vec<usize> {
        let draft = Draft {
            metadata: Metadata::parse(METADATA.as_bytes()).unwrap(),
            algorithm: Algorithms::default().get("none").unwrap(),
            level: None,
            is_checked: false,
        };
        let (storage, key) = (MemoryStorage::new(), Key::new("a").unwrap());
        let put = PutOptions { head_length: 4096, ..PutOptions::default() };
        let mut writer = Writer::new(draft, 4096, storage.create(&key, &put).unwrap());
        let state = vec![b'x'; length];
        let mut start = 0;
        for mark in marks {
            writer.write(state.get(start..*mark).unwrap()).unwrap();
            writer.mark();
            start = *mark;
        }
        writer.write(state.get(start..).unwrap()).unwrap();
        let assembled = writer.blocks.finish(writer.block).unwrap();
        assembled.table.iter().map(|entry| entry.plain as usize).collect()
    }

    #[test]
    fn blocks_end_at_marks() {
        let marks = [100, BLOCK / 2, BLOCK - 7, BLOCK + 9, 2 * BLOCK];
        assert_eq!(lengths(3 * BLOCK, &marks), [BLOCK - 7, BLOCK, BLOCK, 7]);
    }

    #[test]
    fn a_small_state_is_one_block() {
        assert_eq!(lengths(2, &[1]), [2]);
        assert_eq!(lengths(BLOCK, &[BLOCK - 1]), [BLOCK]);
        assert_eq!(lengths(BLOCK + 1, &[BLOCK]), [BLOCK, 1]);
    }
}
