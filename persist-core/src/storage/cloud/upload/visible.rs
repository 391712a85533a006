//! The last step of a write: the object becomes visible, under its condition, or not at all.

use std::sync::Arc;
use std::time::Duration;

use object_store::{Attribute, GetOptions, ObjectMeta, ObjectStoreExt, PutResult};
use tokio_util::task::AbortOnDropHandle;

use super::{CloudUpload, FINDING, WRITE_ID, died};
use crate::error::{Backend, Error, ErrorKind, Result};
use crate::storage::cloud::call::{Call, Condition};
use crate::storage::cloud::place::is_of_bucket;
use crate::storage::cloud::runtime::{CancelToken, Process};
use crate::storage::cloud::{CloudStorage, Refusal};
use crate::storage::{ETag, Storage};

impl CloudUpload {
    /// Fails when the condition does not hold now: a server that knows no conditional copy would
    /// replace what is there, and say nothing.
    fn check_condition(&self) -> Result<()> {
        let found = match self.storage.stat(&self.key) {
            Ok(info) => info.e_tag,
            Err(error) if error.kind() == ErrorKind::NotFound && !is_of_bucket(&error) => None,
            Err(error) => return Err(error),
        };
        let call = self.call();
        let holds = match &call.condition {
            Some(Condition::Absent) => found.is_none(),
            Some(Condition::Version(tag)) => found.is_some_and(|found| found.as_str() == tag),
            None => true,
        };
        if holds { Ok(()) } else { Err(self.storage.place().conflict(&call, Some(&self.key))) }
    }

    /// Copies the staged object to its key, under the condition.
    pub(super) fn copy(&mut self) -> Result<Option<ETag>> {
        let Some(from) = self.staged.clone() else { return Ok(None) };
        if self.storage.place().backend == Backend::S3 {
            self.check_condition()?;
        }
        let (client, to) = (self.storage.client()?, self.path.clone());
        let mut call = self.call();
        if self.storage.place().backend == Backend::Gcs {
            let class = self.storage.settings.storage_class.clone();
            call.headers.extend(class.map(|class| ("x-goog-storage-class", class)));
        }
        let copied = self.publish(call, None, async move {
            client.copies.copy(&from, &to).await?;
            Ok(PutResult { e_tag: None, version: None, extensions: http::Extensions::default() })
        })?;
        // The answer to a copy is not handed on. Another writer's tag is not ours to tell.
        Ok(copied.or_else(|| self.ours().and_then(|meta| self.storage.tag(&meta))))
    }

    /// Makes the object visible; when an answer was lost, finds out whose object is there.
    pub(super) fn publish(
        &mut self,
        call: Call,
        deadline: Option<Duration>,
        work: impl Future<Output = object_store::Result<PutResult>> + Send + 'static,
    ) -> Result<Option<ETag>> {
        let call = Arc::new(call);
        if self.storage.recipe.options.cancel.is_cancelled() {
            return Err(self.storage.place().cancelled(&call, Some(&self.key)));
        }
        let (sender, answer) = tokio::sync::oneshot::channel();
        let work = Arc::clone(&call).scope(async move { drop(sender.send(work.await)) });
        let running = Process::current().spawn(work)?;
        let answered = async move { answer.await.unwrap_or_else(|error| Err(died(error))) };
        match self.storage.attempt(&call, Some(&self.key), deadline, answered) {
            Ok(Ok(PutResult { e_tag, version, .. })) => {
                let is_gcs = self.storage.place().backend == Backend::Gcs;
                Ok(if is_gcs { version } else { e_tag }.map(ETag::new))
            }
            Ok(Err(Refusal { error, .. })) if call.has_retried() && may_be_ours(&error) => {
                self.ours().map(|meta| self.storage.tag(&meta)).ok_or(error)
            }
            Ok(Err(Refusal { error, .. })) => Err(error),
            Err(error) => {
                if error.kind() == ErrorKind::Cancelled {
                    self.take_back(running);
                }
                Err(error)
            }
        }
    }

    /// The store, for what is still to be done after the caller has ended the operation.
    pub(super) fn storage_after_all(&self) -> CloudStorage {
        let mut storage = self.storage.clone();
        storage.recipe.options.cancel = CancelToken::new();
        storage.settings.deadline = FINDING;
        storage
    }

    /// The object that is there, when it is of this write.
    fn ours(&self) -> Option<ObjectMeta> {
        let (client, path) = (self.storage.client().ok()?, self.path.clone());
        let is_cancelled = self.storage.recipe.options.cancel.is_cancelled();
        let deadline = if is_cancelled { FINDING } else { self.storage.settings.deadline };
        let storage = self.storage_after_all();
        let found =
            storage.run(storage.call("find"), Some(&self.key), Some(deadline), async move {
                client.store.get_opts(&path, GetOptions::new().with_head(true)).await
            });
        let found = found.ok()?;
        let id = found.attributes.get(&Attribute::Metadata(WRITE_ID.into()))?;
        (id.as_ref() == self.write_id).then_some(found.meta)
    }

    /// Ends a write that was cancelled, and removes the object that it has become in that moment.
    ///
    /// What replaced another object stays: the other cannot be brought back.
    fn take_back(&mut self, running: AbortOnDropHandle<()>) {
        let is_new = self.condition() == Some(Condition::Absent)
            || matches!(self.storage_after_all().exists(&self.key), Ok(false));
        drop(running);
        // From then on it is decided whether the parts have become an object.
        self.abort();
        if is_new && self.ours().is_some() {
            let path = self.path.clone();
            self.clean(move |client| async move { client.store.delete(&path).await });
        }
    }
}

/// Whether the first of two requests with this end can have had its effect.
fn may_be_ours(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Conflict | ErrorKind::NotFound)
}
