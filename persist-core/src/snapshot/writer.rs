//! Saves a state that arrives in pieces.

use super::{SaveOptions, Version};
use crate::error::Result;
use crate::format::{self, Draft};
use crate::metadata::Metadata;
use crate::storage::{Key, PutOptions, Storage};
use crate::telemetry::{Operation, Verb};

/// Begins to save a state that arrives in pieces; [`save`](super::save) is for one that is there.
///
/// Nothing shows in the store before [`Writer::finish`]. Fails with `Configuration` for options that
/// contradict each other, with `LimitExceeded` for metadata that is too long, and as the store does.
///
/// ```
/// use persist_core::{Key, Limits, MemoryStorage, SaveOptions, snapshot};
///
/// let storage = MemoryStorage::new();
/// let key = Key::new("agent.json.gz")?;
/// let options = SaveOptions::at("2026-11-24T10:00:00Z".parse().unwrap());
/// let mut writer = snapshot::begin(&storage, &key, &options)?;
/// for piece in [r#"{"turns":"#, "1.10", "}"] {
///     writer.write(piece.as_bytes())?;
/// }
/// assert_eq!(writer.finish()?.uncompressed_size, 14);
///
/// let loaded = snapshot::load(&storage, &key, &Limits::DEFAULT.into())?;
/// assert_eq!(loaded.state, br#"{"turns":1.10}"#);
/// # Ok::<(), persist_core::Error>(())
/// ```
pub fn begin(storage: &dyn Storage, key: &Key, options: &SaveOptions) -> Result<Writer> {
    let mut operation = Verb::Save.begin(key.as_os_str());
    let inner = operation.within(|| begin_format(storage, key, options, true))?;
    Ok(Writer { inner, operation })
}

/// Does what [`begin`] does, for a producer that writes strict JSON by construction: the text is not
/// checked again. Lengths and the ratio are; what it weighs, the producer says with `weigh`.
///
/// A caller that cannot promise this writes snapshots that no reader accepts.
#[doc(hidden)]
pub fn begin_trusted(storage: &dyn Storage, key: &Key, options: &SaveOptions) -> Result<Writer> {
    let mut operation = Verb::Save.begin(key.as_os_str());
    let inner = operation.within(|| begin_format(storage, key, options, false))?;
    Ok(Writer { inner, operation })
}

fn begin_format(
    storage: &dyn Storage,
    key: &Key,
    options: &SaveOptions,
    is_checked: bool,
) -> Result<format::Writer> {
    let name = options.algorithm_name(&key.file_name())?;
    let algorithm = options.algorithms.get(&name)?;
    let metadata = options.metadata(&name);
    let draft = Draft { metadata, algorithm, level: options.level, is_checked };
    let head_length = draft.head_length()?;
    let put = PutOptions {
        head_length,
        overwrite: options.overwrite,
        if_match: options.if_match.clone(),
        durable: options.durable,
    };
    Ok(format::Writer::new(draft, head_length, storage.create(key, &put)?))
}

/// A snapshot that is being saved; dropping it leaves what was there before.
///
/// A state of more than 2 MiB is checked, hashed, compressed and written on threads of its own while
/// the next pieces come; they end with the writer. What is on its way is bounded (a block of
/// 1 MiB for each thread, and three), whatever the size of the state: [`Writer::write`] waits when the
/// store is slow.
pub struct Writer {
    inner: format::Writer,
    operation: Operation,
}

impl Writer {
    /// Takes the next piece of the state, of any length.
    ///
    /// Fails with `Format` or `LimitExceeded` for text that could not be read back, and as the store
    /// does; an error may belong to an earlier piece. What is left then is to drop the writer.
    #[inline]
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if self.inner.append(bytes) {
            return Ok(());
        }
        self.operation.within(|| self.inner.write(bytes))
    }

    /// Says that a block may end behind what was written, as at the end of a message.
    #[inline]
    pub fn mark(&mut self) {
        self.inner.mark();
    }

    /// Says what all of the state weighs; for the producer that [`begin_trusted`] is for.
    #[doc(hidden)]
    pub fn weigh(&mut self, weight: u64) {
        self.inner.weigh(weight);
    }

    /// Writes the rest; when this returns, the snapshot is there whole.
    ///
    /// Fails as [`Writer::write`] does; what was there before is then intact.
    pub fn finish(self) -> Result<Metadata> {
        self.finish_version().map(|version| version.metadata)
    }

    /// Does what [`Writer::finish`] does, and tells the tag of the object for a later `if_match`.
    pub fn finish_version(mut self) -> Result<Version> {
        let (metadata, e_tag) = self.operation.within(|| self.inner.finish())?;
        self.operation.succeeded(Some(&metadata));
        Ok(Version { metadata, e_tag })
    }
}
