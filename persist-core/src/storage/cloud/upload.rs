//! Writes an object: at once when it is small, else in parts, the first of them last.
//!
//! A snapshot's head is known last. So the first part stays in memory while the others are sent, a
//! few at a time and all of one length, and nothing shows before the request that completes them.
//! On Azure that request carries the condition, where there is one. Google looks at none there, and
//! of S3's servers some do so too early: there, the parts become an object under a random key, and a
//! conditional copy of it is the last step. S3's servers that know no conditional copy, but conditions
//! where parts are completed, are told apart by an option.
//!
//! Every object carries the id of its write, so that a request whose answer was lost can be told
//! from another writer's.

mod visible;

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, MultipartId, ObjectStoreExt, PutMode, PutMultipartOptions,
    PutOptions as StorePut, PutPayload, UpdateVersion,
};
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::CloudStorage;
use super::call::{Call, Condition};
use super::runtime::{CancelToken, Process};
use crate::error::{Backend, Result};
use crate::storage::{ETag, Key, PutOptions, Upload};

/// The name of an object's own metadata under which the id of its write stands.
const WRITE_ID: &str = "persistwrite";

/// An object up to this size is written within the deadline of small objects.
const SMALL: usize = 1 << 20;

/// How long an upload that failed may take to clean up.
const CLEANING: Duration = Duration::from_secs(5);

/// How long a write that was cancelled may take to find out what is there.
const FINDING: Duration = Duration::from_secs(2);

/// An object that is being written.
pub(super) struct CloudUpload {
    storage: CloudStorage,
    key: Key,
    path: Path,
    options: PutOptions,
    write_id: String,
    /// What is not yet in a part.
    body: Vec<u8>,
    parts: Option<Parts>,
    /// An object under another key, from which the last step copies.
    staged: Option<Path>,
}

/// The parts of an object, but for the first.
struct Parts {
    id: MultipartId,
    /// What follows the head in the first part.
    first: Vec<u8>,
    sent: Vec<PartId>,
    running: VecDeque<Running>,
}

/// A part that is on its way.
struct Running {
    call: Arc<Call>,
    task: AbortOnDropHandle<object_store::Result<PartId>>,
}

impl CloudUpload {
    pub(super) fn new(storage: CloudStorage, key: Key, path: Path, options: PutOptions) -> Self {
        let write_id = Uuid::new_v4().simple().to_string();
        Self { storage, key, path, options, write_id, body: Vec::new(), parts: None, staged: None }
    }

    fn condition(&self) -> Option<Condition> {
        match &self.options.if_match {
            Some(tag) => Some(Condition::Version(tag.as_str().to_owned())),
            None => (!self.options.overwrite).then_some(Condition::Absent),
        }
    }

    /// The operation whose last request makes the object visible.
    fn call(&self) -> Call {
        let mut call = self.storage.call("write");
        call.condition = self.condition();
        call.repeats = true;
        call
    }

    fn run<T: Send + 'static>(
        &self,
        call: Call,
        deadline: Option<Duration>,
        work: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.storage.run(call, Some(&self.key), deadline, work)
    }

    fn attributes(&self) -> Attributes {
        let class = self.storage.settings.storage_class.clone();
        let class = class.map(|class| (Attribute::StorageClass, class));
        let id = (Attribute::Metadata(WRITE_ID.into()), self.write_id.clone());
        std::iter::once(id).chain(class).collect()
    }

    /// Where the parts go: another key where completing them is no place for a condition.
    fn parts_path(&self) -> Result<Path> {
        let completes = match self.storage.place().backend {
            Backend::Azure => true,
            Backend::S3 => self.storage.settings.completes_under_condition,
            Backend::Gcs => false,
        };
        if completes || self.condition().is_none() {
            return Ok(self.path.clone());
        }
        let name = format!("{}.persist-{}.tmp", self.path, self.write_id);
        self.storage.place().path(&Key::new(name)?)
    }

    /// Begins to write in parts; what was gathered becomes the first.
    fn begin(&mut self) -> Result<()> {
        let path = self.parts_path()?;
        let client = self.storage.client()?;
        let options = match self.storage.place().backend {
            // Azure takes them when the parts are completed.
            Backend::Azure => PutMultipartOptions::default(),
            Backend::S3 | Backend::Gcs => PutMultipartOptions {
                tags: self.storage.settings.tags.clone(),
                attributes: self.attributes(),
                ..PutMultipartOptions::default()
            },
        };
        let (call, deadline) = (self.storage.call("write"), self.storage.settings.deadline);
        let cancel = self.storage.recipe.options.cancel.clone();
        let key = Some(&self.key);
        let id = self.storage_after_all().run(call, key, Some(deadline), async move {
            let mut begun = pin!(client.parts.create_multipart_opts(&path, options));
            tokio::select! {
                biased;
                () = cancel.cancelled() => {}
                id = &mut begun => return id.map(Some),
            }
            // An upload whose id is not known cannot be removed.
            if let Ok(Ok(id)) = tokio::time::timeout(FINDING, begun).await {
                drop(client.parts.abort_multipart(&path, &id).await);
            }
            Ok(None)
        })?;
        let Some(id) = id else {
            return Err(self.storage.place().cancelled(&self.storage.call("write"), key));
        };
        let length = self.storage.settings.part_size.saturating_sub(self.options.head_length);
        let rest = self.body.split_off(length.min(self.body.len()));
        let first = std::mem::replace(&mut self.body, rest);
        self.parts = Some(Parts { id, first, sent: Vec::new(), running: VecDeque::new() });
        Ok(())
    }

    /// Sends what was gathered as the next part; waits while enough of them are on their way.
    fn send(&mut self, bytes: Vec<u8>) -> Result<()> {
        let most = self.storage.settings.parts_in_flight;
        let (client, path) = (self.storage.client()?, self.parts_path()?);
        self.wait_until(most.saturating_sub(1))?;
        let Some(parts) = &mut self.parts else { return Ok(()) };
        let number = 1_usize.saturating_add(parts.sent.len()).saturating_add(parts.running.len());
        let (id, call) = (parts.id.clone(), Arc::new(self.storage.call("write")));
        let work = Arc::clone(&call).scope(async move {
            client.parts.put_part(&path, &id, number, PutPayload::from(bytes)).await
        });
        parts.running.push_back(Running { call, task: Process::current().spawn(work)? });
        Ok(())
    }

    /// Waits until no more than this many parts are on their way.
    fn wait_until(&mut self, most: usize) -> Result<()> {
        while let Some(parts) = &mut self.parts
            && parts.running.len() > most
            && let Some(Running { call, task }) = parts.running.pop_front()
        {
            let joined = self.storage.attempt(&call, Some(&self.key), None, async move {
                task.await.unwrap_or_else(|error| Err(died(error)))
            })?;
            let part = joined.map_err(|refusal| refusal.error)?;
            if let Some(parts) = &mut self.parts {
                parts.sent.push(part);
            }
        }
        Ok(())
    }

    fn put(&mut self, head: &[u8]) -> Result<Option<ETag>> {
        let body = std::mem::take(&mut self.body);
        let length = head.len().saturating_add(body.len());
        let payload = PutPayload::from_iter([Bytes::copy_from_slice(head), body.into()]);
        let mode = match self.condition() {
            None => PutMode::Overwrite,
            Some(Condition::Absent) => PutMode::Create,
            Some(Condition::Version(tag)) => {
                PutMode::Update(UpdateVersion { e_tag: Some(tag.clone()), version: Some(tag) })
            }
        };
        let options = StorePut {
            mode,
            tags: self.storage.settings.tags.clone(),
            attributes: self.attributes(),
            ..StorePut::default()
        };
        let (client, path) = (self.storage.client()?, self.path.clone());
        let deadline = (length <= SMALL).then_some(self.storage.settings.deadline);
        self.publish(self.call(), deadline, async move {
            client.store.put_opts(&path, payload, options).await
        })
    }

    fn complete(&mut self, head: &[u8]) -> Result<Option<ETag>> {
        let last = std::mem::take(&mut self.body);
        if !last.is_empty() {
            self.send(last)?;
        }
        self.wait_until(0)?;
        let Some(parts) = &mut self.parts else { return Ok(None) };
        let first = PutPayload::from([head, &parts.first].concat());
        let (id, sent) = (parts.id.clone(), std::mem::take(&mut parts.sent));
        let (client, path) = (self.storage.client()?, self.parts_path()?);
        let (part_client, part_path, part_id) = (Arc::clone(&client), path.clone(), id.clone());
        let first = self.run(self.storage.call("write"), None, async move {
            part_client.parts.put_part(&part_path, &part_id, 0, first).await
        })?;
        let all = std::iter::once(first).chain(sent).collect();
        let is_staged = path != self.path;
        let mut call = if is_staged { self.storage.call("write") } else { self.call() };
        call.headers = self.headers();
        // Before it is there: when the answer is lost, it may be.
        self.staged = is_staged.then(|| path.clone());
        let tag = self.publish(call, None, async move {
            client.parts.complete_multipart(&path, &id, all).await
        })?;
        self.parts = None;
        if is_staged { self.copy() } else { Ok(tag) }
    }

    /// What stands on the request that completes the parts.
    fn headers(&self) -> Vec<(&'static str, String)> {
        let settings = &self.storage.settings;
        if self.storage.place().backend != Backend::Azure {
            return Vec::new();
        }
        let mut headers = vec![("x-ms-meta-persistwrite", self.write_id.clone())];
        headers.extend(settings.storage_class.clone().map(|class| ("x-ms-access-tier", class)));
        if !settings.tags.is_empty() {
            headers.push(("x-ms-tags", settings.tags.encoded().to_owned()));
        }
        headers
    }

    /// Removes the parts that were sent, unless they are an object by now.
    fn abort(&mut self) {
        let Some(Parts { id, running, .. }) = self.parts.take() else { return };
        drop(running);
        let Ok(path) = self.parts_path() else { return };
        self.clean(move |client| async move { client.parts.abort_multipart(&path, &id).await });
    }

    /// Does a last thing that nobody waits for longer than need be, and whose failure changes nothing.
    fn clean<F>(&self, work: impl FnOnce(Arc<super::client::Client>) -> F)
    where
        F: Future<Output = object_store::Result<()>> + Send + 'static,
    {
        let Ok(client) = self.storage.client() else { return };
        let call = Arc::new(self.storage.call("delete"));
        let work = call.scope(work(client));
        let _ = Process::current().run(Some(CLEANING), &CancelToken::new(), work);
    }
}

fn died(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> object_store::Error {
    object_store::Error::Generic { store: "task", source: error.into() }
}

impl Upload for CloudUpload {
    fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let part_size = self.storage.settings.part_size;
            let room = part_size.saturating_sub(self.body.len() % part_size);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.body.extend_from_slice(now);
            bytes = later;
            let length = self.body.len().saturating_add(self.options.head_length);
            if self.parts.is_none() && length > self.storage.settings.multipart_threshold {
                self.begin()?;
            }
            while self.parts.is_some() && self.body.len() >= part_size {
                let rest = self.body.split_off(part_size);
                let part = std::mem::replace(&mut self.body, rest);
                self.send(part)?;
            }
        }
        Ok(())
    }

    fn commit(mut self: Box<Self>, head: &[u8]) -> Result<Option<ETag>> {
        if self.parts.is_some() { self.complete(head) } else { self.put(head) }
    }
}

/// What was sent of an object that never became visible is not kept, and not paid for.
impl Drop for CloudUpload {
    fn drop(&mut self) {
        self.abort();
        if let Some(path) = self.staged.take() {
            self.clean(move |client| async move { client.store.delete(&path).await });
        }
    }
}
