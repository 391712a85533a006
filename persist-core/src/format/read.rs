//! Reads snapshots: the metadata alone in one small read, or everything with every check.

use std::borrow::Cow;

use super::{MAX_HEAD, PAGE, ReadOptions, Snapshot, foreign, framing, malformed, native};
use crate::compression::Container;
use crate::error::Result;
use crate::json;
use crate::metadata::Metadata;
use crate::storage::Object;

/// How much of a foreign file is fetched to look for its metadata.
const FOREIGN_START: usize = 128 * 1024;

/// What the first bytes of a file say of the rest.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) container: Container,
    pub(super) is_native: bool,
}

/// Reads and checks a whole snapshot, and its text as well.
pub(crate) fn read_checked(file: &[u8], options: &ReadOptions) -> Result<Snapshot> {
    let snapshot = read(file.into(), options)?;
    json::check(&snapshot.state, options.limits.bounds(file.len() as u64))?;
    Ok(snapshot)
}

/// Reads a whole snapshot and checks all but the text of its state.
pub(super) fn read(file: Cow<'_, [u8]>, options: &ReadOptions) -> Result<Snapshot> {
    let kind = kind_of(&file)?;
    if kind.is_native {
        native::read(kind.container, &file, options)
    } else {
        foreign::read(kind.container, file, options)
    }
}

/// Reads the metadata: one page of a native file, whatever the size of the state.
///
/// Where a foreign file has its state first, the whole file is read.
pub(crate) fn read_metadata(object: &dyn Object, options: &ReadOptions) -> Result<Metadata> {
    let page = object.read_at(0, PAGE)?;
    let kind = kind_of(&page)?;
    if kind.is_native {
        return native_metadata(object, kind.container, page);
    }
    let start = object.read_at(0, FOREIGN_START)?;
    if let Some(metadata) = foreign::metadata_in_prefix(kind.container, &start)? {
        return Ok(metadata);
    }
    read(read_all(object, options)?.into(), options).map(|snapshot| snapshot.metadata)
}

/// The bytes of the whole file, when they are not more than the limits allow for a plain one.
pub(crate) fn read_all(object: &dyn Object, options: &ReadOptions) -> Result<Vec<u8>> {
    options.limits.check_unpacked(object.size(), object.size())?;
    object.read_at(0, usize::try_from(object.size()).unwrap_or(usize::MAX))
}

fn native_metadata(object: &dyn Object, container: Container, page: Vec<u8>) -> Result<Metadata> {
    native::metadata(container, &start_of(object, container, page)?)
}

/// The start of a native file with its head whole: the first page, or as much as a head may take.
pub(super) fn start_of(
    object: &dyn Object,
    container: Container,
    page: Vec<u8>,
) -> Result<Vec<u8>> {
    let is_whole = page.len() < PAGE || framing::take_head(container, &page).is_ok();
    if is_whole { Ok(page) } else { object.read_at(0, MAX_HEAD) }
}

pub(super) fn kind_of(file: &[u8]) -> Result<Kind> {
    match file {
        [0x1f, 0x8b, ..] => {
            Ok(Kind { container: Container::Gzip, is_native: framing::is_native_gzip(file) })
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            Ok(Kind { container: Container::Zstd, is_native: framing::is_native_zstd(file) })
        }
        [b'{' | b' ' | b'\t' | b'\n' | b'\r', ..] => {
            Ok(Kind { container: Container::Plain, is_native: false })
        }
        [] => Err(malformed("the file is empty")),
        _ => Err(malformed("this is not a snapshot: it is neither gzip, nor zstd, nor JSON")),
    }
}
