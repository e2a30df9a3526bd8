//! Spans as the receiver decoded them, and questions that tests ask about them.

use std::ops::Deref;

use opentelemetry::{Array, Value};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{self as proto, ResourceSpans};

/// A span that has arrived, with what its envelope says of it.
#[derive(Debug, Clone)]
pub struct Span {
    span: proto::Span,
    /// Name of the instrumentation scope.
    pub scope: String,
    /// Attributes of the resource.
    pub resource: Vec<KeyValue>,
}

impl Deref for Span {
    type Target = proto::Span;

    fn deref(&self) -> &proto::Span {
        &self.span
    }
}

impl Span {
    /// The value of an attribute: see [`tag_of`].
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<Value> {
        tag_of(&self.attributes, key)
    }

    /// The status code and its description.
    #[must_use]
    pub fn outcome(&self) -> (StatusCode, &str) {
        match &self.status {
            Some(status) => (status.code(), &status.message),
            None => (StatusCode::Unset, ""),
        }
    }

    /// Whether the span's parent is of another process, as its flags say.
    #[must_use]
    pub fn has_remote_parent(&self) -> bool {
        self.flags & 0x200 != 0
    }

    /// The span id in lower-case hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> String {
        hex(&self.span_id)
    }

    /// The trace id in lower-case hexadecimal digits.
    #[must_use]
    pub fn trace(&self) -> String {
        hex(&self.trace_id)
    }

    /// The parent's id in lower-case hexadecimal digits; empty for a root.
    #[must_use]
    pub fn parent(&self) -> String {
        hex(&self.parent_span_id)
    }
}

/// The value of one of those attributes, of a span, an event or a link. Of a repeated key, which OTLP forbids, none.
#[must_use]
pub fn tag_of(attributes: &[KeyValue], key: &str) -> Option<Value> {
    let mut values = attributes.iter().filter(|attribute| attribute.key == key);
    match (values.next(), values.next()) {
        (Some(only), None) => of_proto(only.value.as_ref()?),
        _ => None,
    }
}

/// Whether `child` is a child of `parent` in the same trace.
#[must_use]
pub fn is_child(child: &Span, parent: &Span) -> bool {
    child.trace_id == parent.trace_id && child.parent_span_id == parent.span_id
}

/// The spans that have arrived.
#[derive(Debug, Clone)]
pub struct Spans(Vec<Span>);

impl Deref for Spans {
    type Target = [Span];

    fn deref(&self) -> &[Span] {
        &self.0
    }
}

impl FromIterator<Span> for Spans {
    fn from_iter<T: IntoIterator<Item = Span>>(spans: T) -> Self {
        Self(spans.into_iter().collect())
    }
}

impl Spans {
    /// The only span of that name.
    ///
    /// # Panics
    ///
    /// If there is none, or more than one.
    #[must_use]
    pub fn named(&self, name: &str) -> &Span {
        self.only(name, |span| span.name == name)
    }

    /// The only span of kind SERVER.
    ///
    /// # Panics
    ///
    /// If there is none, or more than one.
    #[must_use]
    pub fn server(&self) -> &Span {
        self.only("of kind SERVER", |span| span.kind() == SpanKind::Server)
    }

    /// The only span of kind CLIENT.
    ///
    /// # Panics
    ///
    /// If there is none, or more than one.
    #[must_use]
    pub fn client(&self) -> &Span {
        self.only("of kind CLIENT", |span| span.kind() == SpanKind::Client)
    }

    fn only(&self, what: &str, predicate: impl Fn(&Span) -> bool) -> &Span {
        let found: Vec<_> = self.iter().filter(|span| predicate(span)).collect();
        let names: Vec<_> = self.iter().map(|span| &span.name).collect();
        assert_eq!(found.len(), 1, "one span {what:?} among {names:?}");
        found[0]
    }
}

/// The spans in a request's body.
pub(crate) fn flatten(resource_spans: Vec<ResourceSpans>) -> impl Iterator<Item = Span> {
    resource_spans.into_iter().flat_map(|of_resource| {
        let resource = of_resource.resource.unwrap_or_default().attributes;
        of_resource
            .scope_spans
            .into_iter()
            .flat_map(move |of_scope| {
                let scope = of_scope.scope.unwrap_or_default().name;
                let resource = resource.clone();
                of_scope.spans.into_iter().map(move |span| Span {
                    span,
                    scope: scope.clone(),
                    resource: resource.clone(),
                })
            })
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn of_proto(value: &AnyValue) -> Option<Value> {
    Some(match value.value.as_ref()? {
        any_value::Value::StringValue(text) => text.clone().into(),
        any_value::Value::BoolValue(bool) => (*bool).into(),
        any_value::Value::IntValue(int) => (*int).into(),
        any_value::Value::DoubleValue(double) => (*double).into(),
        any_value::Value::ArrayValue(array) => Value::Array(array_of_proto(&array.values)?),
        _ => return None,
    })
}

/// An array takes the type of its first value; values of several types are no array of the API's.
fn array_of_proto(values: &[AnyValue]) -> Option<Array> {
    let values: Vec<Value> = values.iter().map(of_proto).collect::<Option<_>>()?;
    fn all<T>(values: Vec<Value>, of: impl Fn(Value) -> Option<T>) -> Option<Vec<T>> {
        values.into_iter().map(of).collect()
    }
    Some(match values.first() {
        Some(Value::Bool(_)) => Array::Bool(all(values, |value| match value {
            Value::Bool(bool) => Some(bool),
            _ => None,
        })?),
        Some(Value::I64(_)) => Array::I64(all(values, |value| match value {
            Value::I64(int) => Some(int),
            _ => None,
        })?),
        Some(Value::F64(_)) => Array::F64(all(values, |value| match value {
            Value::F64(double) => Some(double),
            _ => None,
        })?),
        _ => Array::String(all(values, |value| match value {
            Value::String(text) => Some(text),
            _ => None,
        })?),
    })
}
