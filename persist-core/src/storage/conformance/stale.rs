//! A store whose listings lag behind.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::storage::{Key, Object, ObjectInfo, PutOptions, Storage, Upload};

/// Another store, whose listings show what was there some listings ago.
///
/// Everything else is as it is: an object that was written opens at once.
///
/// ```
/// use persist_core::storage::conformance::StaleStorage;
/// use persist_core::{Key, MemoryStorage, PutOptions, Storage};
///
/// let storage = StaleStorage::new(MemoryStorage::new(), 1);
/// let key = Key::new("a")?;
/// storage.create(&key, &PutOptions::default())?.commit(&[])?;
/// assert_eq!(storage.list(&key)?.count(), 0);
/// assert_eq!(storage.list(&key)?.count(), 1);
/// # Ok::<(), persist_core::Error>(())
/// ```
#[derive(Debug)]
pub struct StaleStorage<S> {
    inner: S,
    lag: usize,
    /// What the last listings of a prefix found, the oldest first.
    seen: Mutex<BTreeMap<Key, Vec<Vec<ObjectInfo>>>>,
}

impl<S: Storage> StaleStorage<S> {
    /// Wraps a store; each listing shows what the one `lag` listings before it found.
    pub fn new(inner: S, lag: usize) -> Self {
        Self { inner, lag, seen: Mutex::default() }
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<Key, Vec<Vec<ObjectInfo>>>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Storage> Storage for StaleStorage<S> {
    fn open(&self, key: &Key) -> Result<Box<dyn Object>> {
        self.inner.open(key)
    }

    fn create(&self, key: &Key, options: &PutOptions) -> Result<Box<dyn Upload>> {
        self.inner.create(key, options)
    }

    fn stat(&self, key: &Key) -> Result<ObjectInfo> {
        self.inner.stat(key)
    }

    fn delete(&self, key: &Key) -> Result<()> {
        self.inner.delete(key)
    }

    fn list(&self, prefix: &Key) -> Result<Box<dyn Iterator<Item = Result<ObjectInfo>> + '_>> {
        let now = self.inner.list(prefix)?.collect::<Result<Vec<_>>>()?;
        let mut seen = self.seen();
        let lists = seen.entry(prefix.clone()).or_default();
        lists.push(now);
        let shown = if lists.len() > self.lag { lists.remove(0) } else { Vec::new() };
        Ok(Box::new(shown.into_iter().map(Ok)))
    }
}
