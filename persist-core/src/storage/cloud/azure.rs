//! Azure Blob Storage.

use std::sync::{Arc, OnceLock};

use object_store::azure::{AzureConfigKey as Key, MicrosoftAzure, MicrosoftAzureBuilder};

use super::client::{Client, missing, refused};
use super::place::Place;
use super::settings::{Found, Row, Settings};
use super::transport::{Listening, Signer};
use crate::error::{Backend, Error, ErrorKind, Result};
use crate::storage::StorageOptions;

pub(super) const OPTIONS: [Row; 15] = [
    ("account", &["AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT"]),
    (
        "account_key",
        &["AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_KEY"],
    ),
    ("sas_token", &["AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_SAS_KEY"]),
    ("connection_string", &["AZURE_STORAGE_CONNECTION_STRING"]),
    ("endpoint", &["AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT", "AZURITE_BLOB_STORAGE_URL"]),
    ("bearer_token", &["AZURE_STORAGE_TOKEN"]),
    ("tenant_id", &["AZURE_TENANT_ID", "AZURE_STORAGE_TENANT_ID"]),
    ("client_id", &["AZURE_CLIENT_ID", "AZURE_STORAGE_CLIENT_ID"]),
    ("client_secret", &["AZURE_CLIENT_SECRET", "AZURE_STORAGE_CLIENT_SECRET"]),
    ("authority_host", &["AZURE_AUTHORITY_HOST"]),
    ("federated_token_file", &["AZURE_FEDERATED_TOKEN_FILE"]),
    ("msi_endpoint", &["AZURE_MSI_ENDPOINT", "AZURE_IDENTITY_ENDPOINT"]),
    ("use_azure_cli", &["AZURE_USE_AZURE_CLI"]),
    ("use_emulator", &["AZURE_STORAGE_USE_EMULATOR"]),
    ("anonymous", &[]),
];

const NAMES: [(&str, Key); 13] = [
    ("account", Key::AccountName),
    ("account_key", Key::AccessKey),
    ("sas_token", Key::SasKey),
    ("endpoint", Key::Endpoint),
    ("bearer_token", Key::Token),
    ("tenant_id", Key::AuthorityId),
    ("client_id", Key::ClientId),
    ("client_secret", Key::ClientSecret),
    ("authority_host", Key::AuthorityHost),
    ("federated_token_file", Key::FederatedTokenFile),
    ("msi_endpoint", Key::MsiEndpoint),
    ("use_azure_cli", Key::UseAzureCli),
    ("anonymous", Key::SkipSignature),
];

/// The parts of a connection string, and the options that they set.
const PARTS: [(&str, &str); 4] = [
    ("AccountName", "account"),
    ("AccountKey", "account_key"),
    ("SharedAccessSignature", "sas_token"),
    ("BlobEndpoint", "endpoint"),
];

/// The account of the emulator, as Microsoft's documentation publishes it.
const EMULATOR: (&str, &str) = (
    "devstoreaccount1",
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
);
const EMULATOR_URL: &str = "http://127.0.0.1:10000";

pub(super) fn connect(
    place: &Place,
    options: &StorageOptions,
    settings: &Settings,
) -> Result<Client> {
    let mut found = Found::of(options, &OPTIONS)?;
    take_connection_string(&mut found)?;
    if found.is_on("use_emulator")? {
        take_emulator(&mut found);
    }
    let Some(account) = found.get("account").map(str::to_owned) else {
        let hint = "set AZURE_STORAGE_ACCOUNT_NAME or AZURE_STORAGE_CONNECTION_STRING, or pass AzureOptions(account=...) (in a shell, --option account=...)";
        return Err(missing(place, "no storage account is set", hint));
    };
    let signer = Arc::new(OnceLock::new());
    let store = build(&found, settings, place, &signer).map_err(|error| refused(place, error))?;
    if !found.is_on("anonymous")? {
        // Set once, here: nobody else has this cell yet.
        let _ = signer.set(Signer { account, credentials: Arc::clone(store.credentials()) });
    }
    Ok(Client::of(store))
}

fn build(
    found: &Found,
    settings: &Settings,
    place: &Place,
    signer: &Arc<OnceLock<Signer>>,
) -> object_store::Result<MicrosoftAzure> {
    let is_http = found.get("endpoint").is_some_and(|url| url.starts_with("http://"));
    let listening =
        Listening { backend: Backend::Azure, signer: Arc::clone(signer), is_anonymous: false };
    let mut builder = MicrosoftAzureBuilder::new()
        .with_container_name(&place.bucket)
        .with_client_options(settings.client(is_http))
        .with_retry(settings.retry())
        .with_http_connector(listening);
    for (key, value) in found.named(&NAMES) {
        builder = builder.with_config(key, value);
    }
    builder.build()
}

/// What is set beside the connection string wins over its parts.
fn take_connection_string(found: &mut Found) -> Result<()> {
    let Some(text) = found.get("connection_string").map(str::to_owned) else { return Ok(()) };
    let mut parts = Vec::new();
    for part in text.split(';').filter(|part| !part.trim().is_empty()) {
        let pair = part.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
        parts.push(pair.ok_or_else(|| {
            let message = "the connection string is not made of NAME=VALUE; parts";
            Error::new(ErrorKind::Configuration, message)
                .with_hint("copy AZURE_STORAGE_CONNECTION_STRING again")
        })?);
    }
    let part = |wanted: &str| {
        parts.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| *value)
    };
    if part("UseDevelopmentStorage").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        take_emulator(found);
    }
    for (name, option) in PARTS {
        if let Some(value) = part(name) {
            found.fill(option, value);
        }
    }
    if let (Some(account), Some(suffix)) = (part("AccountName"), part("EndpointSuffix")) {
        let protocol = part("DefaultEndpointsProtocol").unwrap_or("https");
        found.fill("endpoint", &format!("{protocol}://{account}.blob.{suffix}"));
    }
    Ok(())
}

fn take_emulator(found: &mut Found) {
    let (account, key) = EMULATOR;
    let url = found.get("endpoint").unwrap_or(EMULATOR_URL).trim_end_matches('/').to_owned();
    if !url.ends_with(account) {
        found.remove("endpoint");
        found.fill("endpoint", &format!("{url}/{account}"));
    }
    found.fill("account", account);
    found.fill("account_key", key);
}
