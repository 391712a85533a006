//! A store that counts, traces and tells what it is asked: requests, failures, latency and bytes.

use std::sync::Arc;
use std::time::Instant;

use super::{ETag, Key, Object, ObjectInfo, PutOptions, Room, Storage, Upload};
use crate::error::{Error, ErrorKind, Result};
use crate::telemetry::{logs, metrics, spans};

/// Counts the requests to the store inside, under the name of its family.
#[derive(Debug)]
pub(crate) struct InstrumentedStorage {
    inner: Arc<dyn Storage>,
    backend: &'static str,
}

impl InstrumentedStorage {
    /// Wraps a store; `backend` is the label of everything that is counted.
    pub(crate) fn around(inner: Arc<dyn Storage>, backend: &'static str) -> Arc<dyn Storage> {
        Arc::new(Self { inner, backend })
    }

    fn count<T>(&self, operation: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let request = Request::new(self.backend, operation);
        let result = spans::within(&spans::request(self.backend, operation), work);
        request.end(result.as_ref().err());
        result
    }
}

impl Storage for InstrumentedStorage {
    fn open(&self, key: &Key) -> Result<Box<dyn Object>> {
        let inner = self.count("open", || self.inner.open(key))?;
        Ok(Box::new(InstrumentedObject { inner, backend: self.backend }))
    }

    fn open_whole(&self, key: &Key) -> Result<Box<dyn Object>> {
        let inner = self.count("open", || self.inner.open_whole(key))?;
        Ok(Box::new(InstrumentedObject { inner, backend: self.backend }))
    }

    fn create(&self, key: &Key, options: &PutOptions) -> Result<Box<dyn Upload>> {
        let request = Request::new(self.backend, "write");
        let create = || self.inner.create(key, options);
        match spans::within(&spans::request(self.backend, "create"), create) {
            Ok(inner) => {
                let (storage, key) = (Arc::clone(&self.inner), key.clone());
                Ok(Box::new(InstrumentedUpload { inner, request, storage, key, bytes: 0 }))
            }
            Err(error) => {
                request.end(Some(&error));
                Err(error)
            }
        }
    }

    fn stat(&self, key: &Key) -> Result<ObjectInfo> {
        self.count("stat", || self.inner.stat(key))
    }

    fn delete(&self, key: &Key) -> Result<()> {
        self.count("delete", || self.inner.delete(key))
    }

    fn list(&self, prefix: &Key) -> Result<Box<dyn Iterator<Item = Result<ObjectInfo>> + '_>> {
        let found = self.count("list", || self.inner.list(prefix))?;
        let backend = self.backend;
        Ok(Box::new(found.inspect(move |item| {
            if let Err(error) = item {
                Request::new(backend, "list").end(Some(error));
            }
        })))
    }

    fn exists(&self, key: &Key) -> Result<bool> {
        self.count("stat", || self.inner.exists(key))
    }

    fn reads_again(&self, damage: &Error, times: u32) -> bool {
        self.inner.reads_again(damage, times)
    }

    fn locate(&self, key: &Key, damage: Error) -> Error {
        self.inner.locate(key, damage)
    }

    fn room(&self, key: &Key) -> Option<Room> {
        self.inner.room(key)
    }
}

/// A request that goes on.
struct Request {
    backend: &'static str,
    operation: &'static str,
    /// `None` when nothing is counted or told.
    start: Option<Instant>,
}

impl Request {
    fn new(backend: &'static str, operation: &'static str) -> Self {
        let start = (metrics::is_on() || logs::tells_requests()).then(Instant::now);
        Self { backend, operation, start }
    }

    fn end(&self, error: Option<&Error>) {
        let Some(start) = self.start else { return };
        let failure = error
            .map(Error::kind)
            .filter(|kind| !is_an_answer(self.operation, *kind))
            .map(ErrorKind::code);
        logs::requested(self.backend, self.operation, start, error, failure.is_some());
        if metrics::is_on() {
            metrics::requested(self.backend, self.operation, start.elapsed(), failure);
        }
    }
}

/// The store did its work when it says that there is nothing, or that another wrote first.
fn is_an_answer(operation: &str, kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::NotFound => matches!(operation, "open" | "stat" | "delete"),
        ErrorKind::Conflict => operation == "write",
        _ => false,
    }
}

struct InstrumentedObject {
    inner: Box<dyn Object>,
    backend: &'static str,
}

impl Object for InstrumentedObject {
    fn size(&self) -> u64 {
        self.inner.size()
    }

    fn e_tag(&self) -> Option<ETag> {
        self.inner.e_tag()
    }

    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        let request = Request::new(self.backend, "read");
        let span = spans::request(self.backend, "read");
        spans::sized(&span, length);
        let result = spans::within(&span, || self.inner.read_at(offset, length));
        request.end(result.as_ref().err());
        if let Ok(bytes) = &result {
            metrics::moved(self.backend, "read", bytes.len() as u64);
        }
        result
    }
}

struct InstrumentedUpload {
    inner: Box<dyn Upload>,
    request: Request,
    storage: Arc<dyn Storage>,
    key: Key,
    bytes: u64,
}

impl Upload for InstrumentedUpload {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let span = spans::request(self.request.backend, "write");
        spans::sized(&span, bytes.len());
        let result = spans::within(&span, || self.inner.write(bytes));
        if let Err(error) = &result {
            self.request.end(Some(error));
        }
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        result
    }

    fn commit(self: Box<Self>, head: &[u8]) -> Result<Option<ETag>> {
        let Self { inner, request, storage, key, bytes } = *self;
        let commit = || inner.commit(head);
        let result = spans::within(&spans::request(request.backend, "commit"), commit);
        request.end(result.as_ref().err());
        if result.is_ok() && metrics::is_on() {
            metrics::moved(request.backend, "write", bytes.saturating_add(head.len() as u64));
            if metrics::room_is_due()
                && let Some(room) = storage.room(&key)
            {
                metrics::room(request.backend, room.free, room.size);
            }
        }
        result
    }
}
