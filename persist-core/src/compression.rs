//! Algorithms that make blocks smaller, and the containers that hold those blocks.
//!
//! An [`Algorithm`] turns one block of text into fewer bytes and back. The [format](crate::format)
//! cuts the state into blocks and frames them as the algorithm's [`Container`] says. [`Algorithms`]
//! is the list that a reader or writer knows: gzip, zstd and none, and whatever you add.
//!
//! # Your own algorithm
//!
//! Its name starts with `x-`; its blocks travel in [`Container::Private`].
//!
//! ```
//! use std::sync::Arc;
//! use persist_core::{Algorithm, Algorithms, Container, Level, Result};
//!
//! #[derive(Debug)]
//! struct Reversed;
//!
//! impl Algorithm for Reversed {
//!     fn name(&self) -> &str {
//!         "x-reversed"
//!     }
//!     fn container(&self) -> Container {
//!         Container::Private
//!     }
//!     fn compress(&self, block: &[u8], _: Level) -> Result<Vec<u8>> {
//!         Ok(block.iter().rev().copied().collect())
//!     }
//!     fn decompress(&self, bytes: &[u8], _: usize) -> Result<Vec<u8>> {
//!         Ok(bytes.iter().rev().copied().collect())
//!     }
//! }
//!
//! let algorithms = Algorithms::default().with(Arc::new(Reversed))?;
//! assert!(algorithms.get("x-reversed").is_ok());
//! # Ok::<(), persist_core::Error>(())
//! ```

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod gzip;
mod none;
mod zstd;

use std::fmt;
use std::sync::Arc;

pub(crate) use gzip::{gzip_whole, inflate_all, inflate_member, inflate_start};
pub(crate) use zstd::{decompress_all, decompress_start};

use crate::error::{Error, ErrorKind, Result};

/// How hard to compress; `None` is the algorithm's default.
pub type Level = Option<u8>;

/// How the blocks of an algorithm are framed in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Container {
    /// Members of a gzip file (RFC 1952); a block is a raw deflate stream (RFC 1951).
    Gzip,
    /// Frames of a zstd file (RFC 8878); a block is one frame.
    Zstd,
    /// No container: the file is the plain document.
    Plain,
    /// Skippable frames of a zstd file, for algorithms of a third party.
    Private,
}

/// Turns a block of text into fewer bytes, and back.
pub trait Algorithm: fmt::Debug + Send + Sync {
    /// The name that `compression_algorithm` holds.
    fn name(&self) -> &str;

    /// How the blocks are framed in a file.
    fn container(&self) -> Container;

    /// Compresses one block. A level that the algorithm does not have is a configuration error.
    fn compress(&self, block: &[u8], level: Level) -> Result<Vec<u8>>;

    /// Decompresses one block, which must give exactly `plain_length` bytes.
    ///
    /// The bytes are hostile: anything else than that is `Integrity`, and no more memory than
    /// `plain_length` is taken.
    fn decompress(&self, bytes: &[u8], plain_length: usize) -> Result<Vec<u8>>;
}

/// The algorithms that a reader or writer knows, by name.
#[derive(Debug, Clone)]
pub struct Algorithms(Vec<Arc<dyn Algorithm>>);

impl Default for Algorithms {
    fn default() -> Self {
        Self(vec![Arc::new(gzip::Gzip), Arc::new(zstd::Zstd), Arc::new(none::None)])
    }
}

impl Algorithms {
    /// Adds an algorithm of a third party; its name starts with `x-` and is new.
    pub fn with(mut self, algorithm: Arc<dyn Algorithm>) -> Result<Self> {
        let name = algorithm.name();
        if !name.starts_with("x-") || algorithm.container() != Container::Private {
            let message = format!("the algorithm {name:?} is not private");
            let hint = "start its name with \"x-\" and return Container::Private";
            return Err(Error::new(ErrorKind::Configuration, message).with_hint(hint));
        }
        if self.get(name).is_ok() {
            let message = format!("the algorithm {name:?} is there already");
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        self.0.push(algorithm);
        Ok(self)
    }

    /// The algorithm of this name; an unknown one is a configuration error.
    pub fn get(&self, name: &str) -> Result<Arc<dyn Algorithm>> {
        let found = self.0.iter().find(|algorithm| algorithm.name() == name);
        found.cloned().ok_or_else(|| {
            let known: Vec<_> = self.0.iter().map(|algorithm| algorithm.name()).collect();
            Error::new(ErrorKind::Configuration, format!("unknown compression algorithm {name:?}"))
                .with_hint(format!("use one of: {}", known.join(", ")))
        })
    }

    /// The algorithm that a file name asks for by its ending: `.gz`, `.zst` or `.json`.
    ///
    /// ```
    /// use persist_core::Algorithms;
    ///
    /// assert_eq!(Algorithms::named_by("agent.json.zst"), Some("zstd"));
    /// assert_eq!(Algorithms::named_by("agent.snapshot"), None);
    /// ```
    pub fn named_by(file_name: &str) -> Option<&'static str> {
        let lower = file_name.to_ascii_lowercase();
        let endings = [(".gz", "gzip"), (".zst", "zstd"), (".json", "none")];
        endings.iter().find(|(ending, _)| lower.ends_with(ending)).map(|(_, name)| *name)
    }
}

/// Checks that the level is one that the algorithm has.
fn check_level(
    name: &str,
    level: Level,
    default: u8,
    allowed: std::ops::RangeInclusive<u8>,
) -> Result<u8> {
    let level = level.unwrap_or(default);
    if allowed.contains(&level) {
        return Ok(level);
    }
    let (low, high) = (allowed.start(), allowed.end());
    Err(Error::new(ErrorKind::Configuration, format!("{name} has no compression level {level}"))
        .with_hint(format!("use a level from {low} to {high}")))
}

/// What a block that does not decompress is.
fn damaged(name: &str) -> Error {
    Error::new(ErrorKind::Integrity, format!("a {name} block is damaged: it does not decompress"))
}
