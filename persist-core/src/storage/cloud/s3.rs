//! Amazon S3, and what speaks its protocol.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use object_store::aws::{
    AmazonS3, AmazonS3Builder, AmazonS3ConfigKey as Key, AwsCredentialProvider, Checksum,
};

use super::client::{Client, missing, refused};
use super::place::Place;
use super::settings::{Found, MULTIPART_CONDITION, Row, Settings};
use super::transport::Listening;
use crate::error::{Backend, Error, ErrorKind, Result};
use crate::storage::StorageOptions;

pub(super) const OPTIONS: [Row; 26] = [
    ("region", &["AWS_REGION", "AWS_DEFAULT_REGION"]),
    ("endpoint", &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]),
    ("access_key_id", &["AWS_ACCESS_KEY_ID"]),
    ("secret_access_key", &["AWS_SECRET_ACCESS_KEY"]),
    ("session_token", &["AWS_SESSION_TOKEN"]),
    ("profile", &["AWS_PROFILE"]),
    ("anonymous", &[]),
    ("web_identity_token_file", &["AWS_WEB_IDENTITY_TOKEN_FILE"]),
    ("role_arn", &["AWS_ROLE_ARN"]),
    ("role_session_name", &["AWS_ROLE_SESSION_NAME"]),
    ("sts_endpoint", &["AWS_ENDPOINT_URL_STS"]),
    ("container_credentials_relative_uri", &["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]),
    ("container_credentials_full_uri", &["AWS_CONTAINER_CREDENTIALS_FULL_URI"]),
    ("container_authorization_token_file", &["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]),
    ("metadata_endpoint", &["AWS_EC2_METADATA_SERVICE_ENDPOINT"]),
    ("metadata_disabled", &["AWS_EC2_METADATA_DISABLED"]),
    ("request_payer", &["AWS_REQUEST_PAYER"]),
    ("virtual_hosted_style", &[]),
    ("express", &[]),
    ("checksum", &[]),
    ("unsigned_payload", &[]),
    ("server_side_encryption", &[]),
    ("kms_key_id", &[]),
    ("bucket_key", &[]),
    ("customer_key", &[]),
    (MULTIPART_CONDITION, &[]),
];

/// Ours, and the names that `object_store` has for them.
const NAMES: [(&str, Key); 18] = [
    ("region", Key::Region),
    ("endpoint", Key::Endpoint),
    ("access_key_id", Key::AccessKeyId),
    ("secret_access_key", Key::SecretAccessKey),
    ("session_token", Key::Token),
    ("anonymous", Key::SkipSignature),
    ("web_identity_token_file", Key::WebIdentityTokenFile),
    ("role_arn", Key::RoleArn),
    ("role_session_name", Key::RoleSessionName),
    ("sts_endpoint", Key::StsEndpoint),
    ("container_credentials_relative_uri", Key::ContainerCredentialsRelativeUri),
    ("container_credentials_full_uri", Key::ContainerCredentialsFullUri),
    ("container_authorization_token_file", Key::ContainerAuthorizationTokenFile),
    ("metadata_endpoint", Key::MetadataEndpoint),
    ("request_payer", Key::RequestPayer),
    ("virtual_hosted_style", Key::VirtualHostedStyleRequest),
    ("express", Key::S3Express),
    ("unsigned_payload", Key::UnsignedPayload),
];

/// Those for which it has but texts.
const ENCRYPTION: [(&str, &str); 4] = [
    ("server_side_encryption", "aws_server_side_encryption"),
    ("kms_key_id", "aws_sse_kms_key_id"),
    ("bucket_key", "aws_sse_bucket_key_enabled"),
    ("customer_key", "aws_sse_customer_key_base64"),
];

/// A store with its own endpoint seldom has regions; this is the name that they all take.
const ANY_REGION: &str = "us-east-1";

const NO_KEYS: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or pass \
                       S3Options (in a shell, --option profile=...)";

/// What an AWS profile says.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct AwsProfile {
    /// Gives the keys, and new ones when they end.
    pub credentials: Option<AwsCredentialProvider>,
    /// The region that the profile names.
    pub region: Option<String>,
}

pub(super) fn connect(
    place: &Place,
    options: &StorageOptions,
    settings: &Settings,
) -> Result<Client> {
    let mut found = Found::of(options, &OPTIONS)?;
    if options.values.contains_key("access_key_id") && !options.values.contains_key("session_token")
    {
        // The token of the environment belongs to the environment's key.
        found.remove("session_token");
    }
    let credentials = credentials(place, options, &mut found)?;
    if found.has("endpoint") {
        found.fill("region", ANY_REGION);
    }
    if !found.has("region") {
        let hint =
            "set AWS_REGION, or pass S3Options(region=...) (in a shell, --option region=...)";
        return Err(missing(place, "no region is set", hint));
    }
    let headers = HeaderMap::new();
    let store = build(&found, settings, place, credentials, headers)
        .map_err(|error| refused(place, error))?;
    let Some(class) = &settings.storage_class else { return Ok(Client::of(store)) };
    // A copy has no argument for its class, and the signature covers the header.
    let class = HeaderValue::from_str(class).map_err(|_| {
        Error::new(ErrorKind::Configuration, format!("storage_class is {class:?}, which is none"))
    })?;
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-storage-class", class);
    let credentials = Some(Arc::clone(store.credentials()));
    let copies = build(&found, settings, place, credentials, headers)
        .map_err(|error| refused(place, error))?;
    Ok(Client { copies: Arc::new(copies), ..Client::of(store) })
}

fn build(
    found: &Found,
    settings: &Settings,
    place: &Place,
    credentials: Option<AwsCredentialProvider>,
    headers: HeaderMap,
) -> object_store::Result<AmazonS3> {
    let is_http = found.get("endpoint").is_some_and(|url| url.starts_with("http://"));
    let is_anonymous = found.is_on("anonymous").unwrap_or_default();
    let listening = Listening { backend: Backend::S3, signer: Arc::default(), is_anonymous };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&place.bucket)
        .with_client_options(settings.client(is_http).with_default_headers(headers))
        .with_retry(settings.retry())
        // One key for each request: not every store knows how to delete many at once.
        .with_disable_bulk_delete(true)
        .with_http_connector(listening);
    for (key, value) in found.named(&NAMES) {
        builder = builder.with_config(key, value);
    }
    builder = match found.get("checksum").unwrap_or("sha256") {
        "none" => builder,
        "crc64nvme" => builder.with_checksum_algorithm(Checksum::CRC64NVME),
        name => builder.with_config(Key::Checksum, name),
    };
    for (name, value) in found.named(&ENCRYPTION) {
        builder = builder.with_config(name.parse()?, value);
    }
    if let Some(credentials) = credentials {
        builder = builder.with_credentials(credentials);
    }
    builder.build()
}

/// Credentials that are asked for outside `object_store`; `None` when it finds them itself.
fn credentials(
    place: &Place,
    options: &StorageOptions,
    found: &mut Found,
) -> Result<Option<AwsCredentialProvider>> {
    let wants_profile = options.values.contains_key("profile");
    match (found.has("access_key_id"), found.has("secret_access_key")) {
        _ if wants_profile || found.is_on("anonymous")? => {}
        (true, true) => return Ok(None),
        (true, false) => {
            return Err(missing(place, "AWS_SECRET_ACCESS_KEY is not set", NO_KEYS));
        }
        (false, true) => return Err(missing(place, "AWS_ACCESS_KEY_ID is not set", NO_KEYS)),
        (false, false) => {}
    }
    let has_role = found.has("web_identity_token_file") && found.has("role_arn");
    let has_container = found.has("container_credentials_relative_uri")
        || found.has("container_credentials_full_uri")
            && found.has("container_authorization_token_file");
    if !wants_profile && (found.is_on("anonymous")? || has_role || has_container) {
        return Ok(None);
    }
    let profile = match options.aws_profiles {
        Some(ask) => ask(&options.environment, found.get("profile"))?,
        None if found.has("profile") => {
            let message = format!("could not open {place}: this program reads no AWS profiles");
            return Err(Error::new(ErrorKind::Configuration, message).with_hint(NO_KEYS));
        }
        None => None,
    };
    let profile = profile.unwrap_or_default();
    if let Some(region) = &profile.region {
        found.fill("region", region);
    }
    if profile.credentials.is_none() && found.is_on("metadata_disabled")? {
        return Err(missing(place, "no credentials were found", NO_KEYS));
    }
    Ok(profile.credentials)
}
