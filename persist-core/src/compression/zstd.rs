//! zstd (RFC 8878): one frame a block.

use std::cell::RefCell;
use std::io::{self, Read};

use zstd::bulk::Compressor;

use super::{Algorithm, Container, Level, check_level, damaged};
use crate::error::{Error, ErrorKind, Result};

/// The default of zstd itself; at level 2, files of some chats are hardly shorter than gzip -6 makes them.
const DEFAULT_LEVEL: u8 = 3;

thread_local! {
    /// Its tables take some megabytes: they are not made anew for every block.
    static COMPRESSOR: RefCell<Option<(u8, Compressor<'static>)>> = const { RefCell::new(None) };
}

#[derive(Debug)]
pub(super) struct Zstd;

impl Algorithm for Zstd {
    fn name(&self) -> &'static str {
        "zstd"
    }

    fn container(&self) -> Container {
        Container::Zstd
    }

    fn compress(&self, block: &[u8], level: Level) -> Result<Vec<u8>> {
        let level = check_level("zstd", level, DEFAULT_LEVEL, 1..=19)?;
        let packed = COMPRESSOR.with_borrow_mut(|kept| pack(kept, block, level));
        packed.map_err(|error| {
            Error::new(ErrorKind::Storage, "could not compress a block").with_source(error)
        })
    }

    fn decompress(&self, bytes: &[u8], plain_length: usize) -> Result<Vec<u8>> {
        let is_one_frame = zstd::zstd_safe::find_frame_compressed_size(bytes) == Ok(bytes.len());
        match zstd::bulk::decompress(bytes, plain_length) {
            Ok(plain) if is_one_frame && plain.len() == plain_length => Ok(plain),
            _ => Err(damaged("zstd")),
        }
    }
}

fn pack(
    kept: &mut Option<(u8, Compressor<'static>)>,
    block: &[u8],
    level: u8,
) -> io::Result<Vec<u8>> {
    kept.take_if(|(of, _)| *of != level);
    let (_, mut compressor) = match kept.take() {
        Some(compressor) => compressor,
        None => (level, Compressor::new(i32::from(level))?),
    };
    let packed = compressor.compress(block)?;
    *kept = Some((level, compressor));
    Ok(packed)
}

/// Decompresses a zstd file of any split into frames, to at most `limit` bytes.
pub(crate) fn decompress_all(bytes: &[u8], limit: u64) -> Result<Vec<u8>> {
    let mut plain = Vec::new();
    let decoder = zstd::Decoder::with_buffer(bytes);
    let result = decoder.and_then(|decoder| decoder.take(limit).read_to_end(&mut plain));
    result.map(|_| plain).map_err(|error| damaged("zstd").with_source(error))
}

/// Decompresses as much as there is of the start of a zstd file, to at most `limit` bytes.
pub(crate) fn decompress_start(bytes: &[u8], limit: u64) -> Vec<u8> {
    let mut plain = Vec::new();
    // The start of a file ends in the middle of a frame: what came before that end is what counts.
    let _ = zstd::Decoder::with_buffer(bytes)
        .and_then(|decoder| decoder.take(limit).read_to_end(&mut plain));
    plain
}
