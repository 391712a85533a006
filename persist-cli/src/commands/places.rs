//! Snapshots as the arguments name them: files, and folders of files.

use std::ffi::OsString;
use std::sync::Arc;

use persist_core::{
    Algorithms, Error, ErrorKind, Key, Limits, Location, Metadata, ReadOptions, Result, Snapshot,
    Storage, snapshot,
};

/// A snapshot in a store.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) key: Key,
}

impl Place {
    /// Takes a path or URL.
    pub(crate) fn parse(text: &OsString) -> Result<Self> {
        let location = Location::parse(text)?;
        Ok(Self { storage: location.storage()?, key: location.key().clone() })
    }

    pub(crate) fn load(&self) -> Result<Snapshot> {
        snapshot::load(&*self.storage, &self.key, &read_options())
    }

    pub(crate) fn metadata(&self) -> Result<Metadata> {
        snapshot::read_metadata(&*self.storage, &self.key, &read_options())
    }

    /// The key as text, for tables and JSON.
    pub(crate) fn name(&self) -> String {
        self.key.as_os_str().to_string_lossy().into_owned()
    }

    /// The files that this place stands for: itself, or the snapshots in the folder.
    pub(crate) fn files(&self) -> Result<Vec<Self>> {
        let mut found = Vec::new();
        for object in self.storage.list(&self.key)? {
            let key = object?.key;
            if key == self.key || is_named_like_a_snapshot(&key) {
                found.push(Self { storage: Arc::clone(&self.storage), key });
            }
        }
        if found.is_empty() {
            let message = format!("there are no snapshots in {}", self.key);
            return Err(Error::new(ErrorKind::NotFound, message)
                .with_hint("snapshots end in .json.gz, .json.zst or .json"));
        }
        Ok(found)
    }
}

/// The limits of the specification.
pub(crate) fn read_options() -> ReadOptions {
    Limits::DEFAULT.into()
}

fn is_named_like_a_snapshot(key: &Key) -> bool {
    Algorithms::named_by(&key.file_name()).is_some()
}
