//! Snapshots as the arguments name them: files, and folders of files.

use std::sync::Arc;

use persist_core::{
    Algorithms, Error, ErrorKind, Key, Limits, Location, Metadata, ReadOptions, Result, Snapshot,
    Storage, StorageOptions, snapshot,
};

use crate::{Terminal, exit_code, output};

/// A snapshot in a store.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) key: Key,
    location: Location,
}

impl Place {
    /// Opens the store of a path or URL.
    pub(crate) fn open(location: Location, options: &StorageOptions) -> Result<Self> {
        let storage = location.storage_with(options)?;
        Ok(Self { storage, key: location.key().clone(), location })
    }

    /// Another key in the same store.
    fn with_key(&self, key: Key) -> Self {
        let location = self.location.with_key(key.clone());
        Self { storage: Arc::clone(&self.storage), key, location }
    }

    pub(crate) fn load(&self) -> Result<Snapshot> {
        snapshot::load(&*self.storage, &self.key, &read_options())
    }

    pub(crate) fn metadata(&self) -> Result<Metadata> {
        snapshot::read_metadata(&*self.storage, &self.key, &read_options())
    }

    /// The path or URL as text, for tables and JSON.
    pub(crate) fn name(&self) -> String {
        self.location.to_string()
    }

    /// The files of a folder or prefix; `None` for what is one file, or missing. A folder without any
    /// is an error.
    pub(crate) fn folder(&self) -> Result<Option<Vec<Self>>> {
        if !self.key.is_root() && self.is_file()? {
            return Ok(None);
        }
        match self.files() {
            Err(error) if error.kind() == ErrorKind::NotFound && self.is_missing() => Ok(None),
            found => found.map(Some),
        }
    }

    /// The error, with this place in its message.
    fn named_in(&self, error: Error) -> Error {
        let is_named = error.to_string().contains(&self.key.to_string());
        if is_named { error } else { error.at(&self.key) }
    }

    fn is_missing(&self) -> bool {
        if self.key.is_root() {
            return false;
        }
        let found = self.storage.stat(&self.key);
        found.is_err_and(|error| error.kind() == ErrorKind::NotFound)
    }

    /// Whether the place is one file; a store that cannot say so fails.
    fn is_file(&self) -> Result<bool> {
        if !self.location.is_local() && self.key.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Ok(false);
        }
        match self.storage.stat(&self.key) {
            Ok(_) => Ok(true),
            Err(error) if self.location.is_local() || error.kind() == ErrorKind::NotFound => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// The place below `target` where a copy of this file of the folder `source` goes, under its own
    /// name or with another ending.
    fn moved(&self, source: &Self, target: &Self, ending: Option<&str>) -> Result<Self> {
        let path = self.key.as_path();
        let below = path.strip_prefix(source.key.as_path()).unwrap_or(path);
        let name = below.file_name().unwrap_or_default().to_string_lossy();
        let renamed = match ending {
            Some(ending) => below.with_file_name(format!("{}{ending}", stem(&name))),
            None => below.to_owned(),
        };
        Ok(target.with_key(Key::new(target.key.as_path().join(renamed))?))
    }

    /// The files that this place stands for, as they are listed: itself, or the snapshots in the
    /// folder; none at all is an error.
    pub(crate) fn listed(&self) -> Result<impl Iterator<Item = Result<Self>> + '_> {
        let is_ours = |key: &Key| *key == self.key || is_named_like_a_snapshot(key);
        let mut found = self
            .storage
            .list(&self.key)?
            .filter(move |object| object.as_ref().map_or(true, |object| is_ours(&object.key)))
            .map(|object| object.map(|object| self.with_key(object.key)))
            .peekable();
        if found.peek().is_none() {
            let message = format!("there are no snapshots in {}", quoted(&self.name()));
            return Err(Error::new(ErrorKind::NotFound, message)
                .with_hint("snapshots end in .json.gz, .json.zst or .json"));
        }
        Ok(found)
    }

    /// All of [`Self::listed`].
    pub(crate) fn files(&self) -> Result<Vec<Self>> {
        self.listed()?.collect()
    }
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// What became of a file, or of the files of a folder.
pub(crate) struct Made {
    pub(crate) places: Vec<Place>,
    /// The exit code of the first failure.
    pub(crate) code: u8,
}

impl Made {
    /// Writes the names of the new files, as JSON or for a person; returns the exit code.
    pub(crate) fn tell(&self, as_json: bool, terminal: &mut Terminal<'_>) -> Result<u8> {
        if as_json {
            output::json(terminal, &self.places.iter().map(Place::name).collect())?;
        } else {
            for place in &self.places {
                output::line(terminal, &format!("wrote {}", output::printable(&place.name())))?;
            }
        }
        Ok(self.code)
    }
}

/// Does the work on a file, or on each file of a folder. A file of a folder that fails is told by name,
/// and the others go on, unless there is no room for them.
pub(crate) fn each(
    from: &Place,
    to: &Place,
    ending: Option<&str>,
    terminal: &mut Terminal<'_>,
    mut work: impl FnMut(&Place, &Place) -> Result<()>,
) -> Result<Made> {
    let Some(files) = from.folder()? else {
        work(from, to)?;
        return Ok(Made { places: vec![to.clone()], code: 0 });
    };
    let bar = output::progress(files.len(), terminal);
    let mut made = Made { places: Vec::with_capacity(files.len()), code: 0 };
    for file in files {
        let target = file.moved(from, to, ending);
        match target.and_then(|target| work(&file, &target).map(|()| target)) {
            Ok(target) => made.places.push(target),
            Err(error) => {
                made.code = if made.code == 0 { exit_code(error.kind()) } else { made.code };
                let has_room = error.kind() != ErrorKind::NoSpace;
                bar.suspend(|| output::report(terminal, &file.named_in(error)));
                if !has_room {
                    break;
                }
            }
        }
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
