//! What is done with the blocks in their order: check the text, hash it, write it.

use super::super::framing;
use super::super::table::Entry;
use super::{Draft, Limits, malformed};
use crate::compression::{Algorithm, Level};
use crate::error::Result;
use crate::hashing::{Digest, Running};
use crate::json::{Ignored, Parser};
use crate::storage::Upload;
use crate::telemetry::spans::{self, span};

use std::sync::Arc;

/// A block as it will stand in the file.
pub(super) struct Packed {
    pub(super) bytes: Vec<u8>,
    pub(super) entry: Entry,
}

/// Packs blocks; each thread has its own.
#[derive(Clone)]
pub(super) struct Packer {
    algorithm: Arc<dyn Algorithm>,
    level: Level,
}

impl Packer {
    pub(super) fn new(draft: &Draft) -> Self {
        Self { algorithm: Arc::clone(&draft.algorithm), level: draft.level }
    }

    pub(super) fn pack(&self, plain: &[u8]) -> Result<Packed> {
        let compress = || self.algorithm.compress(plain, self.level);
        let span = span!(spans::COMPRESS, "persist.bytes" = spans::whole(plain.len()));
        let packed = spans::within(&span, compress)?;
        let bytes = framing::block_bytes(self.algorithm.container(), plain, packed);
        let length = u32::try_from(bytes.len()).map_err(|_| malformed("a block is too long"))?;
        let plain_length =
            u32::try_from(plain.len()).map_err(|_| malformed("a block is too long"))?;
        let digest = span!(spans::HASH).in_scope(|| Digest::of(plain));
        let entry = Entry { length, plain: plain_length, digest };
        Ok(Packed { bytes, entry })
    }
}

/// The file so far, without its head.
pub(super) struct Assembly {
    upload: Box<dyn Upload>,
    /// `None` when the text is not checked.
    parser: Option<Parser>,
    hasher: Running,
    table: Vec<Entry>,
}

/// All blocks, written.
pub(super) struct Assembled {
    pub(super) upload: Box<dyn Upload>,
    pub(super) table: Vec<Entry>,
    pub(super) content_hash: Digest,
    /// What the text weighs, when it was checked.
    pub(super) weight: Option<u64>,
}

impl Assembly {
    pub(super) fn new(upload: Box<dyn Upload>, is_checked: bool) -> Self {
        // How long the file will be is not known yet: the ratio is looked at in the end.
        let parser = is_checked.then(|| Parser::new(Limits::DEFAULT.bounds(u64::MAX)));
        Self { upload, parser, hasher: Running::default(), table: Vec::new() }
    }

    /// How many blocks are written.
    pub(super) fn count(&self) -> usize {
        self.table.len()
    }

    /// Checks the text of the next block.
    pub(super) fn check(&mut self, plain: &[u8]) -> Result<()> {
        let Some(parser) = &mut self.parser else { return Ok(()) };
        spans::within(&span!(spans::CHECK), || parser.feed(plain, &mut Ignored))
    }

    /// Checks that the text ends here.
    pub(super) fn check_end(&mut self) -> Result<()> {
        self.parser.as_mut().map_or(Ok(()), |parser| parser.finish(&mut Ignored))
    }

    /// Hashes and writes the next block.
    pub(super) fn take(&mut self, plain: &[u8], packed: &Packed) -> Result<()> {
        span!(spans::HASH).in_scope(|| self.hasher.update(plain));
        self.write(packed)
    }

    fn weight(&self) -> Option<u64> {
        self.parser.as_ref().map(Parser::weight)
    }

    fn write(&mut self, packed: &Packed) -> Result<()> {
        self.table.push(packed.entry);
        self.upload.write(&packed.bytes)
    }

    /// Writes the only block: its digest is the one of the state.
    pub(super) fn end_with_one(mut self, packed: &Packed) -> Result<Assembled> {
        self.write(packed)?;
        let content_hash = packed.entry.digest;
        let weight = self.weight();
        Ok(Assembled { upload: self.upload, table: self.table, content_hash, weight })
    }

    pub(super) fn end(self) -> Assembled {
        let weight = self.weight();
        let Self { upload, table, hasher, .. } = self;
        Assembled { upload, table, content_hash: hasher.finish(), weight }
    }
}
