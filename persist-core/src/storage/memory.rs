//! A store in memory, for tests and for services that keep snapshots for a moment.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{ETag, Key, Object, ObjectInfo, PutOptions, Storage, Upload};
use crate::error::{Error, ErrorKind, Result};

#[derive(Debug, Default)]
struct Objects {
    bodies: BTreeMap<Key, Body>,
    /// The number of the version that was written last.
    version: u64,
}

#[derive(Debug, Clone)]
struct Body {
    bytes: Arc<[u8]>,
    version: u64,
}

impl Body {
    fn e_tag(&self) -> ETag {
        ETag::new(self.version.to_string())
    }
}

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

    fn get(&self, key: &Key) -> Result<Body> {
        self.objects().bodies.get(key).cloned().ok_or_else(|| missing(key))
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
        let body = self.get(key)?;
        let size = body.bytes.len() as u64;
        Ok(ObjectInfo { key: key.clone(), size, modified: None, e_tag: Some(body.e_tag()) })
    }

    fn delete(&self, key: &Key) -> Result<()> {
        self.objects().bodies.remove(key).map(drop).ok_or_else(|| missing(key))
    }

    fn list(&self, prefix: &Key) -> Result<Box<dyn Iterator<Item = Result<ObjectInfo>> + '_>> {
        let start = prefix.as_os_str().as_encoded_bytes();
        let is_below = |key: &&Key| {
            let rest = key.as_os_str().as_encoded_bytes().strip_prefix(start);
            let is_whole = start.is_empty() || start.ends_with(b"/");
            rest.is_some_and(|rest| is_whole || rest.is_empty() || rest.starts_with(b"/"))
        };
        let keys: Vec<_> = self.objects().bodies.keys().filter(is_below).cloned().collect();
        Ok(Box::new(keys.into_iter().map(|key| self.stat(&key))))
    }
}

fn missing(key: &Key) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no object {key} in memory"))
}

struct MemoryObject(Body);

impl Object for MemoryObject {
    fn size(&self) -> u64 {
        self.0.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.0.bytes.get(start..).unwrap_or_default();
        Ok(rest.get(..length).unwrap_or(rest).to_vec())
    }

    fn e_tag(&self) -> Option<ETag> {
        Some(self.0.e_tag())
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

    fn commit(self: Box<Self>, head: &[u8]) -> Result<Option<ETag>> {
        let mut objects = self.storage.objects();
        let there = objects.bodies.get(&self.key);
        if !self.options.overwrite && there.is_some() {
            return Err(conflict(&self.key, "it exists already"));
        }
        if let Some(wanted) = &self.options.if_match
            && there.map(Body::e_tag).as_ref() != Some(wanted)
        {
            return Err(conflict(&self.key, "it is not the version of if_match"));
        }
        objects.version = objects.version.saturating_add(1);
        let body = Body { bytes: [head, &self.body].concat().into(), version: objects.version };
        let e_tag = body.e_tag();
        objects.bodies.insert(self.key.clone(), body);
        Ok(Some(e_tag))
    }
}

fn conflict(key: &Key, why: &str) -> Error {
    Error::new(ErrorKind::Conflict, format!("could not write {key}: {why}"))
}
