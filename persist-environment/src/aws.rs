//! AWS profiles, also those with roles and single sign-on, read as the AWS tools read them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
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

/// Reads the profile of this name, else the one that `AWS_PROFILE` or `default` means.
///
/// Fails with `Configuration` when a profile that was named is not there, or cannot be read.
pub(crate) fn profile(
    _environment: &BTreeMap<String, String>,
    name: Option<&str>,
) -> Result<Option<AwsProfile>> {
    let profiles = read(name)
        .map_err(|reason| refused(&format!("could not read the AWS profiles: {reason}")))?;
    let chosen = name.unwrap_or_else(|| profiles.selected_profile()).to_owned();
    let Some(profile) = profiles.get_profile(&chosen) else {
        return match name {
            Some(name) => Err(refused(&format!("there is no AWS profile {name:?}"))),
            None => Ok(None),
        };
    };
    let mut read = AwsProfile::default();
    read.region = profile.get("region").map(str::to_owned);
    if WAYS.iter().any(|way| profile.get(way).is_some()) {
        read.credentials = Some(Arc::new(Profile::new(chosen)));
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

/// Gives the keys of a profile, and new ones when they end.
#[derive(Debug)]
struct Profile {
    provider: ProfileFileCredentialsProvider,
    known: Mutex<Option<Credentials>>,
}

impl Profile {
    fn new(name: String) -> Self {
        let client = Builder::new()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
            .build_https();
        let config = ProviderConfig::default().with_http_client(client);
        let provider =
            ProfileFileCredentialsProvider::builder().configure(&config).profile_name(name).build();
        Self { provider, known: Mutex::new(None) }
    }
}

#[async_trait]
impl CredentialProvider for Profile {
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
