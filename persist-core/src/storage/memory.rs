//! A store in memory, for tests and for services that keep snapshots for a moment.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Key, Object, ObjectInfo, PutOptions, Storage, Upload};
use crate::error::{Error, ErrorKind, Result};

type Objects = BTreeMap<Key, Arc<[u8]>>;

/// Objects in memory; clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemoryStorage {
    objects: Arc<Mutex<Objects>>,
}

impl MemoryStorage {
    /// Makes an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, key: &Key) -> Result<Arc<[u8]>> {
        self.objects().get(key).cloned().ok_or_else(|| missing(key))
    }
}

impl Storage for MemoryStorage {
    fn open(&self, key: &Key) -> Result<Box<dyn Object>> {
        Ok(Box::new(MemoryObject(self.get(key)?)))
    }

    fn create(&self, key: &Key, options: &PutOptions) -> Result<Box<dyn Upload>> {
        let (storage, key, options) = (self.clone(), key.clone(), options.clone());
        Ok(Box::new(MemoryUpload { storage, key, options, body: Vec::new() }))
    }

    fn stat(&self, key: &Key) -> Result<ObjectInfo> {
        let size = self.get(key)?.len() as u64;
        Ok(ObjectInfo { key: key.clone(), size, modified: None })
    }

    fn delete(&self, key: &Key) -> Result<()> {
        self.objects().remove(key).map(drop).ok_or_else(|| missing(key))
    }

    fn list(&self, prefix: &Key) -> Result<Box<dyn Iterator<Item = Result<ObjectInfo>> + '_>> {
        let start = prefix.as_os_str().as_encoded_bytes();
        let starts = |key: &&Key| key.as_os_str().as_encoded_bytes().starts_with(start);
        let keys: Vec<_> = self.objects().keys().filter(starts).cloned().collect();
        Ok(Box::new(keys.into_iter().map(|key| self.stat(&key))))
    }
}

fn missing(key: &Key) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no object {key} in memory"))
}

struct MemoryObject(Arc<[u8]>);

impl Object for MemoryObject {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.0.get(start..).unwrap_or_default();
        Ok(rest.get(..length).unwrap_or(rest).to_vec())
    }
}

struct MemoryUpload {
    storage: MemoryStorage,
    key: Key,
    options: PutOptions,
    body: Vec<u8>,
}

impl Upload for MemoryUpload {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.body.extend_from_slice(bytes);
        Ok(())
    }

    fn commit(self: Box<Self>, head: &[u8]) -> Result<()> {
        let mut objects = self.storage.objects();
        if !self.options.overwrite && objects.contains_key(&self.key) {
            let message = format!("could not write {}: it exists already", self.key);
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        objects.insert(self.key.clone(), [head, &self.body].concat().into());
        Ok(())
    }
}
