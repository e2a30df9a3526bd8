//! Batches as the export thread would decode them.

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{
        ResourceSpans, ScopeSpans, Span, Status,
        span::{Event, SpanKind},
        status::StatusCode,
    },
};

const TRACE: [u8; 16] = 0x4bf92f3577b34da6a3ce929d0e0e4736_u128.to_be_bytes();
/// 13:45:24.123 on some day, in nanoseconds since the Unix epoch.
pub(super) const START: u64 = 1_780_062_324_123_000_000;
pub(super) const MICROS: u64 = 1_000;
/// `SpanFlags`: whether the parent is remote is known, and it is.
pub(super) const REMOTE_PARENT: u32 = 0x300;

/// A span of [`TRACE`], `start` and `end` in microseconds after [`START`]. Id 0 stands for none.
pub(super) fn span(name: &str, id: u64, parent: u64, start: u64, end: u64) -> Span {
    let id_bytes = |id: u64| {
        if id == 0 {
            Vec::new()
        } else {
            id.to_be_bytes().to_vec()
        }
    };
    Span {
        trace_id: TRACE.to_vec(),
        span_id: id_bytes(id),
        parent_span_id: id_bytes(parent),
        name: name.to_owned(),
        kind: SpanKind::Internal.into(),
        start_time_unix_nano: START + start * MICROS,
        end_time_unix_nano: START + end * MICROS,
        ..Span::default()
    }
}

pub(super) fn tag(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

pub(super) fn text(key: &str, value: &str) -> KeyValue {
    tag(key, Value::StringValue(value.to_owned()))
}

pub(super) fn int(key: &str, value: i64) -> KeyValue {
    tag(key, Value::IntValue(value))
}

pub(super) fn failed(message: &str) -> Option<Status> {
    Some(Status {
        message: message.to_owned(),
        code: StatusCode::Error.into(),
    })
}

pub(super) fn recorded_by(service: &str, spans: Vec<Span>) -> ResourceSpans {
    ResourceSpans {
        resource: Some(Resource {
            attributes: vec![text("service.name", service)],
            ..Resource::default()
        }),
        scope_spans: vec![ScopeSpans {
            spans,
            ..ScopeSpans::default()
        }],
        ..ResourceSpans::default()
    }
}

/// An order that two services work on, and whose payment is declined.
pub(super) fn order() -> [ResourceSpans; 2] {
    let storefront = vec![
        Span {
            kind: SpanKind::Server.into(),
            attributes: vec![
                text("http.request.method", "POST"),
                text("http.route", "/orders/{id}"),
                text("url.path", "/orders/42"),
                text("url.scheme", "http"),
                text("user_agent.original", "curl/8"),
                text("code.function.name", "shop::create"),
                int("order.id", 42),
                tag("order.amount", Value::DoubleValue(99.5)),
                text("payment.method", "card"),
                int("http.response.status_code", 402),
            ],
            ..span("POST /orders/{id}", 1, 0, 0, 12_400)
        },
        Span {
            status: failed("insufficient funds"),
            attributes: vec![
                text("error.type", "PaymentDeclined"),
                text("payment.decline_code", "51"),
            ],
            events: vec![Event {
                time_unix_nano: START + 11_900 * MICROS,
                name: "retry".to_owned(),
                attributes: vec![int("attempt", 2)],
                ..Event::default()
            }],
            ..span("charge", 5, 1, 9_500, 12_000)
        },
        Span {
            kind: SpanKind::Client.into(),
            attributes: vec![
                text("http.request.method", "POST"),
                text("url.full", "http://127.0.0.1:8081/stock/A-1/reserve"),
                int("http.response.status_code", 200),
            ],
            ..span("POST", 2, 1, 900, 9_000)
        },
    ];
    let inventory = vec![
        Span {
            kind: SpanKind::Server.into(),
            flags: REMOTE_PARENT,
            attributes: vec![
                text("http.route", "/stock/{sku}/reserve"),
                text("stock.sku", "A-1"),
                int("stock.left", 7),
                int("http.response.status_code", 200),
            ],
            ..span("POST /stock/{sku}/reserve", 3, 2, 2_000, 8_100)
        },
        Span {
            kind: SpanKind::Client.into(),
            attributes: vec![
                text("db.system.name", "sqlite"),
                text(
                    "db.query.text",
                    "UPDATE stock SET left = left - ?1 WHERE sku = ?2 AND left >= ?1",
                ),
            ],
            ..span("UPDATE stock", 4, 3, 2_300, 7_900)
        },
    ];
    [
        recorded_by("storefront", storefront),
        recorded_by("inventory", inventory),
    ]
}
