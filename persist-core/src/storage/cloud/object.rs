//! One version of an object, read by ranges; what is read in order is fetched a little ahead.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta};

use super::CloudStorage;
use super::runtime::{Outcome, Process};
use crate::error::Result;
use crate::storage::{ETag, Key, Object};

/// What is read in order is fetched in pieces of this length.
const CHUNK: u64 = 4 << 20;

/// So many chunks are on their way beyond the one that is read.
const AHEAD: u64 = 2;

/// So many chunks are in memory at most.
const MOST: usize = 5;

/// The start of an object, and what the store said of the whole.
pub(super) struct Start {
    pub(super) meta: ObjectMeta,
    pub(super) bytes: Bytes,
}

/// An object that is open; what it reads is of one version, or an error.
pub(super) struct CloudObject {
    storage: CloudStorage,
    key: Key,
    path: Path,
    start: Start,
    /// Whether it is read from start to end.
    is_whole: bool,
    chunks: Mutex<Chunks>,
}

/// What was fetched ahead, and how far reading has come.
#[derive(Default)]
struct Chunks {
    fetched: BTreeMap<u64, Chunk>,
    high: u64,
}

/// A piece of the object that is on its way or here; `None` when it could not be fetched.
struct Chunk {
    start: u64,
    bytes: Fetched,
}

/// What several threads wait for; fetching ends when nobody does.
type Fetched = Shared<BoxFuture<'static, Option<Bytes>>>;

impl CloudObject {
    pub(super) fn new(
        storage: CloudStorage,
        key: Key,
        start: Start,
        is_whole: bool,
    ) -> Result<Self> {
        let path = storage.place().path(&key)?;
        let chunks = Chunks { high: start.bytes.len() as u64, ..Chunks::default() };
        Ok(Self { storage, key, path, start, is_whole, chunks: Mutex::new(chunks) })
    }

    fn chunks(&self) -> MutexGuard<'_, Chunks> {
        self.chunks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a range, on the condition that the object is still the one that was opened.
    fn request(
        &self,
        start: u64,
        end: u64,
    ) -> Result<impl Future<Output = object_store::Result<Bytes>> + Send + 'static> {
        let (client, path) = (self.storage.client()?, self.path.clone());
        let mut options = GetOptions::new().with_range(Some(GetRange::Bounded(start..end)));
        options.if_match.clone_from(&self.start.meta.e_tag);
        Ok(async move { client.store.get_opts(&path, options).await?.bytes().await })
    }

    fn fetch(&self, start: u64, end: u64) -> Result<Bytes> {
        self.storage.until_complete(
            &self.key,
            || {
                let call = self.storage.call("read");
                self.storage.run(call, Some(&self.key), None, self.request(start, end)?)
            },
            |bytes| bytes.len() as u64 == end.saturating_sub(start),
        )
    }

    /// The chunk of this number; it and those behind it are on their way when this returns.
    fn chunk(&self, number: u64) -> Result<(u64, Fetched)> {
        let mut chunks = self.chunks();
        for number in number..=number.saturating_add(AHEAD) {
            let start = number.saturating_mul(CHUNK);
            if start < self.size() && !chunks.fetched.contains_key(&number) {
                let chunk = self.begin(start)?;
                chunks.fetched.insert(number, chunk);
            }
        }
        while chunks.fetched.len() > MOST
            && let Some(first) = chunks.fetched.first_entry().filter(|first| *first.key() < number)
        {
            first.remove();
        }
        let chunk = match chunks.fetched.get(&number) {
            Some(chunk) => (chunk.start, chunk.bytes.clone()),
            // Behind the end there is nothing to fetch.
            None => (number.saturating_mul(CHUNK), std::future::ready(None).boxed().shared()),
        };
        Ok(chunk)
    }

    /// Begins to fetch the chunk that begins here, without what is known of it.
    fn begin(&self, start: u64) -> Result<Chunk> {
        let end = start.saturating_add(CHUNK).min(self.size());
        let start = start.max(self.start.bytes.len() as u64).min(end);
        let call = Arc::new(self.storage.call("read"));
        let task = Process::current().spawn(call.scope(self.request(start, end)?))?;
        let length = end.saturating_sub(start);
        let bytes = task.map(move |joined| {
            let bytes = joined.ok().and_then(std::result::Result::ok);
            bytes.filter(|bytes| bytes.len() as u64 == length)
        });
        Ok(Chunk { start, bytes: bytes.boxed().shared() })
    }

    /// Reads a range by chunks; a chunk that could not be fetched is asked for by itself, once more.
    fn read_chunks(&self, mut next: u64, end: u64, into: &mut Vec<u8>) -> Result<()> {
        while next < end {
            let number = next / CHUNK;
            let (start, bytes) = self.chunk(number)?;
            let upto = number.saturating_add(1).saturating_mul(CHUNK).min(end);
            let cancel = &self.storage.recipe.options.cancel;
            let Outcome::Done(bytes) = Process::current().run(None, cancel, bytes)? else {
                let call = self.storage.call("read");
                return Err(self.storage.place().cancelled(&call, Some(&self.key)));
            };
            let place = |at: u64| usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
            if let Some(bytes) =
                bytes.as_ref().and_then(|bytes| bytes.get(place(next)..place(upto)))
            {
                into.extend_from_slice(bytes);
            } else {
                self.chunks().fetched.remove(&number);
                into.extend_from_slice(&self.fetch(next, upto)?);
            }
            next = upto;
        }
        let mut chunks = self.chunks();
        chunks.high = chunks.high.max(end);
        Ok(())
    }

    /// Whether what begins here continues what was read before, and will go on.
    fn continues(&self, offset: u64) -> bool {
        self.is_whole && offset < self.chunks().high.saturating_add(CHUNK)
    }
}

impl Object for CloudObject {
    fn size(&self) -> u64 {
        self.start.meta.size
    }

    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        let end = offset.saturating_add(length as u64).min(self.size());
        let known = self.start.bytes.len() as u64;
        let from_start = usize::try_from(offset).ok().and_then(|offset| {
            let upto = usize::try_from(end.min(known)).ok()?;
            self.start.bytes.get(offset..upto)
        });
        let mut bytes = from_start.unwrap_or_default().to_vec();
        let next = offset.max(known);
        if next >= end {
            return Ok(bytes);
        }
        if self.continues(next) {
            self.read_chunks(next, end, &mut bytes)?;
        } else {
            bytes.extend_from_slice(&self.fetch(next, end)?);
        }
        Ok(bytes)
    }

    fn e_tag(&self) -> Option<ETag> {
        self.storage.tag(&self.start.meta)
    }
}
