//! One operation on a store: what it asks for, and what the store said to it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::Span;

use crate::error::Backend;
use crate::telemetry::{logs, metrics, spans};

tokio::task_local! {
    /// The operation that the requests of this task belong to.
    static CURRENT: Arc<Call>;
}

/// The condition under which an object becomes visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// There is no object yet.
    Absent,
    /// The object is this version.
    Version(String),
}

/// An operation that goes on.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) backend: Backend,
    pub(super) operation: &'static str,
    /// Stands on the request that makes an object visible.
    pub(super) condition: Option<Condition>,
    /// What else stands there.
    pub(super) headers: Vec<(&'static str, String)>,
    /// Whether a request whose answer was lost is sent again: we can tell our own effect.
    pub(super) repeats: bool,
    /// The span of the operation; requests are sent by other threads.
    pub(super) span: Span,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    requests: HashSet<String>,
    retries: u32,
    last: Option<Answer>,
    has_no_credentials: bool,
}

/// What the store, or the network, said last.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    /// `None` when no answer came.
    pub(super) status: Option<u16>,
    /// The store's word for what went wrong.
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) request_id: Option<String>,
}

impl Call {
    pub(super) fn new(backend: Backend, operation: &'static str) -> Self {
        let (condition, headers, repeats) = (None, Vec::new(), false);
        let log = Mutex::default();
        let mut call =
            Self { backend, operation, condition, headers, repeats, span: Span::current(), log };
        if call.span.is_none() {
            // Nobody else measures this, as with the later pages of a listing.
            call.span = spans::request(backend.code(), call.request());
        }
        call
    }

    /// The operation, as metrics and spans name a request.
    fn request(&self) -> &'static str {
        if self.operation == "find" { "stat" } else { self.operation }
    }

    /// The operation that the running task belongs to.
    pub(super) fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// Does work whose requests belong to this operation.
    pub(super) async fn scope<T>(self: Arc<Self>, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self, work).await
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a request is sent; one that was sent before is a retry. Returns how many there were.
    pub(super) fn sends(&self, request: String) -> u32 {
        let mut log = self.log();
        if log.requests.insert(request) {
            return 0;
        }
        log.retries = log.retries.saturating_add(1);
        metrics::retried(self.backend.code(), self.request());
        let status = log.last.as_ref().and_then(|answer| answer.status);
        logs::retried(self.backend.code(), self.request(), log.retries, status);
        log.retries
    }

    pub(super) fn answered(&self, answer: Answer) {
        self.log().last = Some(answer);
    }

    /// Notes that nobody answers where the machine's own credentials would be.
    pub(super) fn finds_no_credentials(&self) {
        self.log().has_no_credentials = true;
    }

    pub(super) fn has_no_credentials(&self) -> bool {
        self.log().has_no_credentials
    }

    pub(super) fn last(&self) -> Answer {
        self.log().last.clone().unwrap_or_default()
    }

    pub(super) fn has_retried(&self) -> bool {
        self.log().retries > 0
    }
}
