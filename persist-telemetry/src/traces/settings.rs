//! What the variables say of traces.

use std::time::Duration;

use opentelemetry_sdk::trace::Sampler;

use super::exporter::{Exporter, Reporting};
use crate::Variables;
use crate::protocol::Protocol;
use crate::variables::{
    BSP_DELAY, JAEGER_ENDPOINT, OTLP_ENDPOINT, OTLP_TRACES_ENDPOINT, OTLP_TRACES_PROTOCOL,
    SAMPLE_RATE, SDK_DISABLED, TRACES_EXPORTER, TRACING_ENABLED,
};

/// Where spans go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// By OTLP over HTTP, to this URL, or to where the `OTEL_` variables say.
    Http(Option<String>),
    /// By OTLP over gRPC, to where the `OTEL_` variables say.
    Grpc,
    /// By Jaeger's thrift over HTTP.
    Jaeger(String),
}

impl Target {
    /// What sends spans there; a failure is logged.
    pub(super) fn exporter(&self) -> Option<Reporting> {
        let made = match self {
            Self::Http(url) => Exporter::http(url.as_deref()),
            Self::Grpc => Exporter::grpc(),
            Self::Jaeger(url) => Ok(Exporter::jaeger(url)),
        };
        made.map(Reporting::new)
            .inspect_err(|error| tracing::warn!("traces are not exported: {error}"))
            .ok()
    }
}

#[derive(Debug, Default)]
pub(super) struct Settings {
    /// `None` when this process exports no spans.
    pub(super) target: Option<Target>,
    /// Whether no spans are wanted, not even in a trace of the application.
    pub(super) is_off: bool,
    /// How long spans wait for others.
    pub(super) delay: Option<Duration>,
    rate: Option<f64>,
}

impl Settings {
    /// Reads the variables; returns what is wrong with them as well.
    pub(super) fn read(variables: &Variables) -> (Self, Vec<String>) {
        let mut complaints = Vec::new();
        let is_off = variables.switch(SDK_DISABLED) == Some(true)
            || variables.switch(TRACING_ENABLED) == Some(false);
        let rate = variables.get(SAMPLE_RATE).and_then(|text| {
            let rate = text.parse().ok().filter(|rate| (0.0..=1.0).contains(rate));
            if rate.is_none() {
                complaints.push(format!("{SAMPLE_RATE} is no number from 0 to 1: all is traced"));
            }
            rate
        });
        let is_exported = !is_off && !variables.is(TRACES_EXPORTER, "none");
        let target = is_exported.then(|| target(variables)).and_then(|found| {
            found.unwrap_or_else(|complaint| {
                complaints.push(complaint);
                None
            })
        });
        let delay = variables.get(BSP_DELAY).and_then(|text| text.parse().ok());
        let delay = delay.map(Duration::from_millis);
        (Self { target, is_off, delay, rate }, complaints)
    }

    /// The sampler that is asked for by Persist's own variable; else the `OTEL_` ones say.
    pub(super) fn sampler(&self) -> Option<Sampler> {
        let root = Sampler::TraceIdRatioBased(self.rate?);
        Some(Sampler::ParentBased(Box::new(root)))
    }
}

fn target(variables: &Variables) -> Result<Option<Target>, String> {
    if let Some(url) = variables.get(JAEGER_ENDPOINT) {
        let path = url.split(['?', '#']).next().unwrap_or(url).trim_end_matches('/');
        return if path.ends_with("/api/traces") {
            Ok(Some(Target::Jaeger(url.to_owned())))
        } else if path.ends_with("/v1/traces") {
            Ok(Some(Target::Http(Some(url.to_owned()))))
        } else {
            Err(format!(
                "traces are not exported: {JAEGER_ENDPOINT} ends in neither /api/traces nor /v1/traces"
            ))
        };
    }
    let has_endpoint = [OTLP_TRACES_ENDPOINT, OTLP_ENDPOINT].iter();
    let is_asked = variables.switch(TRACING_ENABLED) == Some(true)
        || has_endpoint.map(|name| variables.get(name)).any(|url| url.is_some());
    if !is_asked {
        return Ok(None);
    }
    match Protocol::read(variables, OTLP_TRACES_PROTOCOL) {
        Ok(Protocol::Http) => Ok(Some(Target::Http(None))),
        Ok(Protocol::Grpc) => Ok(Some(Target::Grpc)),
        Err(complaint) => Err(format!("traces are not exported: {complaint}")),
    }
}
