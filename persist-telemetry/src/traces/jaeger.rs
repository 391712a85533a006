//! Spans in Jaeger's thrift, over HTTP.
//!
//! The structures are those of `jaeger.thrift`, numbers and all; `thrift` writes them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{KeyValue, Value};
use opentelemetry_http::Request;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::SpanData;
use thrift::protocol::{
    TBinaryOutputProtocol, TFieldIdentifier, TListIdentifier, TOutputProtocol, TStructIdentifier,
    TType,
};

use crate::client::Client;

/// Sends batches to a collector's `/api/traces`.
#[derive(Debug)]
pub(super) struct Jaeger {
    client: Client,
    url: String,
    service: String,
    tags: Vec<KeyValue>,
}

impl Jaeger {
    pub(super) fn new(url: &str) -> Self {
        let (client, service) = (Client::new(), String::new());
        Self { client, url: url.to_owned(), service, tags: Vec::new() }
    }

    pub(super) fn set_resource(&mut self, resource: &Resource) {
        let all = resource.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        let (names, tags): (Vec<_>, _) = all.partition(|tag| tag.key.as_str() == "service.name");
        self.tags = tags;
        self.service = names.first().map(|name| name.value.to_string()).unwrap_or_default();
    }

    pub(super) fn export(&self, spans: &[SpanData]) -> OTelSdkResult {
        let body = self.batch(spans).map_err(failed)?;
        let request = Request::post(&self.url)
            .header("content-type", "application/vnd.apache.thrift.binary")
            .body(body.into())
            .map_err(failed)?;
        let status = self.client.send(request).map_err(failed)?.status();
        if status.is_success() { Ok(()) } else { Err(failed(format!("the answer is {status}"))) }
    }

    fn batch(&self, spans: &[SpanData]) -> thrift::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.write(&mut Writer(TBinaryOutputProtocol::new(&mut bytes, true)), spans)?;
        Ok(bytes)
    }

    fn write(&self, out: &mut Writer<'_>, spans: &[SpanData]) -> Outcome {
        out.structure("Batch", |out| {
            out.field(1, TType::Struct, |out| {
                out.structure("Process", |out| {
                    out.text(1, &self.service)?;
                    out.tags(2, &self.tags)
                })
            })?;
            out.list(2, spans, Writer::span)
        })?;
        out.0.flush()
    }
}

fn failed(error: impl std::fmt::Display) -> OTelSdkError {
    OTelSdkError::InternalFailure(format!("{error}"))
}

/// Writes the structures of Jaeger.
struct Writer<'a>(TBinaryOutputProtocol<&'a mut Vec<u8>>);

type Outcome = thrift::Result<()>;

impl Writer<'_> {
    fn span(&mut self, span: &SpanData) -> Outcome {
        let trace = span.span_context.trace_id().to_bytes();
        let (high, low) = trace.split_at(8);
        self.structure("Span", |out| {
            out.long(1, number(low))?;
            out.long(2, number(high))?;
            out.long(3, number(&span.span_context.span_id().to_bytes()))?;
            out.long(4, number(&span.parent_span_id.to_bytes()))?;
            out.text(5, &span.name)?;
            out.field(7, TType::I32, |out| {
                out.0.write_i32(i32::from(span.span_context.trace_flags().to_u8()))
            })?;
            out.long(8, microseconds(span.start_time))?;
            let duration = span.end_time.duration_since(span.start_time).unwrap_or_default();
            out.long(9, whole(duration))?;
            out.tags(10, &tags_of(span))
        })
    }

    fn tag(&mut self, tag: &KeyValue) -> Outcome {
        self.structure("Tag", |out| {
            out.text(1, tag.key.as_str())?;
            match &tag.value {
                Value::F64(value) => {
                    out.kind(1)?;
                    out.field(4, TType::Double, |out| out.0.write_double(*value))
                }
                Value::Bool(value) => {
                    out.kind(2)?;
                    out.field(5, TType::Bool, |out| out.0.write_bool(*value))
                }
                Value::I64(value) => {
                    out.kind(3)?;
                    out.long(6, *value)
                }
                other => {
                    out.kind(0)?;
                    out.text(3, &other.as_str())
                }
            }
        })
    }

    fn kind(&mut self, kind: i32) -> Outcome {
        self.field(2, TType::I32, |out| out.0.write_i32(kind))
    }

    fn tags(&mut self, id: i16, tags: &[KeyValue]) -> Outcome {
        self.list(id, tags, Writer::tag)
    }

    fn long(&mut self, id: i16, value: i64) -> Outcome {
        self.field(id, TType::I64, |out| out.0.write_i64(value))
    }

    fn text(&mut self, id: i16, text: &str) -> Outcome {
        self.field(id, TType::String, |out| out.0.write_string(text))
    }

    fn list<T>(
        &mut self,
        id: i16,
        items: &[T],
        write: impl Fn(&mut Self, &T) -> Outcome,
    ) -> Outcome {
        self.field(id, TType::List, |out| {
            let count = i32::try_from(items.len()).unwrap_or(i32::MAX);
            out.0.write_list_begin(&TListIdentifier::new(TType::Struct, count))?;
            items.iter().try_for_each(|item| write(out, item))?;
            out.0.write_list_end()
        })
    }

    fn field(&mut self, id: i16, kind: TType, write: impl FnOnce(&mut Self) -> Outcome) -> Outcome {
        self.0.write_field_begin(&TFieldIdentifier::new("", kind, id))?;
        write(self)?;
        self.0.write_field_end()
    }

    fn structure(&mut self, name: &str, write: impl FnOnce(&mut Self) -> Outcome) -> Outcome {
        self.0.write_struct_begin(&TStructIdentifier::new(name))?;
        write(self)?;
        self.0.write_field_stop()?;
        self.0.write_struct_end()
    }
}

/// The attributes, and what Jaeger keeps in tags: kind, scope and status.
fn tags_of(span: &SpanData) -> Vec<KeyValue> {
    let mut tags = span.attributes.clone();
    tags.push(KeyValue::new("otel.scope.name", span.instrumentation_scope.name().to_owned()));
    if span.span_kind != SpanKind::Internal {
        tags.push(KeyValue::new("span.kind", format!("{:?}", span.span_kind).to_lowercase()));
    }
    if let Status::Error { description } = &span.status {
        tags.push(KeyValue::new("error", true));
        tags.push(KeyValue::new("otel.status_code", "ERROR"));
        tags.push(KeyValue::new("otel.status_description", description.to_string()));
    }
    tags
}

/// Eight bytes as Jaeger's signed number.
fn number(bytes: &[u8]) -> i64 {
    bytes.try_into().map(i64::from_be_bytes).unwrap_or_default()
}

fn microseconds(time: SystemTime) -> i64 {
    whole(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn whole(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
