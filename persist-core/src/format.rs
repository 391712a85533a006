//! The snapshot file, format v1: how metadata and state become bytes, and come back checked.
//!
//! The specification is `docs/format/v1.md`; this room follows its words. A file is read in one of
//! two ways. A *native* file is laid out as we write it: a head of whole 4 KiB pages that one read
//! fetches, blocks with their lengths, and a block table; every block is checked against the table
//! before anything parses it. A *foreign* file holds the same text in any other split, as after
//! `gunzip | gzip`, or is a file of the original; `content_hash` alone protects its state.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod foreign;
mod framing;
mod head;
mod native;
mod original;
mod read;
mod stream;
mod table;
mod write;

use crate::compression::Algorithms;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Bounds};
use crate::metadata::Metadata;

pub use original::to_original;

pub(crate) use read::{read_all, read_checked, read_metadata};
pub(crate) use stream::read_events;
pub(crate) use write::{Draft, Writer};

/// The head takes a whole number of these.
pub const PAGE: usize = 4096;

/// The head is at most this long.
pub const MAX_HEAD: usize = 64 * 1024;

/// A block is at most this long before compression.
pub const MAX_BLOCK: usize = 8 * 1024 * 1024;

/// Files are read up to these sizes; a file beyond one of them is `LimitExceeded`.
///
/// The defaults are those of the specification, and what the writer refuses to exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The document's length in bytes.
    pub unpacked: u64,
    /// Unpacked bytes for one byte of the file, once more than `ratio_free` bytes are unpacked.
    pub ratio: u64,
    /// Up to this many unpacked bytes, the ratio is not looked at.
    pub ratio_free: u64,
    /// Arrays and objects inside one another.
    pub depth: usize,
    /// Digits of one integer.
    pub integer_digits: usize,
    /// The weight of the state: its values, where an array or object counts as
    /// [`CONTAINER_WEIGHT`](Self::CONTAINER_WEIGHT).
    pub weight: u64,
    /// Weight for one byte of the file, once it is more than `weight_free`.
    pub weight_ratio: u64,
    /// Up to this weight, the ratio is not looked at.
    pub weight_free: u64,
}

impl Limits {
    /// What an array or object weighs beside one scalar: about what it takes in memory.
    pub const CONTAINER_WEIGHT: u64 = json::CONTAINER;

    /// The limits of the specification: 4 GiB, 1000:1 past 64 MiB, 512 levels, 4300 digits, a weight
    /// of 2^30, 32:1 past 2^25.
    pub const DEFAULT: Self = Self {
        unpacked: 4 << 30,
        ratio: 1000,
        ratio_free: 64 << 20,
        depth: 512,
        integer_digits: 4300,
        weight: 1 << 30,
        weight_ratio: 32,
        weight_free: 1 << 25,
    };

    /// How many bytes a file of this size may unpack to.
    fn unpacked_from(&self, file_size: u64) -> u64 {
        self.unpacked.min(self.ratio_free.max(file_size.saturating_mul(self.ratio)))
    }

    fn check_unpacked(&self, unpacked: u64, file_size: u64) -> Result<()> {
        let limit = self.unpacked_from(file_size);
        if unpacked <= limit {
            return Ok(());
        }
        let message = format!("the snapshot unpacks to more than {limit} bytes");
        Err(Error::new(ErrorKind::LimitExceeded, message)
            .with_hint("if you trust the file, read it with higher limits"))
    }

    /// How much the state in a file of this size may weigh: what is built of `[],[],[],…` takes
    /// thirty times the memory of the text, and that a thousand times the file.
    fn weight_from(&self, file_size: u64) -> u64 {
        self.weight.min(self.weight_free.max(file_size.saturating_mul(self.weight_ratio)))
    }

    /// What is allowed in the state of a file of this size.
    fn bounds(&self, file_size: u64) -> Bounds {
        Bounds {
            depth: self.depth,
            integer_digits: self.integer_digits,
            weight: self.weight_from(file_size),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How a file is read.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ReadOptions {
    /// How far a file may go before it is refused.
    pub limits: Limits,
    /// The algorithms that are known.
    pub algorithms: Algorithms,
}

impl From<Limits> for ReadOptions {
    fn from(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }
}

/// What protects the metadata of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protection {
    /// State and metadata are covered by hashes.
    Full,
    /// The state is covered, the metadata is not: a file of the original.
    MetadataUnprotected,
}

/// A snapshot that was read and checked.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// What the snapshot says about itself.
    pub metadata: Metadata,
    /// The exact bytes of `agent_state`: one JSON value.
    pub state: Vec<u8>,
    /// What protects the metadata.
    pub protection: Protection,
}

fn malformed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Format, message)
}

fn changed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Integrity, message)
}
