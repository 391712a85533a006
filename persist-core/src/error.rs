//! What can go wrong, in one type.
//!
//! - `kind` says which word fits; its code is the same in Python and never changes its meaning.
//! - The message says what failed, on what, and why; it never holds a secret.
//! - `hint` says what to do next, and is kept apart from the message.
//! - `is_retryable` says whether the same call can succeed later.

use std::fmt;

/// The result of every public function that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is nothing at this place.
    NotFound,
    /// The store refused the caller.
    AccessDenied,
    /// Somebody else wrote first.
    Conflict,
    /// An argument or option is wrong.
    Configuration,
    /// The store failed in a way that is neither absence nor refusal.
    Storage,
    /// The store did not answer before the deadline.
    Timeout,
    /// The caller ended the operation.
    Cancelled,
    /// The store has no room left.
    NoSpace,
    /// The bytes are not a valid snapshot.
    Format,
    /// The bytes were changed after they were written.
    Integrity,
    /// The format version is unknown to this release.
    UnsupportedVersion,
    /// The snapshot is larger, deeper or denser than the limits allow.
    LimitExceeded,
}

impl ErrorKind {
    /// Every kind there is, for the tests that compare languages.
    pub const ALL: [Self; 12] = [
        Self::NotFound,
        Self::AccessDenied,
        Self::Conflict,
        Self::Configuration,
        Self::Storage,
        Self::Timeout,
        Self::Cancelled,
        Self::NoSpace,
        Self::Format,
        Self::Integrity,
        Self::UnsupportedVersion,
        Self::LimitExceeded,
    ];

    /// The code of this kind: the same in every language, and append-only.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::AccessDenied => "access_denied",
            Self::Conflict => "conflict",
            Self::Configuration => "configuration",
            Self::Storage => "storage",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::NoSpace => "no_space",
            Self::Format => "format",
            Self::Integrity => "integrity",
            Self::UnsupportedVersion => "unsupported_version",
            Self::LimitExceeded => "limit_exceeded",
        }
    }
}

/// The family of stores that an error comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// Amazon S3 and what speaks its protocol.
    S3,
    /// Azure Blob Storage.
    Azure,
    /// Google Cloud Storage.
    Gcs,
}

impl Backend {
    /// The name of this family, as in the Python exceptions' codes.
    pub const fn code(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Azure => "azure",
            Self::Gcs => "gcs",
        }
    }
}

/// Where in a cloud's store an operation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failed {
    /// The store, as `s3://bucket`.
    pub store: String,
    /// The key in the store, when the operation was about one.
    pub key: Option<String>,
    /// What was done: `read`, `write`, `find`, `delete` or `list`.
    pub operation: &'static str,
    /// The store's name for the request, for its support.
    pub request_id: Option<String>,
}

impl Failed {
    /// Makes the place of an operation; the key and the request's name can be set later.
    pub fn new(store: impl Into<String>, operation: &'static str) -> Self {
        Self { store: store.into(), key: None, operation, request_id: None }
    }
}

/// A failure, with what a caller needs to act on it.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    backend: Option<Backend>,
    retryable: bool,
    failed: Option<Box<Failed>>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// Makes an error of this kind; the message is lower case and ends without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            backend: None,
            retryable: false,
            failed: None,
            source: None,
        }
    }

    /// Turns an operating system error into ours: `could not <action> "<target>": <reason>`.
    pub fn from_io(error: std::io::Error, action: &str, target: &impl fmt::Debug) -> Self {
        let message = format!("could not {action} {target:?}: {}", reason(&error));
        let mut made = Self::new(kind_of(&error), message).with_source(error);
        if made.kind == ErrorKind::NoSpace {
            made.hint =
                Some("free some room and try again; what was there before is intact".into());
            made.retryable = true;
        }
        made
    }

    /// Says what to do next.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says which family of stores failed.
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.backend = Some(backend);
        self
    }

    /// Says that the same call can succeed later.
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.retryable = retryable;
        self
    }

    /// Says where in a cloud's store it failed.
    pub fn with_failed(mut self, failed: Failed) -> Self {
        self.failed = Some(Box::new(failed));
        self
    }

    /// Keeps the error behind this one.
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Puts the place in front of the message, as in `"a.json.gz": content hash does not match`.
    pub fn at(mut self, place: &impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// What went wrong, in one word.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The family of stores that failed, when it is a cloud's.
    pub const fn backend(&self) -> Option<Backend> {
        self.backend
    }

    /// Where in a cloud's store it failed, when it did so there.
    pub fn failed(&self) -> Option<&Failed> {
        self.failed.as_deref()
    }

    /// Whether the same call can succeed later.
    pub const fn is_retryable(&self) -> bool {
        self.retryable
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

fn kind_of(error: &std::io::Error) -> ErrorKind {
    use std::io::ErrorKind as Io;
    match error.kind() {
        Io::NotFound | Io::NotADirectory => ErrorKind::NotFound,
        Io::PermissionDenied | Io::ReadOnlyFilesystem => ErrorKind::AccessDenied,
        Io::AlreadyExists => ErrorKind::Conflict,
        Io::InvalidInput | Io::InvalidFilename => ErrorKind::Configuration,
        Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => ErrorKind::NoSpace,
        Io::TimedOut => ErrorKind::Timeout,
        _ => ErrorKind::Storage,
    }
}

/// The operating system's own words, without Rust's `(os error N)`.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once() {
        let mut codes: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
    }

    #[test]
    fn an_io_error_names_action_target_and_reason() {
        let io = std::io::Error::from_raw_os_error(13);
        let error = Error::from_io(io, "read", &"a/b.json.gz");
        assert_eq!(error.kind(), ErrorKind::AccessDenied);
        assert_eq!(error.to_string(), r#"could not read "a/b.json.gz": permission denied"#);
    }
}
