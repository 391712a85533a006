//! How a store is reached: what the environment says, and what the caller says.

use std::collections::BTreeMap;
use std::fmt;

#[cfg(feature = "cloud")]
use super::cloud::{AwsProfile, CancelToken};
#[cfg(feature = "cloud")]
use crate::error::Result;

/// Where the tools of the clouds keep their profiles.
const HOME: &str = "HOME";

/// Variables that begin with one of these say how a cloud's store is reached.
const PREFIXES: [&str; 6] =
    ["AWS_", "AZURE_", "AZURITE_", "GCE_METADATA_HOST", "GOOGLE_", "STORAGE_EMULATOR_HOST"];

/// Reads an AWS profile: the one of this name, else the one that the environment means, if any.
#[cfg(feature = "cloud")]
pub type AwsProfiles = fn(&BTreeMap<String, String>, Option<&str>) -> Result<Option<AwsProfile>>;

/// How a store is reached; the local disk and memory need nothing.
///
/// The library reads no environment: a front door hands its variables in. A value that the caller
/// [set](Self::set) wins over a variable. The guides of the clouds list the names.
///
/// ```
/// use persist_core::StorageOptions;
///
/// let options = StorageOptions::new(std::env::vars()).set("region", "eu-west-1");
/// assert!(!format!("{options:?}").contains("eu-west-1"), "values may be secrets");
/// ```
#[derive(Clone, Default)]
pub struct StorageOptions {
    pub(super) environment: BTreeMap<String, String>,
    pub(super) values: BTreeMap<String, String>,
    #[cfg(feature = "cloud")]
    pub(super) cancel: CancelToken,
    #[cfg(feature = "cloud")]
    pub(super) aws_profiles: Option<AwsProfiles>,
}

impl StorageOptions {
    /// Takes the variables of the environment that say how a cloud's store is reached.
    pub fn new(environment: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut options = Self::default();
        let is_ours =
            |name: &str| name == HOME || PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        let set =
            environment.into_iter().filter(|(name, value)| is_ours(name) && !value.is_empty());
        options.environment.extend(set);
        options
    }

    /// Sets one option by its name; it wins over the environment.
    pub fn set(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.values.insert(name.into(), value.into());
        self
    }

    /// Ends what stores with these options do when the token is cancelled.
    #[cfg(feature = "cloud")]
    pub fn with_cancel(mut self, cancel: CancelToken) -> Self {
        self.cancel = cancel;
        self
    }

    /// Asks for an AWS profile here when one is named, or no keys are in the environment.
    #[cfg(feature = "cloud")]
    pub fn with_aws_profiles(mut self, profiles: AwsProfiles) -> Self {
        self.aws_profiles = Some(profiles);
        self
    }
}

/// Names what is set, and shows no value.
impl fmt::Debug for StorageOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageOptions")
            .field("environment", &self.environment.keys())
            .field("values", &self.values.keys())
            .finish_non_exhaustive()
    }
}
