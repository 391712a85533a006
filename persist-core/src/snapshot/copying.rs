//! Copies the bytes that were checked: what is read a second time is compared with the first.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Version, until_whole};
use crate::error::{Error, ErrorKind, Result};
use crate::format::{self, MAX_HEAD, ReadOptions};
use crate::hashing::Digest;
use crate::json;
use crate::metadata::Metadata;
use crate::storage::{Key, Object, PutOptions, Storage};
use crate::telemetry::Verb;

/// Copies a snapshot to another key or store, byte by byte, after all of it was checked.
///
/// What is checked and what is copied is one version of the source, and the same bytes. Fails as
/// [`super::verify`] and [`super::save`] do; what was at the target is then intact.
///
/// ```
/// use persist_core::{Key, Limits, MemoryStorage, PutOptions, SaveOptions, snapshot};
///
/// let (here, there) = (MemoryStorage::new(), MemoryStorage::new());
/// let key = Key::new("agent.json.gz")?;
/// let options = SaveOptions::at("2026-11-24T10:00:00Z".parse().unwrap());
/// snapshot::save(&here, &key, b"[1]", &[], &options)?;
///
/// let put = PutOptions { overwrite: false, ..PutOptions::default() };
/// snapshot::copy((&here, &key), (&there, &key), &put, &Limits::DEFAULT.into())?;
/// assert_eq!(snapshot::load(&there, &key, &Limits::DEFAULT.into())?.state, b"[1]");
/// # Ok::<(), persist_core::Error>(())
/// ```
pub fn copy(
    (source, from): (&dyn Storage, &Key),
    (target, to): (&dyn Storage, &Key),
    put: &PutOptions,
    options: &ReadOptions,
) -> Result<Version> {
    let copy = || copy_checked((source, from), (target, to), put, options);
    Verb::Copy.run(from.as_os_str(), copy, |version| Some(&version.metadata))
}

fn copy_checked(
    (source, from): (&dyn Storage, &Key),
    (target, to): (&dyn Storage, &Key),
    put: &PutOptions,
    options: &ReadOptions,
) -> Result<Version> {
    let mut checked = until_whole(source, || Checked::of(source, from, options))?;
    let mut upload = target.create(to, put)?;
    let mut copied = 0_u64;
    for (offset, piece) in std::mem::take(&mut checked.pieces) {
        if offset != copied {
            break;
        }
        upload.write(&checked.read(source, from, offset, &piece)?)?;
        copied = copied.saturating_add(piece.length as u64);
    }
    if copied != checked.object.size() {
        let message = "it was not checked piece by piece";
        return Err(source.locate(from, Error::new(ErrorKind::Storage, message)));
    }
    let e_tag = upload.commit(&[])?;
    Ok(Version { metadata: checked.metadata, e_tag })
}

/// A piece of an object, as it was when it was checked.
#[derive(Clone)]
struct Piece {
    length: usize,
    digest: Digest,
}

/// A snapshot that was checked, and is open to be read again.
struct Checked {
    object: Box<dyn Object>,
    metadata: Metadata,
    /// All of the object, one piece behind the other.
    pieces: BTreeMap<u64, Piece>,
}

impl Checked {
    fn of(source: &dyn Storage, from: &Key, options: &ReadOptions) -> Result<Self> {
        let object = source.open_whole(from)?;
        let remembered = Remembered { object: &*object, seen: Mutex::default() };
        let checked = format::read_events(&remembered, options, &mut json::Ignored);
        let (metadata, _) = checked.map_err(|error| source.locate(from, error))?;
        let pieces = remembered.pieces();
        Ok(Self { object, metadata, pieces })
    }

    /// Reads a piece again; one that is not as it was is read anew, as often as the store thinks.
    fn read(
        &mut self,
        source: &dyn Storage,
        from: &Key,
        offset: u64,
        piece: &Piece,
    ) -> Result<Vec<u8>> {
        let mut times = 0_u32;
        loop {
            let bytes = self.object.read_at(offset, piece.length)?;
            if Digest::of(&bytes) == piece.digest {
                return Ok(bytes);
            }
            let message = "bytes that were read again are not those that were checked";
            let changed = source.locate(from, Error::new(ErrorKind::Integrity, message));
            if !source.reads_again(&changed, times) {
                return Err(changed);
            }
            times = times.saturating_add(1);
            // What is open may keep the bytes that it has.
            self.object = source.open_whole(from)?;
        }
    }
}

/// An object that remembers what was read of it.
struct Remembered<'a> {
    object: &'a dyn Object,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// The longest read of a head.
    head: Vec<u8>,
    pieces: BTreeMap<u64, Piece>,
}

impl Remembered<'_> {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pieces without those that lie in others; a head ends where the piece behind it begins.
    fn pieces(&self) -> BTreeMap<u64, Piece> {
        let mut seen = self.seen();
        let mut pieces = std::mem::take(&mut seen.pieces);
        let is_whole = |piece: &Piece| piece.length as u64 == self.size();
        if pieces.get(&0).is_some_and(is_whole) {
            pieces.retain(|offset, _| *offset == 0);
            return pieces;
        }
        let next = pieces.keys().find(|offset| **offset > 0).copied();
        let length = next.and_then(|next| usize::try_from(next).ok()).unwrap_or(seen.head.len());
        if let Some(head) = seen.head.get(..length) {
            pieces.insert(0, Piece { length, digest: Digest::of(head) });
        }
        pieces
    }
}

impl Object for Remembered<'_> {
    fn size(&self) -> u64 {
        self.object.size()
    }

    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        let bytes = self.object.read_at(offset, length)?;
        let piece = Piece { length: bytes.len(), digest: Digest::of(&bytes) };
        let mut seen = self.seen();
        if offset == 0 && bytes.len() <= MAX_HEAD && bytes.len() > seen.head.len() {
            seen.head.clone_from(&bytes);
        }
        let is_longer = seen.pieces.get(&offset).is_none_or(|known| known.length < piece.length);
        if is_longer {
            seen.pieces.insert(offset, piece);
        }
        Ok(bytes)
    }
}
