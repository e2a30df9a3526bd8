use opentelemetry_proto::tonic::common::v1::ArrayValue;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ScopeSpans, Status};

use super::*;

fn any(value: any_value::Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn string(text: &str) -> any_value::Value {
    any_value::Value::StringValue(text.into())
}

fn attribute(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(any(value)),
        ..KeyValue::default()
    }
}

fn json_of(span: proto::Span) -> Value {
    let resources = [ResourceSpans {
        resource: Some(Resource {
            attributes: vec![
                attribute("service.name", string("orders")),
                attribute("service.version", string("1.2.0")),
            ],
            ..Resource::default()
        }),
        scope_spans: vec![ScopeSpans {
            scope: Some(InstrumentationScope {
                name: "biztrace".into(),
                ..InstrumentationScope::default()
            }),
            spans: vec![span],
            ..ScopeSpans::default()
        }],
        ..ResourceSpans::default()
    }];
    serde_json::to_value(all(&resources)).unwrap()[0].take()
}

#[test]
fn a_span_is_translated_as_the_specification_says() {
    use any_value::Value::{ArrayValue as Array, BoolValue, DoubleValue, IntValue};

    let span = proto::Span {
        trace_id: vec![0xab; 16],
        span_id: vec![0x01; 8],
        parent_span_id: vec![0x02; 8],
        name: "POST /orders".into(),
        kind: SpanKind::Server as i32,
        start_time_unix_nano: 1_000_001_999,
        end_time_unix_nano: 1_000_003_233,
        attributes: vec![
            attribute("order.id", IntValue(7)),
            attribute("order.amount", DoubleValue(12.5)),
            attribute("order.ratio", DoubleValue(f64::NAN)),
            attribute("order.paid", BoolValue(true)),
            attribute(
                "order.skus",
                Array(ArrayValue {
                    values: vec![any(string("a")), any(IntValue(2))],
                }),
            ),
            attribute("error", BoolValue(false)),
        ],
        dropped_attributes_count: 3,
        events: vec![
            Event {
                time_unix_nano: 1_000_002_000,
                name: "paid".into(),
                ..Event::default()
            },
            Event {
                time_unix_nano: 1_000_003_000,
                name: "retry".into(),
                attributes: vec![attribute("attempt", IntValue(2))],
                ..Event::default()
            },
        ],
        ..proto::Span::default()
    };
    assert_eq!(
        json_of(span),
        json!({
            "traceId": "abababababababababababababababab",
            "parentId": "0202020202020202",
            "id": "0101010101010101",
            "name": "POST /orders",
            "kind": "SERVER",
            "timestamp": 1_000_001,
            "duration": 1,
            "localEndpoint": { "serviceName": "orders" },
            "annotations": [
                { "timestamp": 1_000_002, "value": "paid" },
                { "timestamp": 1_000_003, "value": "\"retry\": {\"attempt\":2}" },
            ],
            "tags": {
                "order.id": "7",
                "order.amount": "12.5",
                "order.ratio": "NaN",
                "order.paid": "true",
                "order.skus": "[\"a\",2]",
                "otel.dropped_attributes_count": "3",
                "otel.scope.name": "biztrace",
                "service.version": "1.2.0",
            },
        })
    );
}

#[test]
fn what_a_span_does_not_have_is_left_out() {
    let span = proto::Span {
        kind: SpanKind::Internal as i32,
        start_time_unix_nano: 5_000,
        end_time_unix_nano: 5_100,
        ..proto::Span::default()
    };
    let span = json_of(span);
    for field in ["parentId", "kind", "remoteEndpoint", "annotations"] {
        assert!(span.get(field).is_none(), "{field}: {span}");
    }
    assert_eq!(span["duration"], 1, "none at all is unknown to Zipkin");
}

#[test]
fn an_error_has_its_tag_and_a_description_if_there_is_one() {
    for (code, message, tags) in [
        (StatusCode::Unset, "", (None, None)),
        (StatusCode::Ok, "", (Some("OK"), None)),
        (StatusCode::Error, "", (Some("ERROR"), Some(""))),
        (
            StatusCode::Error,
            "no stock",
            (Some("ERROR"), Some("no stock")),
        ),
        (StatusCode::Error, "false", (Some("ERROR"), Some("false"))),
    ] {
        for attributes in [vec![], vec![attribute("error", string("timeout"))]] {
            let span = json_of(proto::Span {
                status: Some(Status {
                    code: code as i32,
                    message: message.into(),
                }),
                attributes,
                ..proto::Span::default()
            });
            let tag = |key: &str| span["tags"].get(key).and_then(Value::as_str);
            assert_eq!((tag("otel.status_code"), tag("error")), tags);
        }
    }
}

#[test]
fn a_call_names_the_other_side_by_the_best_that_it_has() {
    let remote = |kind: SpanKind, attributes| {
        let span = proto::Span {
            kind: kind as i32,
            attributes,
            ..proto::Span::default()
        };
        json_of(span).get("remoteEndpoint").cloned()
    };
    let port = any_value::Value::IntValue(8080);
    let peer = || attribute("network.peer.address", string("10.0.0.7"));
    assert_eq!(
        remote(
            SpanKind::Client,
            vec![peer(), attribute("network.peer.port", port.clone())]
        ),
        Some(json!({ "ipv4": "10.0.0.7", "port": 8080 }))
    );
    let socket = attribute("server.socket.address", string("10.0.0.8"));
    assert_eq!(
        remote(
            SpanKind::Client,
            vec![socket, attribute("server.socket.port", port.clone())]
        ),
        Some(json!({ "ipv4": "10.0.0.8", "port": 8080 }))
    );
    let address = attribute("server.address", string("stock"));
    let attributes = vec![peer(), attribute("server.port", port), address];
    assert_eq!(
        remote(SpanKind::Producer, attributes.clone()),
        Some(json!({ "serviceName": "stock", "port": 8080 }))
    );
    assert_eq!(
        remote(
            SpanKind::Client,
            vec![attribute("server.address", string("::1"))]
        ),
        Some(json!({ "ipv6": "::1" }))
    );
    assert_eq!(remote(SpanKind::Client, Vec::new()), None);
    assert_eq!(remote(SpanKind::Server, attributes), None);
}
