//! The HTTP client of the exporters.

use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use ureq::Agent;

use crate::Variables;
use crate::variables::OTLP_TIMEOUT;

/// A server that does not answer is given up after this time, unless the environment names another.
const TIMEOUT: Duration = Duration::from_secs(10);

static ASKED: OnceLock<Duration> = OnceLock::new();

/// A server that takes no connection is given up after this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Takes what the variables ask for.
pub(crate) fn configure(variables: &Variables) {
    if let Some(timeout) = variables.get(OTLP_TIMEOUT).and_then(|text| text.parse().ok()) {
        let _ = ASKED.set(Duration::from_millis(timeout));
    }
}

/// A client that blocks the thread that exports, and no other.
#[derive(Debug, Clone)]
pub(crate) struct Client(Agent);

impl Client {
    pub(crate) fn new() -> Self {
        let timeout = ASKED.get().copied().unwrap_or(TIMEOUT);
        let config = Agent::config_builder()
            .timeout_global(Some(timeout))
            .timeout_connect(Some(CONNECT_TIMEOUT.min(timeout)))
            .http_status_as_error(false);
        Self(config.build().into())
    }

    /// Sends a request and returns the answer.
    pub(crate) fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ureq::Error> {
        let (parts, body) = request.into_parts();
        let answer = self.0.run(Request::from_parts(parts, body.as_ref()))?;
        let (parts, mut body) = answer.into_parts();
        Ok(Response::from_parts(parts, body.read_to_vec()?.into()))
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        Ok(self.send(request)?)
    }
}
