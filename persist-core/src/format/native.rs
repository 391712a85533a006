//! The checks of a file that is laid out as we write it: no block is parsed before its own.

use std::sync::Arc;

use super::framing::{self, Block, Layout};
use super::table::{self, Entry};
use super::{MAX_BLOCK, Protection, ReadOptions, Snapshot, changed, head, malformed};
use crate::compression::{self, Algorithm, Container};
use crate::error::{Error, ErrorKind, Result};
use crate::hashing::Digest;
use crate::metadata::Metadata;
use crate::parallel;
use crate::telemetry::spans::{self, span};

/// The metadata in a native head; the file may be cut behind it.
pub(super) fn metadata(container: Container, file: &[u8]) -> Result<Metadata> {
    let (text, _) = framing::take_head(container, file)?;
    Metadata::parse(head::metadata_in(text)?)
}

/// Reads a whole native file; its text is yet to be parsed.
pub(super) fn read(container: Container, file: &[u8], options: &ReadOptions) -> Result<Snapshot> {
    let layout = framing::take_apart(container, file)?;
    let metadata = Metadata::parse(head::metadata_in(layout.head)?)?;
    let algorithm = algorithm_of(&metadata, container, &layout.blocks, options)?;
    let blocks: Vec<_> = layout.blocks.iter().map(|block| (block.length, block.plain)).collect();
    table::check_lengths(&layout.table, &blocks)?;
    check_table(&layout.table, &metadata, file.len() as u64, options)?;
    let state = unpack(&layout, &*algorithm)?;
    check_content(Digest::of(&state), &metadata)?;
    Ok(Snapshot { metadata, state, protection: Protection::Full })
}

/// The algorithm that the metadata names, which must be one of this container.
pub(super) fn algorithm_of(
    metadata: &Metadata,
    container: Container,
    blocks: &[Block<'_>],
    options: &ReadOptions,
) -> Result<Arc<dyn Algorithm>> {
    let name = &metadata.compression_algorithm;
    let algorithm = options.algorithms.get(name).map_err(|error| {
        let hint = error.hint().unwrap_or_default().to_owned();
        Error::new(ErrorKind::Format, error.to_string()).with_hint(hint)
    })?;
    let is_private = algorithm.container() == Container::Private;
    let fits = match algorithm.container() {
        Container::Private => container == Container::Zstd,
        own => own == container,
    };
    if fits && blocks.iter().all(|block| block.is_private == is_private) {
        return Ok(algorithm);
    }
    Err(not_compressed_with(name))
}

pub(super) fn not_compressed_with(name: &str) -> Error {
    malformed(format!("the metadata says {name:?}, but the file is not compressed with it"))
}

/// Checks the lengths in the table against the limits, before memory is taken for the state.
pub(super) fn check_table(
    table: &[Entry],
    metadata: &Metadata,
    file_size: u64,
    options: &ReadOptions,
) -> Result<()> {
    let sum = |length: fn(&Entry) -> u32| table.iter().map(length).map(u64::from).sum::<u64>();
    if metadata.uncompressed_size != sum(|entry| entry.plain) {
        return Err(changed("uncompressed_size does not match the blocks"));
    }
    if metadata.compressed_size != Some(sum(|entry| entry.length)) {
        return Err(changed("compressed_size does not match the blocks"));
    }
    if table.iter().any(|entry| u64::from(entry.plain) > MAX_BLOCK as u64) {
        let message = format!("a block is longer than {MAX_BLOCK} bytes");
        return Err(Error::new(ErrorKind::LimitExceeded, message));
    }
    options.limits.check_unpacked(metadata.uncompressed_size, file_size)?;
    if metadata.block_root != Some(table::root(table)) {
        return Err(changed("block_root does not match the block table"));
    }
    Ok(())
}

fn unpack(layout: &Layout<'_>, algorithm: &dyn Algorithm) -> Result<Vec<u8>> {
    let pairs: Vec<_> = layout.blocks.iter().zip(&layout.table).collect();
    let size = layout.blocks.iter().map(|block| block.plain as usize).sum();
    let texts = parallel::map(&pairs, size, |(block, entry)| {
        unpack_block(block, entry, algorithm, Vec::new())
    })?;
    Ok(texts.concat())
}

/// Checks that the block has the lengths that the table tells.
pub(super) fn check_block(block: &Block<'_>, entry: &Entry) -> Result<()> {
    table::check_lengths(&[*entry], &[(block.length, block.plain)])
}

/// Unpacks one block and checks it; the buffer may be used for its text.
pub(super) fn unpack_block(
    block: &Block<'_>,
    entry: &Entry,
    algorithm: &dyn Algorithm,
    buffer: Vec<u8>,
) -> Result<Vec<u8>> {
    let plain_length = block.plain as usize;
    let unpack = || match block.member {
        Some(member) => compression::inflate_member(member, block.packed, plain_length, buffer),
        None => algorithm.decompress(block.packed, plain_length),
    };
    let span = span!(spans::DECOMPRESS, "persist.bytes" = spans::whole(plain_length));
    let text = spans::within(&span, unpack)?;
    if span!(spans::HASH).in_scope(|| Digest::of(&text)) != entry.digest {
        return Err(changed(
            "a block does not match its hash: it was changed after it was written",
        ));
    }
    Ok(text)
}

/// Checks the digest of the state.
pub(super) fn check_content(digest: Digest, metadata: &Metadata) -> Result<()> {
    if digest == metadata.content_hash {
        return Ok(());
    }
    Err(changed("the state does not match content_hash: it was changed after it was written"))
}
