//! Snapshots of AI agents: one file each, whole or not at all, checked to the byte.
//!
//! The state of an agent comes in as text (one JSON value) and goes one way:
//!
//! ```text
//! state ─ snapshot ─ format ─ compression ─ storage
//!         save,load  file v1  gzip,zstd     local disk, memory, yours
//! ```
//!
//! A room imports only rooms to its right, and the side rooms [`Error`], [`Metadata`], ids,
//! hashing, strict JSON and [`telemetry`]. The state is never parsed and printed again: every float,
//! big integer and key order comes back as it was.
//!
//! ```
//! use persist_core::{Key, Limits, LocalStorage, SaveOptions, snapshot};
//!
//! let folder = tempfile::tempdir()?;
//! let storage = LocalStorage::below(folder.path());
//! let key = Key::new("bots/support.json.gz")?;
//!
//! let options = SaveOptions::at("2026-11-24T10:00:00Z".parse()?);
//! snapshot::save(&storage, &key, br#"{"messages":["hello"]}"#, &[], &options)?;
//!
//! let metadata = snapshot::read_metadata(&storage, &key, &Limits::DEFAULT.into())?;
//! assert_eq!(metadata.agent_id.as_str(), "default_agent");
//! let loaded = snapshot::load(&storage, &key, &Limits::DEFAULT.into())?;
//! assert_eq!(loaded.state, br#"{"messages":["hello"]}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The library reads no environment variable, clock or terminal: they are handed in. What you can
//! add of your own is a store ([`Storage`]) and an algorithm ([`Algorithm`]).

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod compression;
pub mod error;
pub mod format;
mod hashing;
pub mod health;
mod id;
mod json;
pub mod metadata;
mod parallel;
pub mod snapshot;
pub mod storage;
pub mod telemetry;

pub use compression::{Algorithm, Algorithms, Container, Level};
pub use error::{Backend, Error, ErrorKind, Failed, Result};
pub use format::{Limits, Protection, ReadOptions, Snapshot};
pub use hashing::Digest;
pub use id::{AgentId, SessionId, SnapshotId};
pub use json::Events;
pub use metadata::{Field, Metadata};
pub use snapshot::{SaveOptions, Verified, Version};
#[cfg(feature = "cloud")]
pub use storage::{CancelToken, CloudStorage};
pub use storage::{
    ETag, Key, LocalStorage, Location, MemoryStorage, Object, ObjectInfo, PutOptions, Room,
    Storage, StorageOptions, Upload,
};
