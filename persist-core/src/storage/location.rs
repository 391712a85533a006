//! Where a snapshot is, as a user writes it: a path, or a URL.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use super::instrument::InstrumentedStorage;
use super::{Key, LocalStorage, Storage};
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
    Cloud { backend: Backend, scheme: &'static str, bucket: String },
}

const SCHEMES: [(&str, Backend); 5] = [
    ("s3", Backend::S3),
    ("az", Backend::Azure),
    ("abfs", Backend::Azure),
    ("gs", Backend::Gcs),
    ("gcs", Backend::Gcs),
];

impl Location {
    /// Takes a path, or a URL that begins with `file://`, `s3://`, `az://`, `abfs://` or `gs://`.
    ///
    /// Any other scheme is a configuration error; a path may hold any bytes but NUL.
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
            let path = rest.strip_prefix("localhost").unwrap_or(rest);
            return Self::local(path);
        }
        let Some((scheme, backend)) = SCHEMES.iter().find(|(name, _)| *name == scheme) else {
            return Err(Error::new(ErrorKind::Configuration, format!("unknown store {scheme:?}"))
                .with_hint(
                    "use a path, or a URL that begins with file://, s3://, az:// or gs://",
                ));
        };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() || key.is_empty() {
            let message = format!("the {scheme} URL names no bucket or no key");
            let hint = format!("write it as {scheme}://BUCKET/KEY");
            return Err(Error::new(ErrorKind::Configuration, message).with_hint(hint));
        }
        let store = Store::Cloud { backend: *backend, scheme, bucket: bucket.to_owned() };
        Ok(Self { store, key: Key::new(key)? })
    }

    /// The key in the store.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Opens the store that this location is in.
    ///
    /// Fails with `Storage` for a store that this release does not have.
    pub fn storage(&self) -> Result<Arc<dyn Storage>> {
        match &self.store {
            Store::Local => Ok(InstrumentedStorage::around(Arc::new(LocalStorage::new()), "local")),
            Store::Cloud { backend, scheme, bucket } => {
                let message =
                    format!("could not open {scheme}://{bucket}: {scheme} is not built in");
                Err(Error::new(ErrorKind::Storage, message)
                    .with_backend(*backend)
                    .with_hint("keep snapshots on the local disk with this release"))
            }
        }
    }
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

    #[test]
    fn paths_are_taken_as_they_stand() {
        for text in ["a.json.gz", "./a:b", "C://x", "sub/../x", "s3:/x"] {
            assert_eq!(Location::parse(text).unwrap(), Location::local(text).unwrap());
        }
    }

    #[test]
    fn urls_name_store_bucket_and_key() {
        let error = Location::parse("s3://bucket/a/b.json.gz").unwrap().storage().unwrap_err();
        assert_eq!(error.backend(), Some(Backend::S3));
        assert_eq!(error.to_string(), "could not open s3://bucket: s3 is not built in");
        for text in ["s3://bucket", "s3:///key", "ftp://host/x", "file://", "a\0b", ""] {
            let kind = Location::parse(text).unwrap_err().kind();
            assert_eq!(kind, ErrorKind::Configuration, "{text:?}");
        }
    }
}
