//! The environment variables that Persist reads for its logs, traces and metrics.

use std::collections::BTreeMap;

/// A variable, as the page of the documentation shows it.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What is taken where it is not set.
    pub default: &'static str,
    /// What it means, in one sentence.
    pub meaning: &'static str,
}

/// Declares each variable once: a constant with its name, and its line in [`ALL`].
macro_rules! variables {
    ($($constant:ident $name:literal $default:literal $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $constant: &str = $name;)*

        /// Every variable there is.
        pub const ALL: &[Variable] = &[$(Variable {
            name: $constant,
            default: $default,
            meaning: $meaning,
        }),*];
    };
}

variables! {
    RUST_LOG "RUST_LOG" "none: Python's `logging`"
        "What is logged to stderr, as `persist_core=info` or `persist_core::storage=debug,warn`.";
    LOG_FORMAT "PERSIST_LOG_FORMAT" "`text`"
        "How it is logged to stderr: `text`, or `json`, one object a line; alone, it means `RUST_LOG=info`.";
    TRACING_ENABLED "PERSIST_TRACING_ENABLED" "on when an endpoint is set"
        "`true` or `false`: whether spans are recorded.";
    JAEGER_ENDPOINT "PERSIST_JAEGER_ENDPOINT" "none"
        "Where spans go: a URL that ends in `/api/traces` takes Jaeger's thrift, in `/v1/traces` OTLP.";
    SAMPLE_RATE "PERSIST_TRACE_SAMPLE_RATE" "`1.0`"
        "The share of new traces that is recorded, from 0 to 1; a trace that goes on is recorded as it began.";
    OTLP_ENDPOINT "OTEL_EXPORTER_OTLP_ENDPOINT" "`http://localhost:4318`; by gRPC `http://localhost:4317`"
        "Where traces and metrics go by OTLP; for HTTP, `/v1/traces` and `/v1/metrics` are appended.";
    OTLP_TRACES_ENDPOINT "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" "none"
        "Where traces go, taken as it stands.";
    OTLP_METRICS_ENDPOINT "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT" "none"
        "Where metrics go, taken as it stands.";
    OTLP_PROTOCOL "OTEL_EXPORTER_OTLP_PROTOCOL" "`http/protobuf`"
        "The protocol: `http/protobuf` or `grpc`.";
    OTLP_TRACES_PROTOCOL "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL" "that of all"
        "The protocol of traces alone.";
    OTLP_METRICS_PROTOCOL "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL" "that of all"
        "The protocol of metrics alone.";
    OTLP_HEADERS "OTEL_EXPORTER_OTLP_HEADERS" "none"
        "Headers of each request, as `name=value,name=value`; never logged.";
    OTLP_TRACES_HEADERS "OTEL_EXPORTER_OTLP_TRACES_HEADERS" "those of all"
        "Headers of requests with traces.";
    OTLP_METRICS_HEADERS "OTEL_EXPORTER_OTLP_METRICS_HEADERS" "those of all"
        "Headers of requests with metrics.";
    OTLP_TIMEOUT "OTEL_EXPORTER_OTLP_TIMEOUT" "`10000`"
        "Milliseconds until an export is given up.";
    OTLP_COMPRESSION "OTEL_EXPORTER_OTLP_COMPRESSION" "none"
        "`gzip`, or none.";
    TRACES_EXPORTER "OTEL_TRACES_EXPORTER" "`otlp`"
        "`otlp`, or `none`: no spans are exported.";
    METRICS_ENABLED "PERSIST_METRICS_ENABLED" "`false`"
        "`true`: metrics are counted, and `/metrics`, `/healthz` and `/readyz` are served.";
    METRICS_EXPORTER "OTEL_METRICS_EXPORTER" "`otlp` when metrics are on and an endpoint is set"
        "`otlp`: metrics are counted and pushed; `none`: they are not pushed.";
    METRIC_INTERVAL "OTEL_METRIC_EXPORT_INTERVAL" "`60000`"
        "Milliseconds between two pushes of metrics.";
    SERVICE_NAME "OTEL_SERVICE_NAME" "`persist`"
        "The name of the service in traces and metrics.";
    RESOURCE_ATTRIBUTES "OTEL_RESOURCE_ATTRIBUTES" "none"
        "What else is said of the service, as `name=value,name=value`.";
    TRACES_SAMPLER "OTEL_TRACES_SAMPLER" "`parentbased_always_on`"
        "Which traces are recorded: one of OpenTelemetry's samplers.";
    TRACES_SAMPLER_ARG "OTEL_TRACES_SAMPLER_ARG" "`1.0`"
        "The share of traces, for the samplers by ratio.";
    BSP_DELAY "OTEL_BSP_SCHEDULE_DELAY" "`5000`"
        "Milliseconds between two exports of spans.";
    TRACEPARENT "TRACEPARENT" "none"
        "The trace that the `persist` command goes on in, as W3C's `traceparent`.";
    SDK_DISABLED "OTEL_SDK_DISABLED" "`false`"
        "`true`: no spans are recorded and no metrics are pushed.";
}

/// The variables of a process, as its front door read them.
#[derive(Debug, Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// What a variable holds; one that is empty is not set.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// Whether a variable says yes or no; `None` when it says nothing.
    pub(crate) fn switch(&self, name: &str) -> Option<bool> {
        let value = self.get(name)?.to_ascii_lowercase();
        Some(matches!(value.as_str(), "1" | "true" | "yes" | "on"))
    }

    pub(crate) fn is(&self, name: &str, value: &str) -> bool {
        self.get(name).is_some_and(|found| found.eq_ignore_ascii_case(value))
    }
}

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}
