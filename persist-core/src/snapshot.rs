//! What one does with a snapshot: save, load, read its metadata, verify, delete.

mod copying;
mod writer;

use std::thread;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::compression::{Algorithms, Level};
use crate::error::{Error, ErrorKind, Result};
use crate::format::{self, Protection, ReadOptions, Snapshot};
use crate::hashing::Digest;
use crate::id::{AgentId, SessionId, SnapshotId};
use crate::json::{self, Events};
use crate::metadata::{Metadata, STATE_FORMAT};
use crate::storage::{ETag, Key, MemoryStorage, Object, Storage};
use crate::telemetry::Verb;
use crate::telemetry::spans::{self, verb_span};

pub use copying::copy;
pub use writer::{Writer, begin, begin_trusted};

/// How many snapshots' metadata are read at once.
const MOST_AT_ONCE: usize = 16;

/// With fewer to read, another thread costs more than it saves on a local disk.
const KEYS_WORTH_A_THREAD: usize = 4;

/// What the caller says of the snapshot, and how it is written.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SaveOptions {
    /// The agent that this is a snapshot of.
    pub agent_id: AgentId,
    /// The session or conversation that it belongs to.
    pub session_id: SessionId,
    /// The number of this snapshot in its session, from 0.
    pub snapshot_index: u64,
    /// When it was taken.
    pub timestamp: Timestamp,
    /// The id of this snapshot.
    pub snapshot_id: SnapshotId,
    /// What a person wrote about it.
    pub description: Option<String>,
    /// The version of the typed JSON in the state; `None` for plain JSON without tags.
    pub state_format: Option<u64>,
    /// The snapshot that this one follows.
    pub parent: Option<SnapshotId>,
    /// Names and values that the user chose; values are strings.
    pub tags: Map<String, Value>,
    /// The distributions that the agent was made with, and their versions.
    pub framework: Map<String, Value>,
    /// The adapter that captured the agent.
    pub adapter: Option<String>,
    /// The release of Persist that writes the snapshot.
    pub persist_version: Option<String>,
    /// The name of the algorithm; `None` takes the one that the key's ending names, else gzip.
    pub compression: Option<String>,
    /// How hard to compress.
    pub level: Level,
    /// The algorithms that are known.
    pub algorithms: Algorithms,
    /// Whether a snapshot that is there already is replaced; else it is a conflict.
    pub overwrite: bool,
    /// Replaces this version of the object alone; any other, or none, is a conflict.
    pub if_match: Option<ETag>,
    /// Whether the snapshot survives a power cut once `save` has returned.
    pub durable: bool,
}

impl SaveOptions {
    /// The defaults, for a snapshot that is taken at this time; the id is made from it.
    pub fn at(timestamp: Timestamp) -> Self {
        Self {
            agent_id: AgentId::default(),
            session_id: SessionId::default(),
            snapshot_index: 0,
            timestamp,
            snapshot_id: SnapshotId::at(timestamp),
            description: None,
            state_format: Some(STATE_FORMAT),
            parent: None,
            tags: Map::new(),
            framework: Map::new(),
            adapter: None,
            persist_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            compression: None,
            level: None,
            algorithms: Algorithms::default(),
            overwrite: true,
            if_match: None,
            durable: true,
        }
    }

    /// The options that write a snapshot with this metadata again.
    ///
    /// Hashes and sizes are made anew, and so is the compression.
    pub fn again(metadata: &Metadata) -> Self {
        Self {
            agent_id: metadata.agent_id.clone(),
            session_id: metadata.session_id.clone(),
            snapshot_index: metadata.snapshot_index,
            snapshot_id: metadata.snapshot_id,
            description: metadata.description.clone(),
            state_format: metadata.state_format,
            parent: metadata.parent,
            tags: metadata.tags.clone(),
            framework: metadata.framework.clone(),
            adapter: metadata.adapter.clone(),
            ..Self::at(metadata.timestamp)
        }
    }

    /// The algorithm that is asked for, or that the name of the file asks for.
    fn algorithm_name(&self, file_name: &str) -> Result<String> {
        let by_name = Algorithms::named_by(file_name);
        match (&self.compression, by_name) {
            (None, by_name) => Ok(by_name.unwrap_or("gzip").to_owned()),
            (Some(asked), Some(by_name)) if asked != by_name => {
                let message = format!("the name {file_name:?} says {by_name}, not {asked}");
                Err(Error::new(ErrorKind::Configuration, message)
                    .with_hint("end the name in .json.gz, .json.zst or .json, as the algorithm is"))
            }
            (Some(asked), _) => Ok(asked.clone()),
        }
    }

    fn metadata(&self, algorithm: &str) -> Metadata {
        Metadata {
            agent_id: self.agent_id.clone(),
            session_id: self.session_id.clone(),
            snapshot_index: self.snapshot_index,
            timestamp: self.timestamp,
            content_hash: Digest::from_bytes([0; 32]),
            snapshot_id: self.snapshot_id,
            description: self.description.clone(),
            uncompressed_size: 0,
            compressed_size: None,
            compression_algorithm: algorithm.to_owned(),
            state_format: self.state_format,
            block_root: None,
            metadata_hash: None,
            parent: self.parent,
            tags: self.tags.clone(),
            framework: self.framework.clone(),
            adapter: self.adapter.clone(),
            persist_version: self.persist_version.clone(),
            unknown: Map::new(),
        }
    }
}

/// A snapshot at its place: what it says about itself, and what the store calls this version.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Version {
    /// What the snapshot says about itself.
    pub metadata: Metadata,
    /// The tag of the object; `None` where the store does not say.
    pub e_tag: Option<ETag>,
}

/// A snapshot that passed every check.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Verified {
    /// What the snapshot says about itself.
    pub metadata: Metadata,
    /// What protects the metadata.
    pub protection: Protection,
}

/// Saves a state: one JSON value, as text, which is kept to the byte.
///
/// `marks` are ascending offsets in the state where a block may end, as at the end of a message.
/// When this returns, the snapshot is there whole; when it fails, what was there before is.
///
/// Fails with `Format` or `LimitExceeded` for a state that could not be read back, with
/// `Configuration` for options that contradict each other, and as the store does.
///
/// ```
/// use persist_core::{Key, Limits, MemoryStorage, SaveOptions, snapshot};
///
/// let storage = MemoryStorage::new();
/// let key = Key::new("agent.json.gz")?;
/// let options = SaveOptions::at("2026-11-24T10:00:00Z".parse().unwrap());
/// let metadata = snapshot::save(&storage, &key, br#"{"turns":1.10}"#, &[], &options)?;
/// assert_eq!(metadata.uncompressed_size, 14);
///
/// let loaded = snapshot::load(&storage, &key, &Limits::DEFAULT.into())?;
/// assert_eq!(loaded.state, br#"{"turns":1.10}"#);
/// # Ok::<(), persist_core::Error>(())
/// ```
pub fn save(
    storage: &dyn Storage,
    key: &Key,
    state: &[u8],
    marks: &[usize],
    options: &SaveOptions,
) -> Result<Metadata> {
    save_version(storage, key, state, marks, options).map(|version| version.metadata)
}

/// Does what [`save`] does, and tells the tag of the object for a later `if_match`.
pub fn save_version(
    storage: &dyn Storage,
    key: &Key,
    state: &[u8],
    marks: &[usize],
    options: &SaveOptions,
) -> Result<Version> {
    let mut writer = begin(storage, key, options)?;
    let mut start = 0;
    for &mark in marks {
        if let Some(piece) = state.get(start..mark) {
            writer.write(piece)?;
            writer.mark();
            start = mark;
        }
    }
    writer.write(state.get(start..).unwrap_or_default())?;
    writer.finish_version()
}

/// Loads a snapshot and checks all of it.
///
/// Fails with `NotFound`, `Format`, `Integrity`, `UnsupportedVersion`, `LimitExceeded`, and as the
/// store does; the message names the key.
pub fn load(storage: &dyn Storage, key: &Key, options: &ReadOptions) -> Result<Snapshot> {
    let load = || load_checked(storage, key, options);
    Verb::Load.run(key.as_os_str(), load, |snapshot| Some(&snapshot.metadata))
}

fn load_checked(storage: &dyn Storage, key: &Key, options: &ReadOptions) -> Result<Snapshot> {
    until_whole(storage, || {
        let object = storage.open_whole(key)?;
        let bytes = format::read_all(&*object, options);
        bytes
            .and_then(|bytes| format::read_checked(&bytes, options))
            .map_err(|error| storage.locate(key, error))
    })
}

/// Reads again what is no valid snapshot, as often as the store thinks that it may be its way here.
fn until_whole<T>(storage: &dyn Storage, mut read: impl FnMut() -> Result<T>) -> Result<T> {
    let mut times = 0_u32;
    loop {
        match read() {
            Err(error) if storage.reads_again(&error, times) => times = times.saturating_add(1),
            done => return done,
        }
    }
}

/// Reads what a snapshot says about itself: 4 KiB of the file, whatever the size of the state.
///
/// The state is not looked at; [`verify`] does that. Fails as [`load`] does.
pub fn read_metadata(storage: &dyn Storage, key: &Key, options: &ReadOptions) -> Result<Metadata> {
    read_version(storage, key, options).map(|version| version.metadata)
}

/// Does what [`read_metadata`] does, and tells the tag of the object for a later `if_match`.
pub fn read_version(storage: &dyn Storage, key: &Key, options: &ReadOptions) -> Result<Version> {
    spans::within(&verb_span!(spans::METADATA, &*key.as_os_str().to_string_lossy()), || {
        until_whole(storage, || {
            let object = storage.open(key)?;
            let metadata = format::read_metadata(&*object, options);
            let metadata = metadata.map_err(|error| storage.locate(key, error))?;
            Ok(Version { metadata, e_tag: object.e_tag() })
        })
    })
}

/// Reads the metadata of many snapshots of a store, in the order of the keys.
///
/// At most 16 are read at once. Each result is what [`read_metadata`] returns for its key.
pub fn read_metadata_of_all(
    storage: &dyn Storage,
    keys: &[Key],
    options: &ReadOptions,
) -> Vec<Result<Metadata>> {
    let read = |key: &Key| read_metadata(storage, key, options);
    let threads = keys.len().div_ceil(KEYS_WORTH_A_THREAD).min(MOST_AT_ONCE);
    if threads < 2 {
        return keys.iter().map(read).collect();
    }
    thread::scope(|scope| {
        let shares = keys.chunks(keys.len().div_ceil(threads));
        let start = |share| {
            let work = move || <[Key]>::iter(share).map(read).collect::<Vec<_>>();
            (share, scope.spawn(spans::carried(work)))
        };
        let workers: Vec<_> = shares.map(start).collect();
        let results = |(share, worker): (&[Key], thread::ScopedJoinHandle<'_, Vec<_>>)| {
            worker.join().unwrap_or_else(|_| share.iter().map(|_| Err(thread_died())).collect())
        };
        workers.into_iter().flat_map(results).collect()
    })
}

fn thread_died() -> Error {
    Error::new(ErrorKind::Storage, "a thread that reads ended before its work")
}

/// Checks all of a snapshot, in memory that does not grow with it. Fails as [`load`] does.
///
/// A file that was written by others, or rewritten, is unpacked in memory.
pub fn verify(storage: &dyn Storage, key: &Key, options: &ReadOptions) -> Result<Verified> {
    let verify = || scan(storage, key, options, &mut json::Ignored);
    Verb::Verify.run(key.as_os_str(), verify, |verified| Some(&verified.metadata))
}

/// Checks all of a snapshot, and tells what its state holds while it is read.
///
/// Each block is checked before it is parsed; the state as a whole is checked only when this
/// returns. Fails as [`load`] does, and what was told before is then to be thrown away.
pub fn read(
    storage: &dyn Storage,
    key: &Key,
    options: &ReadOptions,
    events: &mut impl Events,
) -> Result<Verified> {
    let load = || scan(storage, key, options, events);
    Verb::Load.run(key.as_os_str(), load, |verified| Some(&verified.metadata))
}

fn scan(
    storage: &dyn Storage,
    key: &Key,
    options: &ReadOptions,
    events: &mut impl Events,
) -> Result<Verified> {
    until_whole(storage, || {
        let object = events.detached(|| storage.open_whole(key))?;
        let read = format::read_events(&*object, options, events);
        let (metadata, protection) = read.map_err(|error| storage.locate(key, error))?;
        Ok(Verified { metadata, protection })
    })
}

/// Deletes a snapshot; `NotFound` when there is none.
pub fn delete(storage: &dyn Storage, key: &Key) -> Result<()> {
    Verb::Delete.run(key.as_os_str(), || storage.delete(key), |()| None)
}

/// Writes a snapshot into memory: the bytes that [`save`] would store.
pub fn encode(state: &[u8], marks: &[usize], options: &SaveOptions) -> Result<Vec<u8>> {
    let storage = MemoryStorage::new();
    let key = Key::new("snapshot")?;
    save(&storage, &key, state, marks, options)?;
    format::read_all(&*storage.open(&key)?, &ReadOptions::default())
}

/// Reads a snapshot from memory and checks all of it. Fails as [`load`] does.
pub fn decode(bytes: &[u8], options: &ReadOptions) -> Result<Snapshot> {
    format::read_checked(bytes, options)
}

/// Does what [`read`] does, with the bytes of a snapshot.
pub fn read_bytes(
    bytes: &[u8],
    options: &ReadOptions,
    events: &mut impl Events,
) -> Result<Verified> {
    let (metadata, protection) = format::read_events(&InMemory(bytes), options, events)?;
    Ok(Verified { metadata, protection })
}

/// The bytes of a snapshot, as an object.
struct InMemory<'a>(&'a [u8]);

impl Object for InMemory<'_> {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.0.len());
        let behind = self.0.split_at(start).1;
        Ok(behind.split_at(length.min(behind.len())).0.to_vec())
    }
}
