//! One runtime and one set of connections for each process, made when they are first needed.
//!
//! A child after `fork` has its parent's memory, but none of its threads: it finds that the process
//! is another, leaves the parent's runtime and connections alone, and makes its own.

use std::collections::HashMap;
use std::future::Future;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::client::{Client, Recipe};
use crate::error::{Error, ErrorKind, Result};
use crate::telemetry::metrics::{self, Cache};

/// Threads that move bytes; what computes runs on the caller's.
const THREADS: usize = 2;

/// With more stores than this, all connections are made anew.
const MOST_CLIENTS: usize = 64;

static FIRST: OnceLock<Process> = OnceLock::new();

/// Ends a running operation on a cloud's store, from another thread.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(CancellationToken);

impl CancelToken {
    /// Makes a token that nobody has cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the operations that have this token; they fail with `Cancelled` and leave no object.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Waits until it is cancelled.
    pub(super) async fn cancelled(&self) {
        self.0.cancelled().await;
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// How an operation ended.
pub(super) enum Outcome<T> {
    Done(T),
    Late,
    Cancelled,
}

/// What belongs to one process.
#[derive(Debug)]
pub(super) struct Process {
    id: u32,
    runtime: OnceLock<std::result::Result<Runtime, String>>,
    clients: Mutex<HashMap<Recipe, Arc<Client>>>,
    /// What belongs to this process's child, in the child.
    child: OnceLock<Box<Process>>,
}

impl Process {
    fn new(id: u32) -> Self {
        let (runtime, child) = (OnceLock::new(), OnceLock::new());
        Self { id, runtime, clients: Mutex::default(), child }
    }

    /// What belongs to the process that asks.
    pub(super) fn current() -> &'static Self {
        let id = std::process::id();
        let mut process = FIRST.get_or_init(|| Self::new(id));
        while process.id != id {
            process = process.child.get_or_init(|| Box::new(Self::new(id)));
        }
        process
    }

    fn runtime(&self) -> Result<&Runtime> {
        let made = self.runtime.get_or_init(|| {
            let mut builder = Builder::new_multi_thread();
            let builder = builder.worker_threads(THREADS).thread_name("persist-storage");
            builder.enable_all().build().map_err(|error| error.to_string())
        });
        made.as_ref().map_err(|reason| {
            let message = format!("could not start the threads that reach a store: {reason}");
            Error::new(ErrorKind::Storage, message)
        })
    }

    /// The connections to a store; those that were made before, when the recipe is the same.
    pub(super) fn client(&self, recipe: &Recipe) -> Result<Arc<Client>> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = clients.get(recipe);
        metrics::cached(Cache::Connections, kept.is_some());
        if let Some(client) = kept {
            return Ok(Arc::clone(client));
        }
        let _inside = self.runtime()?.enter();
        let client = Arc::new(recipe.build()?);
        if clients.len() >= MOST_CLIENTS {
            clients.clear();
        }
        clients.insert(recipe.clone(), Arc::clone(&client));
        Ok(client)
    }

    /// Starts work that goes on while the caller does something else, unless the handle is dropped.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<AbortOnDropHandle<T>> {
        Ok(AbortOnDropHandle::new(self.runtime()?.spawn(work)))
    }

    /// Does the work and waits for it, from any thread, also inside an event loop.
    pub(super) fn run<T: Send + 'static>(
        &self,
        deadline: Option<Duration>,
        cancel: &CancelToken,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<Outcome<T>> {
        let (sender, receiver) = sync_channel(1);
        let cancel = cancel.clone();
        self.runtime()?.spawn(async move {
            // Nobody listens only when the caller's thread has died.
            let _ = sender.send(bounded(deadline, &cancel, work).await);
        });
        receiver.recv().map_err(|_| {
            Error::new(ErrorKind::Storage, "the task of a request ended before its work")
        })
    }
}

async fn bounded<T>(
    deadline: Option<Duration>,
    cancel: &CancelToken,
    work: impl Future<Output = T>,
) -> Outcome<T> {
    let late = async {
        match deadline {
            Some(deadline) => tokio::time::sleep(deadline).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        () = cancel.cancelled() => Outcome::Cancelled,
        done = work => Outcome::Done(done),
        () = late => Outcome::Late,
    }
}
