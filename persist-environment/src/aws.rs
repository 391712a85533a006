//! AWS profiles, also those with roles and single sign-on, and the credentials of containers, as the
//! AWS tools find them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::{Builder, tls};
use aws_types::os_shim_internal::{Env, Fs};
use persist_core::storage::{AwsCredential, AwsProfile, CredentialProvider};
use persist_core::{Error, ErrorKind, Result};
use tokio::sync::Mutex;

/// Credentials that end sooner than this are asked for again.
const SOON: Duration = Duration::from_secs(300);

/// What a profile sets that has credentials, by whatever way.
const WAYS: [&str; 7] = [
    "aws_access_key_id",
    "role_arn",
    "source_profile",
    "credential_process",
    "sso_session",
    "sso_start_url",
    "web_identity_token_file",
];

/// The variable that names who gives the credentials of a container.
const CONTAINER: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";

/// Reads the profile of this name, else the one that `AWS_PROFILE` or `default` means. Where that one
/// has no credentials, those of the container are asked for.
///
/// Fails with `Configuration` when a profile that was named is not there, or cannot be read.
pub(crate) fn profile(
    environment: &BTreeMap<String, String>,
    name: Option<&str>,
) -> Result<Option<AwsProfile>> {
    let profiles = read(name)
        .map_err(|reason| refused(&format!("could not read the AWS profiles: {reason}")))?;
    let chosen = name.unwrap_or_else(|| profiles.selected_profile()).to_owned();
    let profile = profiles.get_profile(&chosen);
    if let (Some(name), None) = (name, profile) {
        return Err(refused(&format!("there is no AWS profile {name:?}")));
    }
    let mut read = AwsProfile::default();
    read.region = profile.and_then(|profile| profile.get("region")).map(str::to_owned);
    if profile.is_some_and(|profile| WAYS.iter().any(|way| profile.get(way).is_some())) {
        read.credentials = Some(Arc::new(Keys::of_profile(chosen)));
    } else if name.is_none() && environment.contains_key(CONTAINER) {
        read.credentials = Some(Arc::new(Keys::of_container()));
    }
    Ok(Some(read))
}

fn refused(message: &str) -> Error {
    Error::new(ErrorKind::Configuration, message)
        .with_hint("look at AWS_PROFILE, ~/.aws/config and ~/.aws/credentials")
}

fn read(name: Option<&str>) -> std::result::Result<ProfileSet, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let name = name.map(|name| Cow::Owned(name.to_owned()));
    let (files, environment) = (Fs::real(), Env::real());
    #[expect(clippy::default_trait_access, reason = "aws-config does not export the type")]
    let places = Default::default();
    let load = aws_config::profile::load(&files, &environment, &places, name);
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(load).map_err(|error| error.to_string())
}

/// Gives keys, and new ones when they end.
#[derive(Debug)]
struct Keys {
    provider: SharedCredentialsProvider,
    known: Mutex<Option<Credentials>>,
}

impl Keys {
    fn of_profile(name: String) -> Self {
        let builder = ProfileFileCredentialsProvider::builder().configure(&config());
        Self::new(builder.profile_name(name).build())
    }

    fn of_container() -> Self {
        Self::new(EcsCredentialsProvider::builder().configure(&config()).build())
    }

    fn new(provider: impl ProvideCredentials + 'static) -> Self {
        Self { provider: SharedCredentialsProvider::new(provider), known: Mutex::new(None) }
    }
}

fn config() -> ProviderConfig {
    let client = Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https();
    ProviderConfig::default().with_http_client(client)
}

#[async_trait]
impl CredentialProvider for Keys {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let mut known = self.known.lock().await;
        let credentials = match known.take().filter(lasts) {
            Some(credentials) => credentials,
            None => self.provider.provide_credentials().await.map_err(|error| {
                object_store::Error::Unauthenticated { path: String::new(), source: error.into() }
            })?,
        };
        let credential = AwsCredential {
            key_id: credentials.access_key_id().to_owned(),
            secret_key: credentials.secret_access_key().to_owned(),
            token: credentials.session_token().map(str::to_owned),
        };
        *known = Some(credentials);
        Ok(Arc::new(credential))
    }
}

fn lasts(credentials: &Credentials) -> bool {
    #[expect(clippy::disallowed_methods, reason = "a front door reads the clock")]
    let soon = SystemTime::now() + SOON;
    credentials.expiry().is_none_or(|expiry| expiry > soon)
}
