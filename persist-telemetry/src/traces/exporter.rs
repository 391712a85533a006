//! What sends spans away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_otlp::{WithExportConfig, WithHttpConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::runtime::Runtime;
use tracing::warn;

use super::jaeger::Jaeger;
use crate::client::Client;
use crate::protocol;

/// The protocols.
#[derive(Debug)]
pub(super) enum Exporter {
    Http(Box<opentelemetry_otlp::SpanExporter>),
    Grpc {
        exporter: Box<opentelemetry_otlp::SpanExporter>,
        /// What moves the bytes.
        _runtime: Runtime,
    },
    Jaeger(Jaeger),
}

/// Why there is no exporter, in words.
type Made<T> = Result<T, Box<dyn std::error::Error>>;

impl Exporter {
    pub(super) fn http(url: Option<&str>) -> Made<Self> {
        let builder = opentelemetry_otlp::SpanExporter::builder().with_http();
        let builder = builder.with_http_client(Client::new());
        let exporter = match url {
            Some(url) => builder.with_endpoint(url).build(),
            None => builder.build(),
        };
        Ok(Self::Http(Box::new(exporter?)))
    }

    pub(super) fn grpc() -> Made<Self> {
        let runtime = protocol::runtime()?;
        let builder = opentelemetry_otlp::SpanExporter::builder().with_tonic();
        let inside = runtime.enter();
        let exporter = builder.with_tls_config(protocol::tls()).build()?;
        drop(inside);
        Ok(Self::Grpc { exporter: Box::new(exporter), _runtime: runtime })
    }

    pub(super) fn jaeger(url: &str) -> Self {
        Self::Jaeger(Jaeger::new(url))
    }
}

/// An exporter whose first failure is logged; those that follow it are not.
#[derive(Debug)]
pub(super) struct Reporting {
    inner: Exporter,
    is_reported: AtomicBool,
}

impl Reporting {
    pub(super) fn new(inner: Exporter) -> Self {
        Self { inner, is_reported: AtomicBool::new(false) }
    }
}

impl SpanExporter for Reporting {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let result = match &self.inner {
            Exporter::Http(exporter) | Exporter::Grpc { exporter, .. } => {
                exporter.export(batch).await
            }
            Exporter::Jaeger(exporter) => exporter.export(&batch),
        };
        if let Err(error) = &result
            && !self.is_reported.swap(true, Ordering::Relaxed)
        {
            let reason = error.to_string();
            warn!(reason, "traces could not be exported; later failures are not told");
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        match &self.inner {
            Exporter::Http(exporter) | Exporter::Grpc { exporter, .. } => {
                exporter.shutdown_with_timeout(timeout)
            }
            Exporter::Jaeger(_) => Ok(()),
        }
    }

    fn set_resource(&mut self, resource: &Resource) {
        match &mut self.inner {
            Exporter::Http(exporter) | Exporter::Grpc { exporter, .. } => {
                exporter.set_resource(resource);
            }
            Exporter::Jaeger(exporter) => exporter.set_resource(resource),
        }
    }
}
