//! What stands between `object_store` and the network: it listens, and adds conditions.
//!
//! It notes the request id and the words of the store for error messages, counts retries, has a
//! request sent again when the store found its body changed, and puts the condition of an upload on
//! the request that makes the object visible.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use http::{HeaderMap, HeaderValue, Method};
use object_store::azure::{AzureAuthorizer, AzureCredentialProvider};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService, ReqwestConnector,
};
use tracing::Span;

use super::call::{Answer, Call, Condition};
use crate::error::Backend;
use crate::telemetry::{metrics, spans};

/// The headers by which the stores name a request.
const REQUEST_IDS: [&str; 4] =
    ["x-amz-request-id", "x-ms-request-id", "x-guploader-uploadid", "x-goog-request-id"];

/// The headers that prove who asks; a shared access signature does so in the query.
const SECRET_HEADERS: [&str; 2] = ["authorization", "x-amz-security-token"];

/// A word of such a header that is shorter proves nothing, as `Bearer` does not.
const SHORTEST_SECRET: usize = 8;

/// Where clouds keep the credentials of a machine.
const METADATA_HOSTS: [&str; 3] = ["169.254.169.254", "metadata.google.internal", "fd00:ec2::254"];

/// Where Cloudflare's store is, whose headers for conditional copies have names of their own.
const R2: &str = ".r2.cloudflarestorage.com";

/// The store found the body changed or cut on the way, or waited for it in vain.
const SENT_BADLY: [&str; 8] = [
    "BadDigest",
    "IncompleteBody",
    "RequestTimeout",
    "XAmzContentSHA256Mismatch",
    "XAmzContentChecksumMismatch",
    "Md5Mismatch",
    "Crc64Mismatch",
    "InvalidMd5",
];

/// Makes connections that listen.
#[derive(Debug, Clone)]
pub(super) struct Listening {
    pub(super) backend: Backend,
    /// Signs a request of Azure again after a condition was put on it.
    pub(super) signer: Arc<OnceLock<Signer>>,
    /// Whether no request proves who asks.
    pub(super) is_anonymous: bool,
}

/// What signs requests to Azure.
#[derive(Debug)]
pub(super) struct Signer {
    pub(super) account: String,
    pub(super) credentials: AzureCredentialProvider,
}

impl HttpConnector for Listening {
    fn connect(&self, options: &object_store::ClientOptions) -> object_store::Result<HttpClient> {
        // A program that chose its cryptography before keeps it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let inner = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Transport { inner, listening: self.clone() }))
    }
}

#[derive(Debug)]
struct Transport {
    inner: HttpClient,
    listening: Listening,
}

#[async_trait]
impl HttpService for Transport {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let Some(call) = Call::current() else { return self.inner.execute(request).await };
        let again = call.sends(format!("{} {}", request.method(), request.uri()));
        let span = span_of(&call, &request, again);
        if makes_visible(self.listening.backend, &request) {
            self.complete(&call, &mut request).await?;
        }
        let counted = self.is_of_s3(&request).then(|| metrics::S3Request::begin(call.operation));
        let is_metadata = request.uri().host().is_some_and(|host| METADATA_HOSTS.contains(&host));
        let secrets = secrets_of(&request);
        // The span is not entered: a connection that is made inside of it would keep it open.
        let result = match self.inner.execute(request).await {
            Ok(response) => listen(&call, response, &secrets).await,
            Err(error) => Err(lost(&call, error, is_metadata)),
        };
        let status = call.last().status;
        spans::answered(&span, status);
        if let Some(counted) = counted {
            let is_answered = |status| status < 400 || matches!(status, 404 | 412 | 416);
            counted.end(!status.is_some_and(is_answered));
        }
        result
    }
}

/// The span of a request. Its path and query are left out: they can hold a signature.
fn span_of(call: &Call, request: &HttpRequest, again: u32) -> Span {
    let uri = request.uri();
    let host = uri.host().unwrap_or_default();
    spans::http(&call.span, request.method().as_str(), host, uri.port_u16(), again)
}

impl Transport {
    /// Whether S3 is asked, and not those who give the credentials for it.
    fn is_of_s3(&self, request: &HttpRequest) -> bool {
        let is_signed = request.headers().contains_key("x-amz-content-sha256");
        self.listening.backend == Backend::S3 && (is_signed || self.listening.is_anonymous)
    }

    /// Puts condition and headers on the request that makes an object visible.
    async fn complete(&self, call: &Call, request: &mut HttpRequest) -> Result<(), HttpError> {
        let condition = call.condition.as_ref().map(|condition| {
            let is_gcs = self.listening.backend == Backend::Gcs;
            match (is_gcs, condition) {
                (true, Condition::Absent) => ("x-goog-if-generation-match", "0"),
                (true, Condition::Version(tag)) => ("x-goog-if-generation-match", tag.as_str()),
                (false, Condition::Absent) => ("if-none-match", "*"),
                (false, Condition::Version(tag)) => ("if-match", tag.as_str()),
            }
        });
        let is_copy_of_r2 = request.headers().contains_key("x-amz-copy-source")
            && request.uri().host().is_some_and(|host| host.ends_with(R2));
        let condition = condition.map(|(name, value)| match name {
            "if-none-match" if is_copy_of_r2 => ("cf-copy-destination-if-none-match", value),
            "if-match" if is_copy_of_r2 => ("cf-copy-destination-if-match", value),
            name => (name, value),
        });
        let headers = call.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let mut is_changed = false;
        for (name, value) in headers.chain(condition) {
            let value = HeaderValue::from_str(value)
                .map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
            request.headers_mut().insert(name, value);
            is_changed = true;
        }
        match self.listening.signer.get() {
            Some(signer) if is_changed => signer.sign(request).await,
            _ => Ok(()),
        }
    }
}

impl Signer {
    async fn sign(&self, request: &mut HttpRequest) -> Result<(), HttpError> {
        let unknown = |error| HttpError::new(HttpErrorKind::Unknown, error);
        let credential = self.credentials.get_credential().await.map_err(unknown)?;
        request.headers_mut().remove(http::header::AUTHORIZATION);
        AzureAuthorizer::new(&credential, &self.account).try_authorize(request).map_err(unknown)
    }
}

/// Whether this is the request after which an object shows that was uploaded in parts.
fn makes_visible(backend: Backend, request: &HttpRequest) -> bool {
    let is_put = request.method() == Method::PUT;
    let query = request.uri().query().unwrap_or_default();
    match backend {
        Backend::S3 => {
            is_put && request.headers().contains_key("x-amz-copy-source")
                || request.method() == Method::POST && query.contains("uploadId=")
        }
        Backend::Gcs => is_put && request.headers().contains_key("x-goog-copy-source"),
        Backend::Azure => is_put && query.contains("comp=blocklist"),
    }
}

/// Notes what the store answered; an answer that says "send it again" becomes an error that does.
async fn listen(
    call: &Call,
    response: HttpResponse,
    secrets: &[String],
) -> Result<HttpResponse, HttpError> {
    let (parts, body) = response.into_parts();
    let request_id = request_id(&parts.headers);
    let status = Some(parts.status.as_u16());
    if !parts.status.is_client_error() && !parts.status.is_server_error() {
        call.answered(Answer { status, request_id, ..Answer::default() });
        return Ok(HttpResponse::from_parts(parts, body));
    }
    let body = body.bytes().await?;
    let text = secrets.iter().fold(String::from_utf8_lossy(&body).into_owned(), |text, secret| {
        text.replace(secret.as_str(), "***")
    });
    let code = parts.headers.get("x-ms-error-code").and_then(|code| code.to_str().ok());
    let code = code.map(str::to_owned).or_else(|| element(&text, "Code"));
    let answer = Answer {
        status,
        message: element(&text, "Message"),
        request_id: request_id.or_else(|| element(&text, "RequestId")),
        code,
    };
    let again = answer.code.as_deref().is_some_and(|code| SENT_BADLY.contains(&code));
    call.answered(answer);
    if again {
        return Err(HttpError::new(HttpErrorKind::Request, std::io::Error::other("sent badly")));
    }
    Ok(HttpResponse::from_parts(parts, HttpResponseBody::from(text)))
}

/// What proves to the store who asks: no message repeats it, though some stores do.
fn secrets_of(request: &HttpRequest) -> Vec<String> {
    let headers = SECRET_HEADERS.iter().filter_map(|name| request.headers().get(*name));
    let headers = headers.filter_map(|value| value.to_str().ok());
    let query = request.uri().query().unwrap_or_default().split('&');
    let signatures = query.filter_map(|pair| pair.strip_prefix("sig="));
    let words = headers.flat_map(|value| value.split([' ', ','])).chain(signatures);
    words.filter(|word| word.len() >= SHORTEST_SECRET).map(str::to_owned).collect()
}

/// Notes why no answer came, and says whether `object_store` is to send the request again.
fn lost(call: &Call, error: HttpError, is_metadata: bool) -> HttpError {
    let reason = deepest(&error);
    call.answered(Answer { message: Some(reason), ..Answer::default() });
    match error.kind() {
        _ if is_metadata => {
            call.finds_no_credentials();
            HttpError::new(HttpErrorKind::Unknown, error)
        }
        HttpErrorKind::Timeout | HttpErrorKind::Interrupted if call.repeats => {
            HttpError::new(HttpErrorKind::Request, error)
        }
        _ => error,
    }
}

/// The innermost reason, which names no URL.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    let text = error.to_string();
    text.split_once(" (os error").map_or(text.as_str(), |(words, _)| words).to_lowercase()
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    REQUEST_IDS.iter().find_map(|name| headers.get(*name)?.to_str().ok()).map(str::to_owned)
}

/// The text of an element of the small XML that all stores answer with.
fn element(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (content, _) = rest.split_once(&format!("</{name}>"))?;
    let content = content.lines().next().unwrap_or_default().trim();
    (!content.is_empty()).then(|| content.chars().take(300).collect())
}
