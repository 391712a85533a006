//! A store whose Nth call fails, before its effect or after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, ErrorKind, Result};
use crate::storage::{ETag, Key, Object, ObjectInfo, PutOptions, Storage, Upload};

/// When a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Nothing was done.
    Before,
    /// It was done, and its answer was lost.
    After,
}

/// Another store, whose Nth call fails with a `Storage` error that can be retried.
///
/// Every call counts, also those on its objects and uploads.
///
/// ```
/// use persist_core::storage::conformance::{FaultyStorage, Moment};
/// use persist_core::{Key, MemoryStorage, Storage};
///
/// let storage = FaultyStorage::new(MemoryStorage::new(), 2, Moment::Before);
/// assert!(storage.exists(&Key::new("a")?).is_ok());
/// assert!(storage.exists(&Key::new("a")?).is_err());
/// assert!(storage.exists(&Key::new("a")?).is_ok());
/// # Ok::<(), persist_core::Error>(())
/// ```
#[derive(Debug)]
pub struct FaultyStorage<S> {
    inner: S,
    faults: Arc<Faults>,
}

#[derive(Debug)]
struct Faults {
    calls: AtomicUsize,
    nth: usize,
    moment: Moment,
}

impl<S: Storage> FaultyStorage<S> {
    /// Wraps a store; `nth` counts from 1.
    pub fn new(inner: S, nth: usize, moment: Moment) -> Self {
        Self { inner, faults: Arc::new(Faults { calls: AtomicUsize::new(0), nth, moment }) }
    }

    /// The store inside, which does not fail.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// Whether the call that fails was made.
    pub fn has_failed(&self) -> bool {
        self.faults.calls.load(Ordering::SeqCst) >= self.faults.nth
    }
}

impl Faults {
    fn call<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        if number != self.nth {
            return work();
        }
        if self.moment == Moment::After {
            work()?;
        }
        Err(Error::new(ErrorKind::Storage, format!("call {number} fails")).with_retryable(true))
    }
}

impl<S: Storage> Storage for FaultyStorage<S> {
    fn open(&self, key: &Key) -> Result<Box<dyn Object>> {
        let inner = self.faults.call(|| self.inner.open(key))?;
        Ok(Box::new(FaultyObject { inner, faults: Arc::clone(&self.faults) }))
    }

    fn create(&self, key: &Key, options: &PutOptions) -> Result<Box<dyn Upload>> {
        let inner = self.faults.call(|| self.inner.create(key, options))?;
        Ok(Box::new(FaultyUpload { inner, faults: Arc::clone(&self.faults) }))
    }

    fn stat(&self, key: &Key) -> Result<ObjectInfo> {
        self.faults.call(|| self.inner.stat(key))
    }

    fn delete(&self, key: &Key) -> Result<()> {
        self.faults.call(|| self.inner.delete(key))
    }

    fn list(&self, prefix: &Key) -> Result<Box<dyn Iterator<Item = Result<ObjectInfo>> + '_>> {
        self.faults.call(|| self.inner.list(prefix))
    }
}

struct FaultyObject {
    inner: Box<dyn Object>,
    faults: Arc<Faults>,
}

impl Object for FaultyObject {
    fn size(&self) -> u64 {
        self.inner.size()
    }

    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        self.faults.call(|| self.inner.read_at(offset, length))
    }

    fn e_tag(&self) -> Option<ETag> {
        self.inner.e_tag()
    }
}

struct FaultyUpload {
    inner: Box<dyn Upload>,
    faults: Arc<Faults>,
}

impl Upload for FaultyUpload {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.faults.call(|| self.inner.write(bytes))
    }

    fn commit(self: Box<Self>, head: &[u8]) -> Result<Option<ETag>> {
        let Self { inner, faults } = *self;
        faults.call(|| inner.commit(head))
    }
}
