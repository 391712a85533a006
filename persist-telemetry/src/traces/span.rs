//! Spans that the host begins and ends.

use std::sync::{Mutex, PoisonError};

use opentelemetry::trace::{Span as _, SpanBuilder, Status, Tracer};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::Span as SdkSpan;

pub use opentelemetry::Value;

use super::{Parent, tracer};

/// A span that goes on; it ends when it is dropped at the latest.
#[derive(Debug)]
pub struct Span(Mutex<SdkSpan>);

impl Span {
    /// Begins a span below a parent, or a new trace.
    pub fn begin(
        name: impl Into<std::borrow::Cow<'static, str>>,
        attributes: impl IntoIterator<Item = (String, Value)>,
        parent: Option<Parent>,
    ) -> Self {
        let attributes = attributes.into_iter().map(|(name, value)| KeyValue::new(name, value));
        let builder = SpanBuilder::from_name(name).with_attributes(attributes);
        let context = parent.map_or_else(Context::new, Parent::context);
        Self(Mutex::new(tracer().build_with_context(builder, &context)))
    }

    /// The ids, for children.
    pub fn parent(&self) -> Parent {
        let span = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let context = span.span_context();
        Parent {
            trace_id: u128::from_be_bytes(context.trace_id().to_bytes()),
            span_id: u64::from_be_bytes(context.span_id().to_bytes()),
            is_sampled: context.is_sampled(),
        }
    }

    /// Adds an attribute.
    pub fn set(&self, name: String, value: Value) {
        let mut span = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        span.set_attribute(KeyValue::new(name, value));
    }

    /// Marks the span as failed.
    pub fn fail(&self, kind: String, message: String) {
        let mut span = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        span.set_attribute(KeyValue::new("error.type", kind));
        span.set_status(Status::error(message));
    }

    /// Ends the span.
    pub fn end(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).end();
    }
}
