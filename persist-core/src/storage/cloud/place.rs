//! A bucket, as messages name it, and what its failures mean.

use std::fmt;
use std::time::Duration;

use object_store::path::Path;

use super::call::{Answer, Call, Condition};
use crate::error::{Backend, Error, ErrorKind, Failed, Result};
use crate::storage::Key;

/// A bucket or container of a cloud.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) backend: Backend,
    pub(super) bucket: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.backend {
            Backend::S3 => "s3",
            Backend::Azure => "az",
            Backend::Gcs => "gs",
        };
        write!(f, "{scheme}://{}", self.bucket)
    }
}

/// The codes by which stores say that the bucket is not there.
const NO_BUCKET: [&str; 3] = ["NoSuchBucket", "ContainerNotFound", "BucketNotFound"];

/// The codes by which stores say that they are full.
const FULL: [&str; 4] =
    ["InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "AccountQuotaExceeded"];

/// The codes by which stores say that another writer was there.
const RACED: [&str; 4] =
    ["ConditionalRequestConflict", "OperationAborted", "InvalidBlockList", "BlobAlreadyExists"];

/// The codes that mean another region than the one that was asked.
const ELSEWHERE: [&str; 3] =
    ["PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"];

impl Place {
    /// Fails with `Configuration` for a name that no bucket has, and that would change a URL.
    pub(super) fn new(backend: Backend, bucket: impl Into<String>) -> Result<Self> {
        let bucket = bucket.into();
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-._$".contains(c);
        if bucket.is_empty() || !bucket.chars().all(is_name) {
            let message = format!("{bucket:?} is not the name of a bucket");
            return Err(Error::new(ErrorKind::Configuration, message).with_backend(backend));
        }
        Ok(Self { backend, bucket })
    }

    /// The name of an object as the store takes it.
    ///
    /// Fails with `Configuration` for a key that is empty or that a store would take for another.
    pub(super) fn path(&self, key: &Key) -> Result<Path> {
        let text = key.as_os_str().to_str();
        let wrong = |why: &str| {
            let message = format!("{self} cannot hold {key}: {why}");
            Err(Error::new(ErrorKind::Configuration, message).with_backend(self.backend))
        };
        match text {
            None => wrong("it is not UTF-8"),
            Some("") => wrong("the URL names no key"),
            Some(text) if text.starts_with('/') || text.ends_with('/') => {
                wrong("it begins or ends with a slash")
            }
            Some(text) => Path::parse(text)
                .or_else(|_| wrong("it holds an empty part, \".\", \"..\" or a control character")),
        }
    }

    /// The error for an operation that the store, or the network, did not do.
    pub(super) fn error(
        &self,
        call: &Call,
        key: Option<&Key>,
        error: object_store::Error,
    ) -> Error {
        let last = call.last();
        let (kind, reason) = meaning(call, &last, &error);
        let is_bucket = last.code.as_deref().is_some_and(|code| NO_BUCKET.contains(&code));
        let mut failed = self.failed(call, key, kind, &reason);
        if is_bucket {
            failed = failed.with_failed(self.where_failed(call, None));
        }
        if let Some(hint) = self.hint(kind, &last, is_bucket) {
            failed = failed.with_hint(hint);
        }
        failed.with_retryable(is_retryable(kind, &last, &error)).with_source(error)
    }

    /// The error for an operation that did not end in time.
    pub(super) fn late(&self, call: &Call, key: Option<&Key>, deadline: Duration) -> Error {
        let last = call.last();
        let mut reason = format!("no answer within {} s", deadline.as_secs_f64());
        if let Some(words) = words_of(&last) {
            reason = format!("{reason}; the last try: {words}");
        }
        self.failed(call, key, ErrorKind::Timeout, &reason).with_retryable(true)
    }

    pub(super) fn cancelled(&self, call: &Call, key: Option<&Key>) -> Error {
        self.failed(call, key, ErrorKind::Cancelled, "it was cancelled")
    }

    /// The error for a condition that did not hold.
    pub(super) fn conflict(&self, call: &Call, key: Option<&Key>) -> Error {
        self.failed(call, key, ErrorKind::Conflict, lost(call))
    }

    /// `could not read "a/b" from s3://bucket: <reason> (request id X)`
    pub(super) fn failed(
        &self,
        call: &Call,
        key: Option<&Key>,
        kind: ErrorKind,
        reason: &str,
    ) -> Error {
        let operation = call.operation;
        let between = match operation {
            "read" | "delete" => "from",
            "write" => "to",
            _ => "in",
        };
        let what = match key.filter(|key| !key.is_root()) {
            Some(key) => format!("could not {operation} {key} {between} {self}"),
            None => format!("could not {operation} {self}"),
        };
        let failed = self.where_failed(call, key);
        let id = failed.request_id.as_ref().map(|id| format!(" (request id {id})"));
        Error::new(kind, format!("{what}: {reason}{}", id.unwrap_or_default()))
            .with_backend(self.backend)
            .with_failed(failed)
    }

    pub(super) fn where_failed(&self, call: &Call, key: Option<&Key>) -> Failed {
        let mut failed = Failed::new(self.to_string(), call.operation);
        failed.key = key.map(|key| key.as_os_str().to_string_lossy().into_owned());
        failed.request_id = call.last().request_id;
        failed
    }

    fn hint(&self, kind: ErrorKind, last: &Answer, is_bucket: bool) -> Option<String> {
        let (keys, region) = match self.backend {
            Backend::S3 => {
                ("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE", "AWS_REGION")
            }
            Backend::Azure => (
                "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or the AZURE_CLIENT_ID, \
                 AZURE_TENANT_ID and AZURE_CLIENT_SECRET of an application",
                "the account",
            ),
            Backend::Gcs => ("GOOGLE_APPLICATION_CREDENTIALS", "the bucket"),
        };
        match kind {
            _ if is_bucket => Some(format!("make the bucket {:?}, or check its name", self.bucket)),
            ErrorKind::Configuration if last.status.is_some() => Some(format!("check {region}")),
            ErrorKind::Configuration => Some(format!("set {keys}")),
            ErrorKind::AccessDenied => Some(format!("check {keys}, and what they may do")),
            _ => None,
        }
    }
}

/// Whether the store said that the bucket is missing, not the key.
pub(super) fn is_of_bucket(error: &Error) -> bool {
    error.failed().is_some_and(|failed| failed.key.is_none())
}

/// What a failure means, and why it happened in the store's or the network's words.
fn meaning(call: &Call, last: &Answer, error: &object_store::Error) -> (ErrorKind, String) {
    use object_store::Error as Store;
    let code = last.code.as_deref().unwrap_or_default();
    if call.has_no_credentials() {
        return (ErrorKind::Configuration, "no credentials were found".to_owned());
    }
    if NO_BUCKET.contains(&code) {
        return (ErrorKind::NotFound, "no such bucket".to_owned());
    }
    if ELSEWHERE.contains(&code) || last.status == Some(301) {
        return (ErrorKind::Configuration, "the bucket is in another region".to_owned());
    }
    let kind = match (error, last.status) {
        _ if RACED.contains(&code) => ErrorKind::Conflict,
        _ if FULL.contains(&code) => ErrorKind::NoSpace,
        (Store::NotFound { .. }, _) | (_, Some(404)) => ErrorKind::NotFound,
        (Store::AlreadyExists { .. } | Store::Precondition { .. }, _) | (_, Some(412)) => {
            ErrorKind::Conflict
        }
        (Store::PermissionDenied { .. } | Store::Unauthenticated { .. }, _)
        | (_, Some(401 | 403)) => ErrorKind::AccessDenied,
        (_, Some(507)) => ErrorKind::NoSpace,
        (_, None) if is_timeout(error) => ErrorKind::Timeout,
        _ => ErrorKind::Storage,
    };
    (kind, reason(kind, call, last, error))
}

fn reason(kind: ErrorKind, call: &Call, last: &Answer, error: &object_store::Error) -> String {
    let is_write = call.operation == "write";
    match kind {
        ErrorKind::NotFound if call.operation == "list" => "no such bucket".to_owned(),
        ErrorKind::NotFound => "no such key".to_owned(),
        ErrorKind::Conflict if !is_write => "it was replaced meanwhile".to_owned(),
        ErrorKind::Conflict => lost(call).to_owned(),
        _ => words_of(last).unwrap_or_else(|| plain(error)),
    }
}

/// Why a write under a condition is refused.
fn lost(call: &Call) -> &'static str {
    match call.condition {
        Some(Condition::Version(_)) => "it is not the version of if_match",
        _ => "it exists already, or another writer was faster",
    }
}

/// What was said last, in one line.
fn words_of(last: &Answer) -> Option<String> {
    let said = match (&last.code, &last.message) {
        (Some(code), Some(message)) => Some(format!("{code}: {}", message.trim_end_matches('.'))),
        (Some(word), None) | (None, Some(word)) => Some(word.clone()),
        (None, None) => None,
    };
    match (last.status, said) {
        (Some(status), Some(said)) => Some(format!("{status} {said}")),
        (Some(status), None) if status >= 400 => Some(format!("status {status}")),
        (_, said) => said,
    }
}

/// The innermost reason of an error that never reached the network; it names no URL.
fn plain(error: &object_store::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    let text = inner.to_string();
    if text.contains("://") { "the request failed".to_owned() } else { text }
}

fn is_timeout(error: &object_store::Error) -> bool {
    let mut inner: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = inner {
        if let Some(http) = error.downcast_ref::<object_store::client::HttpError>()
            && http.kind() == object_store::client::HttpErrorKind::Timeout
        {
            return true;
        }
        inner = error.source();
    }
    false
}

fn is_retryable(kind: ErrorKind, last: &Answer, error: &object_store::Error) -> bool {
    match kind {
        ErrorKind::Timeout | ErrorKind::NoSpace => true,
        ErrorKind::Storage => match last.status {
            None => !matches!(error, object_store::Error::NotSupported { .. }),
            Some(status) => status >= 500 || matches!(status, 200..=299 | 408 | 429),
        },
        _ => false,
    }
}
