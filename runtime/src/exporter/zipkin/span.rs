//! Spans as Zipkin has them (OpenTelemetry specification, "OpenTelemetry to Zipkin Transformation" and "Mapping to non-OTLP
//! Formats").

use std::collections::BTreeMap;
use std::net::IpAddr;

use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{self as proto, ResourceSpans};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::hex;

#[cfg(test)]
mod tests;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ZipkinSpan<'a> {
    trace_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    parent_id: String,
    id: String,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    /// In microseconds, as all times.
    timestamp: u64,
    duration: u64,
    local_endpoint: ZipkinEndpoint,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_endpoint: Option<ZipkinEndpoint>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Annotation>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<&'a str, String>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct ZipkinEndpoint {
    #[serde(skip_serializing_if = "Option::is_none")]
    service_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv4: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv6: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
}

#[derive(Debug, Serialize)]
struct Annotation {
    timestamp: u64,
    value: String,
}

const SERVICE_NAME: &str = "service.name";

/// All spans of a request.
pub(super) fn all(resources: &[ResourceSpans]) -> Vec<ZipkinSpan<'_>> {
    let mut spans = Vec::new();
    for resource_spans in resources {
        let resource = resource_spans
            .resource
            .as_ref()
            .map_or(&[][..], |resource| &resource.attributes);
        for scope_spans in &resource_spans.scope_spans {
            let scope = scope_spans.scope.as_ref();
            let of_scope = scope_spans.spans.iter();
            spans.extend(of_scope.map(|span| ZipkinSpan::new(span, resource, scope)));
        }
    }
    spans
}

impl<'a> ZipkinSpan<'a> {
    fn new(
        span: &'a proto::Span,
        resource: &'a [KeyValue],
        scope: Option<&'a InstrumentationScope>,
    ) -> Self {
        let kind = match span.kind() {
            SpanKind::Client => Some("CLIENT"),
            SpanKind::Server => Some("SERVER"),
            SpanKind::Producer => Some("PRODUCER"),
            SpanKind::Consumer => Some("CONSUMER"),
            SpanKind::Internal | SpanKind::Unspecified => None,
        };
        let has_remote = matches!(span.kind(), SpanKind::Client | SpanKind::Producer);
        let nanoseconds = span
            .end_time_unix_nano
            .saturating_sub(span.start_time_unix_nano);
        Self {
            trace_id: hex::encode(&span.trace_id),
            parent_id: hex::encode(&span.parent_span_id),
            id: hex::encode(&span.span_id),
            name: &span.name,
            kind,
            timestamp: microseconds(span.start_time_unix_nano),
            // To Zipkin, none at all is one that is not known.
            duration: microseconds(nanoseconds).max(1),
            local_endpoint: ZipkinEndpoint {
                service_name: find(resource, SERVICE_NAME),
                ..ZipkinEndpoint::default()
            },
            remote_endpoint: has_remote.then(|| remote(&span.attributes)).flatten(),
            annotations: span.events.iter().map(annotation).collect(),
            tags: tags(span, resource, scope),
        }
    }
}

/// The attributes of the span, and what else of it has no field of its own. The span's own value of a key takes
/// precedence, and what the specification names over that.
fn tags<'a>(
    span: &'a proto::Span,
    resource: &'a [KeyValue],
    scope: Option<&'a InstrumentationScope>,
) -> BTreeMap<&'a str, String> {
    let of_resource = resource.iter().filter(|it| it.key != SERVICE_NAME);
    let attributes = of_resource.chain(&span.attributes);
    let mut tags: BTreeMap<_, _> = attributes
        .filter_map(|it| Some((it.key.as_str(), text(it.value.as_ref()?))))
        .collect();
    if let Some(scope) = scope {
        for (key, value) in [
            ("otel.scope.name", &scope.name),
            ("otel.scope.version", &scope.version),
        ] {
            if !value.is_empty() {
                tags.insert(key, value.clone());
            }
        }
    }
    for (key, count) in [
        (
            "otel.dropped_attributes_count",
            span.dropped_attributes_count,
        ),
        ("otel.dropped_events_count", span.dropped_events_count),
        ("otel.dropped_links_count", span.dropped_links_count),
    ] {
        if count > 0 {
            tags.insert(key, count.to_string());
        }
    }
    // Zipkin takes each span that has this tag for a failed one, whatever its value: it is the status that says so.
    tags.remove("error");
    let status = span.status.as_ref();
    match status.map_or(StatusCode::Unset, proto::Status::code) {
        StatusCode::Ok => {
            tags.insert("otel.status_code", "OK".into());
        }
        StatusCode::Error => {
            tags.insert("otel.status_code", "ERROR".into());
            let description = status.map(|status| status.message.clone());
            tags.insert("error", description.unwrap_or_default());
        }
        StatusCode::Unset => {}
    }
    tags
}

/// What a span may call the other side by, with what tells its port: the first that it has is it.
const REMOTE: [(&str, &str); 11] = [
    ("peer.service", ""),
    ("server.address", "server.port"),
    ("net.peer.name", "net.peer.port"),
    ("network.peer.address", "network.peer.port"),
    ("server.socket.domain", "server.socket.port"),
    ("server.socket.address", "server.socket.port"),
    ("net.sock.peer.name", "net.sock.peer.port"),
    ("net.sock.peer.addr", "net.sock.peer.port"),
    ("peer.hostname", ""),
    ("peer.address", ""),
    ("db.name", ""),
];

/// The other side of a span that calls it.
fn remote(attributes: &[KeyValue]) -> Option<ZipkinEndpoint> {
    let mut names = REMOTE.into_iter();
    let (name, port) = names.find_map(|(key, port)| Some((find(attributes, key)?, port)))?;
    let mut endpoint = ZipkinEndpoint {
        port: find(attributes, port).and_then(|port| port.parse().ok()),
        ..ZipkinEndpoint::default()
    };
    match name.parse() {
        Ok(IpAddr::V4(_)) => endpoint.ipv4 = Some(name),
        Ok(IpAddr::V6(_)) => endpoint.ipv6 = Some(name),
        Err(_) => endpoint.service_name = Some(name),
    }
    Some(endpoint)
}

/// An event by its name, with its attributes behind it, which Zipkin has no place for.
fn annotation(event: &Event) -> Annotation {
    let attributes: Map<_, _> = event
        .attributes
        .iter()
        .filter_map(|it| Some((it.key.clone(), json_value(it.value.as_ref()?))))
        .collect();
    let value = if attributes.is_empty() {
        event.name.clone()
    } else {
        format!(
            "{}: {}",
            Value::from(event.name.as_str()),
            Value::from(attributes)
        )
    };
    Annotation {
        timestamp: microseconds(event.time_unix_nano),
        value,
    }
}

fn find(attributes: &[KeyValue], key: &str) -> Option<String> {
    let attribute = attributes.iter().find(|it| it.key == key)?;
    Some(text(attribute.value.as_ref()?))
}

/// A value as Zipkin has all of them.
fn text(value: &AnyValue) -> String {
    match json_value(value) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// JSON has no numbers for infinities and NaN.
fn json_value(value: &AnyValue) -> Value {
    use any_value::Value as Any;

    match &value.value {
        Some(Any::StringValue(text)) => json!(text),
        Some(Any::BoolValue(bool)) => json!(bool),
        Some(Any::IntValue(int)) => json!(int),
        Some(Any::DoubleValue(double)) if double.is_finite() => json!(double),
        Some(Any::DoubleValue(double)) => json!(double.to_string()),
        Some(Any::ArrayValue(array)) => array.values.iter().map(json_value).collect(),
        // Nothing writes any of the others.
        _ => Value::Null,
    }
}

fn microseconds(nanoseconds: u64) -> u64 {
    nanoseconds / 1000
}
