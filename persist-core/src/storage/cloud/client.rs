//! The connections to one bucket, and how they are made.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::multipart::MultipartStore;

use super::place::Place;
use super::settings::Settings;
use super::{azure, gcs, s3};
use crate::error::{Backend, Error, ErrorKind, Result};
use crate::storage::StorageOptions;

/// A store of `object_store`, by the two traits that are used of it.
pub(super) struct Client {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) parts: Arc<dyn MultipartStore>,
    /// Copies into the storage class of what is written.
    pub(super) copies: Arc<dyn ObjectStore>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.store)
    }
}

impl Client {
    pub(super) fn of<S: ObjectStore + MultipartStore>(store: S) -> Self {
        let store = Arc::new(store);
        Self { store: Arc::clone(&store) as _, copies: Arc::clone(&store) as _, parts: store }
    }
}

/// Everything that the connections to a bucket depend on.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    pub(super) place: Place,
    pub(super) options: StorageOptions,
}

impl Recipe {
    pub(super) fn build(&self) -> Result<Client> {
        let settings = Settings::of(&self.options)?;
        let built = match self.place.backend {
            Backend::S3 => s3::connect(&self.place, &self.options, &settings),
            Backend::Azure => azure::connect(&self.place, &self.options, &settings),
            Backend::Gcs => gcs::connect(&self.place, &self.options, &settings),
        };
        built.map_err(|error| error.with_backend(self.place.backend))
    }

    fn texts(&self) -> [&BTreeMap<String, String>; 2] {
        [&self.options.environment, &self.options.values]
    }
}

impl PartialEq for Recipe {
    fn eq(&self, other: &Self) -> bool {
        let same_profiles = match (self.options.aws_profiles, other.options.aws_profiles) {
            (Some(own), Some(others)) => std::ptr::fn_addr_eq(own, others),
            (own, others) => own.is_none() && others.is_none(),
        };
        self.place == other.place && self.texts() == other.texts() && same_profiles
    }
}

impl Eq for Recipe {}

impl Hash for Recipe {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.place.hash(state);
        self.texts().hash(state);
    }
}

/// What is missing for a store, and what sets it.
pub(super) fn missing(place: &Place, what: &str, hint: &str) -> Error {
    Error::new(ErrorKind::Configuration, format!("could not open {place}: {what}")).with_hint(hint)
}

/// The error for options that `object_store` does not take.
pub(super) fn refused(place: &Place, error: object_store::Error) -> Error {
    let mut inner: &dyn std::error::Error = &error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    let message = format!("could not open {place}: {}", inner.to_string().to_lowercase());
    Error::new(ErrorKind::Configuration, message).with_source(error)
}
