//! Where a snapshot is, as a user writes it: a path, or a URL.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

#[cfg(feature = "cloud")]
use super::CloudStorage;
#[cfg(feature = "cloud")]
use super::cloud::option_names;
use super::instrument::InstrumentedStorage;
use super::{Key, LocalStorage, MemoryStorage, Storage, StorageOptions};
use crate::error::{Backend, Error, ErrorKind, Result};

/// A place in a store, parsed from a path or a URL.
///
/// ```
/// use persist_core::Location;
///
/// let location = Location::parse("file:///srv/agents/a.json.gz")?;
/// assert_eq!(location.key().as_os_str(), "/srv/agents/a.json.gz");
/// # Ok::<(), persist_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    store: Store,
    key: Key,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Store {
    Local,
    Memory { name: String },
    Cloud { backend: Backend, bucket: String },
}

const SCHEMES: [(&str, Backend); 7] = [
    ("s3", Backend::S3),
    ("s3a", Backend::S3),
    ("az", Backend::Azure),
    ("azure", Backend::Azure),
    ("abfs", Backend::Azure),
    ("gs", Backend::Gcs),
    ("gcs", Backend::Gcs),
];

/// The stores in memory of this process, by name.
static MEMORIES: Mutex<BTreeMap<String, MemoryStorage>> = Mutex::new(BTreeMap::new());

impl Location {
    /// Takes a path, or a URL that begins with `file://`, `s3://`, `az://`, `abfs://`, `gs://` or
    /// `memory://`.
    ///
    /// Without a key, the URL of a bucket is a prefix of everything in it, and names no object. Any
    /// other scheme is a configuration error; a path may hold any bytes but NUL.
    pub fn parse(text: impl AsRef<OsStr>) -> Result<Self> {
        let text = text.as_ref();
        match text.to_str().and_then(|text| text.split_once("://")) {
            Some((scheme, rest)) if is_scheme(scheme) => Self::parse_url(scheme, rest),
            _ => Self::local(text),
        }
    }

    /// A path on the local disk, taken as it stands.
    pub fn local(path: impl Into<OsString>) -> Result<Self> {
        Ok(Self { store: Store::Local, key: Key::new(path)? })
    }

    fn parse_url(scheme: &str, rest: &str) -> Result<Self> {
        if scheme == "file" {
            return Self::parse_file_url(rest);
        }
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let store = if scheme == "memory" {
            Store::Memory { name: bucket.to_owned() }
        } else {
            Store::Cloud { backend: backend_of(scheme)?, bucket: bucket.to_owned() }
        };
        if bucket.is_empty() {
            let message = format!("the {scheme} URL names no bucket; there is no default one");
            let hint = format!("write it as {scheme}://BUCKET/KEY");
            return Err(Error::new(ErrorKind::Configuration, message).with_hint(hint));
        }
        let key = if key.is_empty() { Key::root() } else { Key::new(key)? };
        Ok(Self { store, key })
    }

    /// The path of a URL that names no other machine.
    fn parse_file_url(rest: &str) -> Result<Self> {
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if !matches!(host, "" | "localhost") || path.is_empty() {
            let message = format!("the URL \"file://{rest}\" names no file of this machine");
            let hint = format!("write it as file:///{}", rest.trim_start_matches('/'));
            return Err(Error::new(ErrorKind::Configuration, message).with_hint(hint));
        }
        Self::local(path)
    }

    /// The key in the store.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The URL of another key in the same store; on the local disk, a path.
    pub fn with_key(&self, key: Key) -> Self {
        Self { store: self.store.clone(), key }
    }

    /// Whether this is a file or a folder of this machine.
    pub fn is_local(&self) -> bool {
        self.store == Store::Local
    }

    /// The names of the options that its store has; `tag.NAME` is one more.
    pub fn option_names(&self) -> Vec<&'static str> {
        match &self.store {
            Store::Local | Store::Memory { .. } => Vec::new(),
            Store::Cloud { backend, .. } => option_names(*backend),
        }
    }

    /// Whether its store has an option of this name.
    pub fn has_option(&self, name: &str) -> bool {
        let is_tag = matches!(self.store, Store::Cloud { .. }) && name.starts_with("tag.");
        is_tag || self.option_names().contains(&name)
    }

    /// Opens the store that this location is in, with no options. Fails as [`Self::storage_with`].
    pub fn storage(&self) -> Result<Arc<dyn Storage>> {
        self.storage_with(&StorageOptions::default())
    }

    /// Opens the store that this location is in.
    ///
    /// Fails with `Configuration` when a region, an account or credentials are missing, or an option
    /// is unknown.
    pub fn storage_with(&self, options: &StorageOptions) -> Result<Arc<dyn Storage>> {
        let (storage, name): (Arc<dyn Storage>, _) = match &self.store {
            Store::Local => (Arc::new(LocalStorage::new()), "local"),
            Store::Memory { name } => (Arc::new(memory(name)), "memory"),
            Store::Cloud { backend, bucket } => (cloud(*backend, bucket, options)?, backend.code()),
        };
        Ok(InstrumentedStorage::around(storage, name))
    }
}

/// Shows the location as a user writes it.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key.as_os_str().to_string_lossy();
        match &self.store {
            Store::Local => write!(f, "{key}"),
            Store::Memory { name } => write!(f, "memory://{name}/{key}"),
            Store::Cloud { backend, bucket } => {
                let scheme = SCHEMES.iter().find(|(_, known)| known == backend);
                write!(f, "{}://{bucket}/{key}", scheme.map_or("", |(scheme, _)| scheme))
            }
        }
    }
}

fn memory(name: &str) -> MemoryStorage {
    let mut memories = MEMORIES.lock().unwrap_or_else(PoisonError::into_inner);
    memories.entry(name.to_owned()).or_default().clone()
}

#[cfg(not(feature = "cloud"))]
fn option_names(_backend: Backend) -> Vec<&'static str> {
    Vec::new()
}

#[cfg(feature = "cloud")]
fn cloud(backend: Backend, bucket: &str, options: &StorageOptions) -> Result<Arc<dyn Storage>> {
    Ok(Arc::new(CloudStorage::new(backend, bucket, options.clone())?))
}

#[cfg(not(feature = "cloud"))]
fn cloud(backend: Backend, bucket: &str, _options: &StorageOptions) -> Result<Arc<dyn Storage>> {
    let message = format!("could not open {bucket:?}: {} is not built in", backend.code());
    Err(Error::new(ErrorKind::Configuration, message)
        .with_backend(backend)
        .with_hint("build persist-core with the feature `cloud`"))
}

fn backend_of(scheme: &str) -> Result<Backend> {
    let known = SCHEMES.iter().find(|(name, _)| *name == scheme);
    known.map(|(_, backend)| *backend).ok_or_else(|| {
        Error::new(ErrorKind::Configuration, format!("unknown store {scheme:?}")).with_hint(
            "use a path, or a URL that begins with file://, s3://, az://, gs:// or memory://",
        )
    })
}

fn is_scheme(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
        && bytes.all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::PutOptions;

    #[test]
    fn paths_are_taken_as_they_stand() {
        for text in ["a.json.gz", "./a:b", "C://x", "sub/../x", "s3:/x"] {
            assert_eq!(Location::parse(text).unwrap(), Location::local(text).unwrap());
        }
    }

    #[test]
    fn urls_name_store_bucket_and_key() {
        for text in ["s3://bucket/a/b.json.gz", "memory://bucket/a", "az://bucket/", "gs://b/c"] {
            assert_eq!(Location::parse(text).unwrap().to_string(), text);
        }
        assert!(Location::parse("s3://bucket").unwrap().key().is_root());
        for text in ["file:///a/b", "file://localhost/a/b"] {
            assert_eq!(Location::parse(text).unwrap(), Location::local("/a/b").unwrap());
        }
        let wrong = ["s3:///key", "ftp://host/x", "memory://", "a\0b", ""];
        for text in
            wrong.into_iter().chain(["file://", "file://host/x", "file://x", "file://localhost"])
        {
            let kind = Location::parse(text).unwrap_err().kind();
            assert_eq!(kind, ErrorKind::Configuration, "{text:?}");
        }
    }

    #[test]
    fn a_store_in_memory_is_found_by_its_name() {
        let [one, same, other] = ["one", "one", "other"]
            .map(|name| Location::parse(format!("memory://location-{name}/a")).unwrap());
        let mut upload = one.storage().unwrap().create(one.key(), &PutOptions::default()).unwrap();
        upload.write(b"x").unwrap();
        upload.commit(&[]).unwrap();
        assert!(same.storage().unwrap().exists(same.key()).unwrap());
        assert!(!other.storage().unwrap().exists(other.key()).unwrap());
    }
}
