//! Google Cloud Storage.

use std::sync::Arc;

use object_store::gcp::{GoogleCloudStorage, GoogleCloudStorageBuilder, GoogleConfigKey as Key};

use super::client::{Client, refused};
use super::place::Place;
use super::settings::{Found, Row, Settings};
use super::transport::Listening;
use crate::error::{Backend, Result};
use crate::storage::StorageOptions;

pub(super) const OPTIONS: [Row; 6] = [
    ("service_account", &["GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_PATH"]),
    ("service_account_key", &["GOOGLE_SERVICE_ACCOUNT_KEY"]),
    ("application_credentials", &["GOOGLE_APPLICATION_CREDENTIALS"]),
    ("bearer_token", &["GOOGLE_BEARER_TOKEN"]),
    ("endpoint", &["STORAGE_EMULATOR_HOST"]),
    ("anonymous", &[]),
];

const NAMES: [(&str, Key); 6] = [
    ("service_account", Key::ServiceAccount),
    ("service_account_key", Key::ServiceAccountKey),
    ("application_credentials", Key::ApplicationCredentials),
    ("bearer_token", Key::BearerToken),
    ("endpoint", Key::BaseUrl),
    ("anonymous", Key::SkipSignature),
];

/// The variable of all of Google's tools that names who gives the credentials of a machine.
const METADATA_HOST: &str = "GCE_METADATA_HOST";

/// The credentials of an emulator, which asks for none.
const NOBODY: &str = r#"{"disable_oauth":true,"gcs_base_url":"","client_email":"","private_key":"","private_key_id":""}"#;

pub(super) fn connect(
    place: &Place,
    options: &StorageOptions,
    settings: &Settings,
) -> Result<Client> {
    let mut found = Found::of(options, &OPTIONS)?;
    if let Some(endpoint) = found.get("endpoint").map(str::to_owned) {
        if !endpoint.contains("://") {
            found.remove("endpoint");
            found.fill("endpoint", &format!("http://{endpoint}"));
        }
        let has_credentials = NAMES.iter().any(|(name, _)| *name != "endpoint" && found.has(name))
            || options.environment.contains_key(METADATA_HOST);
        let is_emulator = found.get("endpoint").is_some_and(|url| url.starts_with("http://"));
        if is_emulator && !has_credentials {
            found.fill("service_account_key", NOBODY);
        }
    }
    build(&found, settings, place).map_err(|error| refused(place, error)).map(Client::of)
}

fn build(
    found: &Found,
    settings: &Settings,
    place: &Place,
) -> object_store::Result<GoogleCloudStorage> {
    let is_http = found.get("endpoint").is_some_and(|url| url.starts_with("http://"));
    let listening =
        Listening { backend: Backend::Gcs, signer: Arc::default(), is_anonymous: false };
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(&place.bucket)
        .with_client_options(settings.client(is_http))
        .with_retry(settings.retry())
        .with_http_connector(listening);
    for (key, value) in found.named(&NAMES) {
        builder = builder.with_config(key, value);
    }
    builder.build()
}
