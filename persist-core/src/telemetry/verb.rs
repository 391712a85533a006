//! A verb on a snapshot, as operators see it: counted, in a span, and told by a record at its end.

use std::ffi::OsStr;
use std::time::Instant;

use tracing::{Span, info, warn};

use super::logs::{SNAPSHOT, milliseconds};
use super::metrics::{self, Counted};
use super::spans::{self, verb_span};
use crate::error::{Error, Result};
use crate::metadata::Metadata;

/// What is done with a snapshot.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Verb {
    Save,
    Load,
    Verify,
    Delete,
    Copy,
}

impl Verb {
    /// Begins work on the object with this key.
    pub(crate) fn begin(self, key: &OsStr) -> Operation {
        let key = key.to_string_lossy().into_owned();
        let span = self.span(&key);
        Operation { verb: self, key, start: Instant::now(), span, has_failed: false }
    }

    /// Does all of the work; `metadata` is of its result.
    pub(crate) fn run<T>(
        self,
        key: &OsStr,
        work: impl FnOnce() -> Result<T>,
        metadata: impl Fn(&T) -> Option<&Metadata>,
    ) -> Result<T> {
        let mut operation = self.begin(key);
        let result = operation.within(work)?;
        operation.succeeded(metadata(&result));
        Ok(result)
    }

    fn counted(self) -> Option<&'static Counted> {
        match self {
            Self::Save => Some(&metrics::SAVE),
            Self::Load => Some(&metrics::LOAD),
            Self::Verify => Some(&metrics::VERIFY),
            Self::Delete | Self::Copy => None,
        }
    }

    fn span(self, key: &str) -> Span {
        match self {
            Self::Save => verb_span!(spans::SAVE, key),
            Self::Load => verb_span!(spans::LOAD, key),
            Self::Verify => verb_span!(spans::VERIFY, key),
            Self::Delete => verb_span!(spans::DELETE, key),
            Self::Copy => verb_span!(spans::COPY, key),
        }
    }
}

/// Work that goes on.
pub(crate) struct Operation {
    verb: Verb,
    key: String,
    start: Instant,
    span: Span,
    has_failed: bool,
}

impl Operation {
    /// Does a part of the work; the first failure is told, and ends the operation.
    pub(crate) fn within<T>(&mut self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let result = self.span.in_scope(work);
        if let Err(error) = &result
            && !std::mem::replace(&mut self.has_failed, true)
        {
            self.failed(error);
        }
        result
    }

    /// Tells that the work is done.
    pub(crate) fn succeeded(self, metadata: Option<&Metadata>) {
        if let Some(counted) = self.verb.counted() {
            counted.succeeded(self.start.elapsed());
        }
        let (verb, key) = (self.verb, self.key.as_str());
        let Some(metadata) = metadata else {
            info!(
                target: SNAPSHOT,
                duration_ms = milliseconds(self.start),
                key,
                "{verb:?} operation completed"
            );
            return;
        };
        if matches!(verb, Verb::Save) {
            metrics::saved(metadata);
        }
        spans::describe(&self.span, metadata);
        info!(
            target: SNAPSHOT,
            agent_id = metadata.agent_id.as_str(),
            duration_ms = milliseconds(self.start),
            size_bytes = metadata.uncompressed_size,
            compressed_bytes = metadata.compressed_size,
            session_id = metadata.session_id.as_str(),
            snapshot_index = metadata.snapshot_index,
            snapshot_id = metadata.snapshot_id.to_string(),
            key,
            "{verb:?} operation completed"
        );
    }

    fn failed(&self, error: &Error) {
        if let Some(counted) = self.verb.counted() {
            counted.failed(error);
        }
        spans::mark(&self.span, error);
        warn!(
            target: SNAPSHOT,
            duration_ms = milliseconds(self.start),
            kind = error.kind().code(),
            error = error.to_string(),
            key = self.key.as_str(),
            "{:?} operation failed", self.verb
        );
    }
}
