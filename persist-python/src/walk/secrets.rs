//! Credentials, as far as they are found without Python: what may be one is shown to it.

use std::sync::LazyLock;

use aho_corasick::packed::Searcher;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyFrozenSet, PyString};
use regex::bytes::Regex;

/// The shortest text that `_VALUES` in `persist.codec._secrets` finds something in.
const SHORTEST: usize = 20;

/// All that `persist.codec._secrets` finds, and a little more: spaces and borders of words beyond
/// ASCII are not looked at.
static VALUES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?-u)sk-[A-Za-z0-9_-]{20}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30}|Bearer [A-Za-z0-9._~+/-]{20}|://[^/\s:@]*:[^/\s@]+@",
    )
    .ok()
});
/// What each of those begins with: it is looked for in all texts, and seldom there.
static BEGINNINGS: LazyLock<Option<Searcher>> = LazyLock::new(|| {
    Searcher::new(["sk-", "AKIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "Bearer ", "://"])
});
/// A name in ASCII that is one of a credential, exactly as `persist.codec._secrets` says.
static NAMES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i-u)(?:^|[_-])(?:api[_-]?key|access[_-]?token|auth[_-]?token|secret(?:[_-]?key)?|password|authorization|x[_-]api[_-]key)\n?\z",
    )
    .ok()
});

/// What the caller says of credentials.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    Error,
    Redact,
    Allow,
}

pub(super) struct Scan<'py> {
    pub(super) policy: Policy,
    names: Option<Bound<'py, PyFrozenSet>>,
}

impl<'py> Scan<'py> {
    pub(super) fn new(policy: &str, names: Bound<'py, PyFrozenSet>) -> Self {
        let policy = match policy {
            "allow" => Policy::Allow,
            "redact" => Policy::Redact,
            _ => Policy::Error,
        };
        Self { policy, names: Some(names).filter(|names| !names.is_empty()) }
    }

    /// Whether the caller named fields that are never written.
    pub(super) fn has_names(&self) -> bool {
        self.names.is_some()
    }

    /// Whether there may be a credential in this text.
    pub(super) fn is_suspect(&self, text: &[u8]) -> bool {
        if self.policy == Policy::Allow {
            return false;
        }
        let may_hold_one = text.len() >= SHORTEST || text.contains(&b':');
        let begins = || BEGINNINGS.as_ref().is_none_or(|all| all.find(text).is_some());
        may_hold_one && begins() && VALUES.as_ref().is_none_or(|values| values.is_match(text))
    }

    /// Whether what a field holds is not written by its name.
    ///
    /// # Errors
    /// When a name cannot be looked up, since it is not hashable.
    pub(super) fn is_left_out(
        &self,
        name: &Bound<'_, PyAny>,
        is_credential: bool,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        if let Some(names) = &self.names
            && names.contains(name)?
        {
            return Ok(true);
        }
        Ok(is_credential && self.policy != Policy::Allow && is_full(value))
    }
}

/// Whether a value of this type can be a credential, and is not empty.
fn is_full(value: &Bound<'_, PyAny>) -> bool {
    let is_kind = value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyBytes>()
        || value.is_exact_instance_of::<PyByteArray>();
    is_kind && value.len().is_ok_and(|length| length > 0)
}

/// Whether a name in ASCII is that of a credential; of others, Python knows.
pub(super) fn is_name_of_one(name: &[u8]) -> bool {
    NAMES.as_ref().is_none_or(|names| names.is_match(name))
}
