//! OTLP's JSON encoding: ids in hex, 64-bit integers as strings, enumerations as integers.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};

use super::body::{decode, to_json};
use crate::pipeline::{Failure, Request};

/// The request in JSON.
pub(super) fn encode(request: &Request) -> Result<Vec<u8>, Failure> {
    let mut resource_spans = decode(request)?;
    resource_spans.iter_mut().for_each(spell_out);
    to_json(&ExportTraceServiceRequest { resource_spans })
}

/// JSON has no numbers for infinities and NaN.
fn spell_out(resource_spans: &mut ResourceSpans) {
    let spans = resource_spans
        .scope_spans
        .iter_mut()
        .flat_map(|scope| &mut scope.spans);
    for span in spans {
        let Span {
            attributes,
            events,
            links,
            ..
        } = span;
        attributes.iter_mut().for_each(attribute);
        let events = events.iter_mut().flat_map(|event| &mut event.attributes);
        events.for_each(attribute);
        let links = links.iter_mut().flat_map(|link| &mut link.attributes);
        links.for_each(attribute);
    }
}

fn attribute(attribute: &mut KeyValue) {
    attribute.value.iter_mut().for_each(value);
}

fn value(any: &mut AnyValue) {
    match &mut any.value {
        Some(Value::DoubleValue(double)) if !double.is_finite() => {
            let text = match *double {
                f64::INFINITY => "Infinity",
                f64::NEG_INFINITY => "-Infinity",
                _ => "NaN",
            };
            any.value = Some(Value::StringValue(text.into()));
        }
        Some(Value::ArrayValue(array)) => array.values.iter_mut().for_each(value),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::{ArrayValue, InstrumentationScope};
    use opentelemetry_proto::tonic::resource::v1::Resource;
    use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
    use opentelemetry_proto::tonic::trace::v1::{ScopeSpans, Status};
    use prost::Message;
    use serde_json::json;

    use super::*;
    use crate::pipeline::SendStarted;

    fn key_value(key: &str, value: Value) -> KeyValue {
        KeyValue {
            key: key.into(),
            value: Some(AnyValue { value: Some(value) }),
            ..KeyValue::default()
        }
    }

    fn array(values: Vec<Value>) -> Value {
        let values = values.into_iter();
        let values = values.map(|value| AnyValue { value: Some(value) });
        Value::ArrayValue(ArrayValue {
            values: values.collect(),
        })
    }

    /// Written from the specification ("JSON Protobuf Encoding"), not from what a library makes of it.
    #[test]
    fn a_request_is_as_the_specification_has_it() {
        let span = Span {
            trace_id: (0xa0..0xb0).collect(),
            span_id: (0xe0..0xe8).collect(),
            parent_span_id: (0xf0..0xf8).collect(),
            trace_state: "ot=th:8".into(),
            flags: 0x301,
            name: "POST /orders".into(),
            kind: 2,
            start_time_unix_nano: 1_544_712_660_000_000_001,
            end_time_unix_nano: u64::MAX,
            attributes: vec![
                key_value("string", Value::StringValue("a\"ü".into())),
                key_value("bool", Value::BoolValue(true)),
                key_value("int", Value::IntValue(i64::MIN)),
                key_value("double", Value::DoubleValue(0.5)),
                key_value("nan", Value::DoubleValue(f64::NAN)),
                key_value("bytes", Value::BytesValue(vec![0xfb, 0xff, 0x01, 0x02])),
                key_value(
                    "array",
                    array(vec![
                        Value::IntValue(i64::MAX),
                        array(vec![Value::DoubleValue(f64::NEG_INFINITY)]),
                    ]),
                ),
            ],
            dropped_attributes_count: 1,
            events: vec![Event {
                time_unix_nano: 7,
                name: "paid".into(),
                attributes: vec![key_value("inf", Value::DoubleValue(f64::INFINITY))],
                dropped_attributes_count: 2,
            }],
            dropped_events_count: 3,
            links: vec![Link {
                trace_id: (0x10..0x20).collect(),
                span_id: (0x20..0x28).collect(),
                trace_state: "a=b".into(),
                attributes: vec![key_value("n", Value::IntValue(1))],
                dropped_attributes_count: 4,
                flags: 0x100,
            }],
            dropped_links_count: 5,
            status: Some(Status {
                message: "declined".into(),
                code: 2,
            }),
        };
        let body = ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(Resource {
                    attributes: vec![key_value("service.name", Value::StringValue("shop".into()))],
                    ..Resource::default()
                }),
                scope_spans: vec![ScopeSpans {
                    scope: Some(InstrumentationScope {
                        name: "biztrace".into(),
                        version: "1".into(),
                        ..InstrumentationScope::default()
                    }),
                    spans: vec![span],
                    schema_url: "https://example.com/1".into(),
                }],
                schema_url: String::new(),
            }],
        }
        .encode_to_vec();
        let request = Request {
            body: body.into(),
            sent: SendStarted::default(),
        };
        let written: serde_json::Value =
            serde_json::from_slice(&encode(&request).unwrap()).unwrap();
        let sent = &written["resourceSpans"][0];
        assert_eq!(
            sent["resource"]["attributes"],
            json!([{"key": "service.name", "value": {"stringValue": "shop"}}])
        );
        let scope = &sent["scopeSpans"][0];
        assert_eq!(
            (&scope["scope"]["name"], &scope["schemaUrl"]),
            (&json!("biztrace"), &json!("https://example.com/1"))
        );
        assert_eq!(
            scope["spans"],
            json!([{
                "traceId": "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
                "spanId": "e0e1e2e3e4e5e6e7",
                "parentSpanId": "f0f1f2f3f4f5f6f7",
                "traceState": "ot=th:8",
                "flags": 0x301,
                "name": "POST /orders",
                "kind": 2,
                "startTimeUnixNano": "1544712660000000001",
                "endTimeUnixNano": "18446744073709551615",
                "attributes": [
                    {"key": "string", "value": {"stringValue": "a\"ü"}},
                    {"key": "bool", "value": {"boolValue": true}},
                    {"key": "int", "value": {"intValue": "-9223372036854775808"}},
                    {"key": "double", "value": {"doubleValue": 0.5}},
                    {"key": "nan", "value": {"stringValue": "NaN"}},
                    {"key": "bytes", "value": {"bytesValue": "+/8BAg=="}},
                    {"key": "array", "value": {"arrayValue": {"values": [
                        {"intValue": "9223372036854775807"},
                        {"arrayValue": {"values": [{"stringValue": "-Infinity"}]}},
                    ]}}},
                ],
                "droppedAttributesCount": 1,
                "events": [{
                    "timeUnixNano": "7",
                    "name": "paid",
                    "attributes": [{"key": "inf", "value": {"stringValue": "Infinity"}}],
                    "droppedAttributesCount": 2,
                }],
                "droppedEventsCount": 3,
                "links": [{
                    "traceId": "101112131415161718191a1b1c1d1e1f",
                    "spanId": "2021222324252627",
                    "traceState": "a=b",
                    "attributes": [{"key": "n", "value": {"intValue": "1"}}],
                    "droppedAttributesCount": 4,
                    "flags": 0x100,
                }],
                "droppedLinksCount": 5,
                "status": {"message": "declined", "code": 2},
            }])
        );
    }
}
