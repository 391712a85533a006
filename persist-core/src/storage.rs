//! Where snapshots are kept: one trait, and the stores behind it.
//!
//! A [`Storage`] keeps objects under keys. An object appears whole or not at all: it is written
//! through an [`Upload`], whose first bytes (the head, which holds hashes and sizes) are known last
//! and handed to [`Upload::commit`]. Dropping an upload without commit leaves what was there before.
//!
//! A store of your own implements this trait; `persist_core::storage::conformance` (feature
//! `conformance`) is the suite that it must pass. `examples/own_store.rs` shows one.

#[cfg(feature = "cloud")]
mod cloud;
#[cfg(feature = "conformance")]
pub mod conformance;
mod instrument;
mod local;
mod location;
mod memory;
mod options;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::Path;

use jiff::Timestamp;

#[cfg(feature = "cloud")]
pub use cloud::{
    AwsCredential, AwsCredentialProvider, AwsProfile, CancelToken, CloudStorage, CredentialProvider,
};
pub use local::LocalStorage;
pub use location::Location;
pub use memory::MemoryStorage;
#[cfg(feature = "cloud")]
pub use options::AwsProfiles;
pub use options::StorageOptions;

use crate::error::{Error, ErrorKind, Result};

/// The name of an object in a store; for the local disk, a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(OsString);

impl Key {
    /// Takes a key; one that is empty or holds a NUL is a configuration error.
    pub fn new(key: impl Into<OsString>) -> Result<Self> {
        let key = key.into();
        if key.is_empty() {
            return Err(Error::new(ErrorKind::Configuration, "the path is empty"));
        }
        if key.as_encoded_bytes().contains(&0) {
            let message = format!("the path {} holds a NUL byte", Self(key));
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        Ok(Self(key))
    }

    /// The key as a path.
    pub fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }

    /// The key as the operating system's text.
    pub fn as_os_str(&self) -> &OsStr {
        &self.0
    }

    /// The key of everything in a bucket: a prefix, but no object.
    pub(crate) fn root() -> Self {
        Self(OsString::new())
    }

    /// Whether this is the key of everything.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The part after the last separator, as text; what is not UTF-8 in it is replaced.
    pub fn file_name(&self) -> String {
        let name = self.as_path().file_name().unwrap_or(&self.0);
        name.to_string_lossy().into_owned()
    }
}

/// Shows the key in quotes, with control characters escaped.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// What a store calls one version of an object: another body, another tag.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ETag(String);

impl ETag {
    /// Takes a tag as a store gave it.
    pub fn new(tag: impl Into<String>) -> Self {
        Self(tag.into())
    }

    /// The tag as the store gave it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a store knows of an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The name of the object.
    pub key: Key,
    /// Its length in bytes.
    pub size: u64,
    /// When it was last written.
    pub modified: Option<Timestamp>,
    /// Which version of the object this is; `None` where the store does not say.
    pub e_tag: Option<ETag>,
}

/// How an object is written.
#[derive(Debug, Clone)]
pub struct PutOptions {
    /// How many bytes at the start are written last, by [`Upload::commit`].
    pub head_length: usize,
    /// Whether an object that is there already is replaced; else it is a conflict.
    pub overwrite: bool,
    /// Replaces this version of the object alone; any other, or none, is a conflict.
    pub if_match: Option<ETag>,
    /// Whether the object survives a power cut once `commit` has returned.
    pub durable: bool,
}

impl Default for PutOptions {
    fn default() -> Self {
        Self { head_length: 0, overwrite: true, if_match: None, durable: true }
    }
}

/// Keeps objects under keys.
///
/// Every method fails with `NotFound`, `AccessDenied`, `Storage` or `Timeout` as the words say.
pub trait Storage: fmt::Debug + Send + Sync {
    /// Opens an object for reading. What it reads is of one version, even if the object is replaced
    /// meanwhile; a store that does not keep the old version then fails with `Conflict`.
    fn open(&self, key: &Key) -> Result<Box<dyn Object>>;

    /// Opens an object that will be read from start to end; stores can fetch more of it at once.
    fn open_whole(&self, key: &Key) -> Result<Box<dyn Object>> {
        self.open(key)
    }

    /// Begins to write an object; nothing shows before [`Upload::commit`].
    fn create(&self, key: &Key, options: &PutOptions) -> Result<Box<dyn Upload>>;

    /// What is known of an object; `NotFound` when there is none.
    fn stat(&self, key: &Key) -> Result<ObjectInfo>;

    /// Removes an object; `NotFound` when there is none.
    fn delete(&self, key: &Key) -> Result<()>;

    /// The object of this key and all below it, as of a file or a folder, in the order of their keys.
    fn list(&self, prefix: &Key) -> Result<Box<dyn Iterator<Item = Result<ObjectInfo>> + '_>>;

    /// Whether there is an object; a store that cannot say so fails.
    fn exists(&self, key: &Key) -> Result<bool> {
        match self.stat(key) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether an object whose bytes are no valid snapshot is read again: they can change on their way
    /// from the store. `times` says how often it was.
    fn reads_again(&self, _damage: &Error, _times: u32) -> bool {
        false
    }

    /// Says which object an error is about that its bytes gave rise to.
    fn locate(&self, key: &Key, damage: Error) -> Error {
        damage.at(key)
    }

    /// How much room there is where this key would be written; `None` where the store has no end.
    fn room(&self, _key: &Key) -> Option<Room> {
        None
    }
}

/// The room of a disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// What this user can still write.
    pub free: u64,
    /// The whole disk.
    pub size: u64,
}

/// An object that is open for reading, by several threads at once.
pub trait Object: Send + Sync {
    /// The length in bytes.
    fn size(&self) -> u64;

    /// Reads `length` bytes from `offset`; fewer only where the object ends.
    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>>;

    /// Which version of the object this is; `None` where the store does not say.
    fn e_tag(&self) -> Option<ETag> {
        None
    }
}

/// An object that is being written.
pub trait Upload: Send {
    /// Appends bytes behind the head.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;

    /// Puts the head in front and makes the object visible, whole; returns its tag, if it has one.
    ///
    /// The head is exactly `head_length` bytes. Fails with `Conflict` when the object exists and
    /// `overwrite` was false, or is not the one of `if_match`, and with `NoSpace`; what was there
    /// before is then intact.
    fn commit(self: Box<Self>, head: &[u8]) -> Result<Option<ETag>>;
}
