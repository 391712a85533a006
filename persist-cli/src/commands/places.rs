//! Snapshots as the arguments name them: files, and folders of files.

use std::ffi::OsString;
use std::sync::Arc;

use persist_core::{
    Algorithms, Error, ErrorKind, Key, Limits, Location, Metadata, ReadOptions, Result, Snapshot,
    Storage, snapshot,
};

use crate::{Terminal, output};

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

    /// Whether the place is one file; a folder and what is missing are none.
    pub(crate) fn is_file(&self) -> bool {
        self.storage.stat(&self.key).is_ok()
    }

    /// The place below `target` where a copy of this file of the folder `source` goes.
    pub(crate) fn moved(&self, source: &Self, target: &Self, ending: &str) -> Result<Self> {
        let path = self.key.as_path();
        let below = path.strip_prefix(source.key.as_path()).unwrap_or(path);
        let name = below.file_name().unwrap_or_default().to_string_lossy();
        let renamed = below.with_file_name(format!("{}{ending}", stem(&name)));
        let key = Key::new(target.key.as_path().join(renamed))?;
        Ok(Self { storage: Arc::clone(&target.storage), key })
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

/// Does the work on a file, or on each file of a folder, and returns what was made.
pub(crate) fn each(
    from: &Place,
    to: &Place,
    ending: &str,
    terminal: &Terminal<'_>,
    mut work: impl FnMut(&Place, &Place) -> Result<()>,
) -> Result<Vec<Place>> {
    if from.is_file() || from.files().is_err() {
        work(from, to)?;
        return Ok(vec![to.clone()]);
    }
    let files = from.files()?;
    let bar = output::progress(files.len(), terminal);
    let mut made = Vec::with_capacity(files.len());
    for file in files {
        let target = file.moved(from, to, ending)?;
        work(&file, &target)?;
        made.push(target);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(made)
}

/// The limits of the specification.
pub(crate) fn read_options() -> ReadOptions {
    Limits::DEFAULT.into()
}

/// The name without the endings of a snapshot.
fn stem(name: &str) -> &str {
    let endings = [".json.gz", ".json.zst", ".json", ".gz", ".zst"];
    endings.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

fn is_named_like_a_snapshot(key: &Key) -> bool {
    Algorithms::named_by(&key.file_name()).is_some()
}
