//! A captured span and what a test may want to know of it.

use std::fmt;
use std::time::Duration;

use opentelemetry::Value;
use opentelemetry::trace::{SpanId, SpanKind, Status, TraceId};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span, status::StatusCode};

use crate::attribute::api_value;

/// A span that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct CapturedSpan {
    scope: String,
    span: Span,
}

impl CapturedSpan {
    pub(super) fn all(captured: Vec<ResourceSpans>) -> Vec<Self> {
        let scopes = captured
            .into_iter()
            .flat_map(|resource| resource.scope_spans);
        let spans = scopes.flat_map(|scope_spans| {
            let scope = scope_spans
                .scope
                .map(|scope| scope.name)
                .unwrap_or_default();
            scope_spans.spans.into_iter().map(move |span| Self {
                scope: scope.clone(),
                span,
            })
        });
        let mut spans: Vec<_> = spans.collect();
        spans.sort_by_key(|span| span.span.end_time_unix_nano);
        spans
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.span.name
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> SpanKind {
        match self.span.kind {
            2 => SpanKind::Server,
            3 => SpanKind::Client,
            4 => SpanKind::Producer,
            5 => SpanKind::Consumer,
            _ => SpanKind::Internal,
        }
    }

    /// The name of its instrumentation scope: the library that made it.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// The id of its trace.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.span
            .trace_id
            .as_slice()
            .try_into()
            .map_or(TraceId::INVALID, TraceId::from_bytes)
    }

    /// Its id.
    #[must_use]
    pub fn span_id(&self) -> SpanId {
        span_id(&self.span.span_id)
    }

    /// The id of its parent, if it has one.
    #[must_use]
    pub fn parent_span_id(&self) -> Option<SpanId> {
        (!self.span.parent_span_id.is_empty()).then(|| span_id(&self.span.parent_span_id))
    }

    /// Whether its parent is a span of another process.
    #[must_use]
    pub fn has_remote_parent(&self) -> bool {
        self.span.flags & 0x200 != 0
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> Status {
        let status = self.span.status.clone().unwrap_or_default();
        match status.code() {
            StatusCode::Unset => Status::Unset,
            StatusCode::Ok => Status::Ok,
            StatusCode::Error => Status::error(status.message),
        }
    }

    /// How long it took.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.span.end_time_unix_nano - self.span.start_time_unix_nano)
    }

    /// The value of an attribute.
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<Value> {
        self.span
            .attributes
            .iter()
            .find(|attribute| attribute.key == key)
            .and_then(value)
    }

    /// The names of its events.
    pub fn events(&self) -> impl Iterator<Item = &str> {
        self.span.events.iter().map(|event| event.name.as_str())
    }

    /// The span as OTLP has it.
    #[must_use]
    pub fn as_otlp(&self) -> &Span {
        &self.span
    }

    /// Asserts that an attribute has that value, of that type.
    ///
    /// # Panics
    ///
    /// If it has another value or is not there. The message lists what is.
    #[track_caller]
    pub fn assert_tag(&self, key: &str, expected: impl Into<Value>) -> &Self {
        let expected = expected.into();
        match self.tag(key) {
            Some(value) if value == expected => self,
            Some(value) => panic!("{key} is {value:?}, not {expected:?}, on {self}"),
            None => panic!("there is no {key}, expected {expected:?}, on {self}"),
        }
    }

    /// Asserts that an attribute is absent.
    ///
    /// # Panics
    ///
    /// If it is there.
    #[track_caller]
    pub fn assert_no_tag(&self, key: &str) -> &Self {
        if let Some(value) = self.tag(key) {
            panic!("{key} is {value:?}, but should be absent, on {self}");
        }
        self
    }

    /// Asserts that its status is an error.
    ///
    /// # Panics
    ///
    /// If it is not.
    #[track_caller]
    pub fn assert_error(&self) -> &Self {
        assert!(
            matches!(self.status(), Status::Error { .. }),
            "the status is {:?} on {self}",
            self.status()
        );
        self
    }

    /// Asserts that its status is not an error.
    ///
    /// # Panics
    ///
    /// If it is one.
    #[track_caller]
    pub fn assert_no_error(&self) -> &Self {
        assert!(
            !matches!(self.status(), Status::Error { .. }),
            "the status is {:?} on {self}",
            self.status()
        );
        self
    }

    /// Asserts that it is a child of `parent`, in the same trace.
    ///
    /// # Panics
    ///
    /// If it is not.
    #[track_caller]
    pub fn assert_child_of(&self, parent: &Self) -> &Self {
        let is_child =
            self.trace_id() == parent.trace_id() && self.parent_span_id() == Some(parent.span_id());
        assert!(is_child, "not a child of {parent}: {self}");
        self
    }
}

/// One line: name, ids, status and attributes.
impl fmt::Display for CapturedSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} ({:?}, trace {}, span {}",
            self.name(),
            self.kind(),
            self.trace_id(),
            self.span_id()
        )?;
        if let Some(parent) = self.parent_span_id() {
            write!(f, ", parent {parent}")?;
        }
        write!(f, ", status {:?})", self.status())?;
        for attribute in &self.span.attributes {
            write!(f, " {}={:?}", attribute.key, value(attribute))?;
        }
        Ok(())
    }
}

fn span_id(bytes: &[u8]) -> SpanId {
    bytes.try_into().map_or(SpanId::INVALID, SpanId::from_bytes)
}

fn value(attribute: &KeyValue) -> Option<Value> {
    api_value(attribute.value.as_ref()?)
}
