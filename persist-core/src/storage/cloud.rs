//! The stores of the clouds: Amazon S3, Azure Blob Storage and Google Cloud Storage.
//!
//! A [`CloudStorage`] asks `object_store` to speak to the cloud, and adds what a snapshot needs:
//!
//! - `transport` listens to every request: request ids, retries, conditions;
//! - `place` says what a failure means, in words that hold no secret;
//! - `runtime` has one set of threads and connections for each process, and makes another after a
//!   fork; calls are synchronous and can be made from any thread, also inside an event loop;
//! - `object` reads one version of an object, by ranges; `upload` writes it, in parts when it is
//!   long, with its first part last;
//! - `s3`, `azure` and `gcs` say which options each has, and which variables set them.

mod azure;
mod call;
mod client;
mod gcs;
mod listing;
mod object;
mod place;
mod runtime;
mod s3;
mod settings;
mod transport;
mod upload;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStoreExt};

pub use object_store::CredentialProvider;
pub use object_store::aws::{AwsCredential, AwsCredentialProvider};
pub use runtime::CancelToken;
pub use s3::AwsProfile;

use self::call::Call;
use self::client::{Client, Recipe};
use self::object::{CloudObject, Start};
use self::place::{Place, is_of_bucket};
use self::runtime::{Outcome, Process};
use self::settings::Settings;
use self::upload::CloudUpload;
use super::{ETag, Key, Object, ObjectInfo, PutOptions, Storage, StorageOptions, Upload};
use crate::error::{Backend, Error, ErrorKind, Result};
use crate::telemetry::{logs, metrics};

/// What is fetched when an object is opened: the head of a snapshot.
const PAGE: u64 = 4096;

/// What is fetched when an object is opened to be read whole.
const WHOLE: u64 = 1 << 20;

/// How often bytes are asked for again that are too few, or not those that were written.
const DOUBTS: u32 = 2;

/// A bucket of Amazon S3, Google Cloud Storage or what speaks their protocols, or a container of
/// Azure Blob Storage.
///
/// ```no_run
/// use persist_core::{Backend, CloudStorage, Key, Storage, StorageOptions};
///
/// let options = StorageOptions::new(std::env::vars()).set("region", "eu-west-1");
/// let storage = CloudStorage::new(Backend::S3, "my-snapshots", options)?;
/// assert!(!storage.exists(&Key::new("agents/a.json.gz")?)?);
/// # Ok::<(), persist_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CloudStorage {
    recipe: Recipe,
    settings: Settings,
}

/// The names of the options that the stores of a cloud have.
pub(super) fn option_names(backend: Backend) -> Vec<&'static str> {
    let own: &[settings::Row] = match backend {
        Backend::S3 => &s3::OPTIONS,
        Backend::Azure => &azure::OPTIONS,
        Backend::Gcs => &gcs::OPTIONS,
    };
    own.iter().map(|(name, _)| *name).chain(settings::COMMON).collect()
}

/// What the store, or the network, refused to do.
struct Refusal {
    /// The status of the last answer.
    status: Option<u16>,
    error: Error,
}

impl Refusal {
    fn is_not_found(&self) -> bool {
        self.error.kind() == ErrorKind::NotFound
    }
}

impl CloudStorage {
    /// Names a bucket and how it is reached; nothing is asked of it yet.
    ///
    /// Fails with `Configuration` for options that are missing, unknown or wrong.
    pub fn new(
        backend: Backend,
        bucket: impl Into<String>,
        options: StorageOptions,
    ) -> Result<Self> {
        let place = Place::new(backend, bucket)?;
        let settings = Settings::of(&options)?;
        let storage = Self { recipe: Recipe { place, options }, settings };
        Process::current().client(&storage.recipe)?;
        Ok(storage)
    }

    fn place(&self) -> &Place {
        &self.recipe.place
    }

    fn client(&self) -> Result<Arc<Client>> {
        Process::current().client(&self.recipe)
    }

    fn call(&self, operation: &'static str) -> Call {
        Call::new(self.place().backend, operation)
    }

    /// Does one operation and waits for it; its failure is told with the place and the key.
    fn run<T: Send + 'static>(
        &self,
        call: Call,
        key: Option<&Key>,
        deadline: Option<Duration>,
        work: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.attempt(&Arc::new(call), key, deadline, work)?.map_err(|refusal| refusal.error)
    }

    /// Does the same, and tells what the store refused from what never came to its answer.
    fn attempt<T: Send + 'static>(
        &self,
        call: &Arc<Call>,
        key: Option<&Key>,
        deadline: Option<Duration>,
        work: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> Result<std::result::Result<T, Refusal>> {
        let cancel = &self.recipe.options.cancel;
        let scoped = Arc::clone(call).scope(work);
        match Process::current().run(deadline, cancel, scoped)? {
            Outcome::Done(Ok(done)) => Ok(Ok(done)),
            Outcome::Done(Err(error)) => {
                let (status, error) = (call.last().status, self.place().error(call, key, error));
                Ok(Err(Refusal { status, error }))
            }
            Outcome::Late => Err(self.place().late(call, key, deadline.unwrap_or_default())),
            Outcome::Cancelled => Err(self.place().cancelled(call, key)),
        }
    }

    /// Fetches the start of an object, and with it all that is known of the object.
    fn start(&self, operation: &'static str, key: &Key, length: u64) -> Result<Start> {
        self.until_complete(
            key,
            || self.start_once(operation, key, length),
            |start| start.bytes.len() as u64 == length.min(start.meta.size),
        )
    }

    /// Asks again while the store sends fewer bytes than it has.
    fn until_complete<T>(
        &self,
        key: &Key,
        mut ask: impl FnMut() -> Result<T>,
        is_complete: impl Fn(&T) -> bool,
    ) -> Result<T> {
        let mut times = 0;
        loop {
            let answer = ask()?;
            if is_complete(&answer) {
                return Ok(answer);
            }
            if !self.asks_again(times, DOUBTS) {
                let (call, reason) = (self.call("read"), "the store sent too few bytes");
                let failed = self.place().failed(&call, Some(key), ErrorKind::Storage, reason);
                return Err(failed.with_retryable(true));
            }
            times = times.saturating_add(1);
        }
    }

    /// Whether what was read so many times is asked for again; counts it then as a retry.
    fn asks_again(&self, times: u32, most: u32) -> bool {
        let most = most.min(u32::try_from(self.settings.max_retries).unwrap_or(u32::MAX));
        let again = times < most;
        if again {
            metrics::retried(self.place().backend.code(), "read");
            logs::retried(self.place().backend.code(), "read", times.saturating_add(1), None);
        }
        again
    }

    fn start_once(&self, operation: &'static str, key: &Key, length: u64) -> Result<Start> {
        let path = self.place().path(key)?;
        let (client, call) = (self.client()?, Arc::new(self.call(operation)));
        let deadline = Some(self.settings.deadline);
        let (asked, store) = (path.clone(), Arc::clone(&client));
        let fetched = self.attempt(&call, Some(key), deadline, async move {
            let options = GetOptions::new().with_range(Some(GetRange::Bounded(0..length)));
            let found = store.store.get_opts(&asked, options).await?;
            let meta = found.meta.clone();
            Ok((meta, found.bytes().await?))
        })?;
        match fetched {
            Ok((meta, bytes)) => Ok(Start { meta, bytes }),
            // An empty object has no range: some stores refuse it, others answer with all of it.
            Err(Refusal { status: Some(416 | 200 | 206), error }) => {
                let head = self.run(self.call(operation), Some(key), deadline, async move {
                    client.store.head(&path).await
                })?;
                if head.size == 0 {
                    Ok(Start { meta: head, bytes: Vec::new().into() })
                } else {
                    Err(error)
                }
            }
            Err(Refusal { error, .. }) => Err(error),
        }
    }

    fn open_object(&self, key: &Key, is_whole: bool) -> Result<Box<dyn Object>> {
        let start = self.start("read", key, if is_whole { WHOLE } else { PAGE })?;
        Ok(Box::new(CloudObject::new(self.clone(), key.clone(), start, is_whole)?))
    }

    fn info(&self, key: Key, meta: &ObjectMeta) -> ObjectInfo {
        let modified = Timestamp::from_microsecond(meta.last_modified.timestamp_micros()).ok();
        ObjectInfo { key, size: meta.size, modified, e_tag: self.tag(meta) }
    }

    /// What conditions name: of Google the generation, which listings do not tell.
    fn tag(&self, meta: &ObjectMeta) -> Option<ETag> {
        let tag = match self.place().backend {
            Backend::Gcs => meta.version.clone(),
            Backend::S3 | Backend::Azure => meta.e_tag.clone(),
        };
        tag.map(ETag::new)
    }
}

impl Storage for CloudStorage {
    fn open(&self, key: &Key) -> Result<Box<dyn Object>> {
        self.open_object(key, false)
    }

    fn open_whole(&self, key: &Key) -> Result<Box<dyn Object>> {
        self.open_object(key, true)
    }

    fn create(&self, key: &Key, options: &PutOptions) -> Result<Box<dyn Upload>> {
        let path = self.place().path(key)?;
        Ok(Box::new(CloudUpload::new(self.clone(), key.clone(), path, options.clone())))
    }

    /// Fetches a byte: unlike a HEAD, the answer says whether the key or the bucket is missing.
    fn stat(&self, key: &Key) -> Result<ObjectInfo> {
        let start = self.start("find", key, 1)?;
        Ok(self.info(key.clone(), &start.meta))
    }

    fn exists(&self, key: &Key) -> Result<bool> {
        match self.stat(key) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound && !is_of_bucket(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn delete(&self, key: &Key) -> Result<()> {
        let path = self.place().path(key)?;
        if self.place().backend == Backend::S3 {
            // S3 says that it deleted what was never there.
            self.start("delete", key, 1)?;
        }
        let (client, call) = (self.client()?, Arc::new(self.call("delete")));
        let deadline = Some(self.settings.deadline);
        let deleted = self
            .attempt(&call, Some(key), deadline, async move { client.store.delete(&path).await })?;
        match deleted {
            // The first request had its effect, though its answer was lost.
            Err(refusal) if refusal.is_not_found() && call.has_retried() => Ok(()),
            // Reading tells a missing key from a missing bucket.
            Err(refusal) if refusal.is_not_found() => {
                self.start("delete", key, 1).and(Err(refusal.error))
            }
            other => other.map_err(|refusal| refusal.error),
        }
    }

    fn list(&self, prefix: &Key) -> Result<Box<dyn Iterator<Item = Result<ObjectInfo>> + '_>> {
        Ok(Box::new(listing::Listing::new(self, prefix)?))
    }

    fn reads_again(&self, damage: &Error, times: u32) -> bool {
        match damage.kind() {
            ErrorKind::Integrity => self.asks_again(times, DOUBTS),
            // Most often this is another file, and not one that was changed.
            ErrorKind::Format | ErrorKind::UnsupportedVersion | ErrorKind::LimitExceeded => {
                self.asks_again(times, 1)
            }
            _ => false,
        }
    }

    fn locate(&self, key: &Key, damage: Error) -> Error {
        if damage.failed().is_some() {
            return damage;
        }
        let failed = self.place().where_failed(&self.call("read"), Some(key));
        damage.at(&format!("{key} from {}", self.place())).with_failed(failed)
    }
}
