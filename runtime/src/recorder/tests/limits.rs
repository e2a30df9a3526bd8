//! Limits of spans and traces.

use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId, TraceState,
    Tracer as _,
};
use opentelemetry::{Context, KeyValue, StringValue, Value};
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use prost::Message;

use super::{attributes, recorded, recorder};
use crate::config::Limits;

#[test]
fn limits_are_kept_and_what_is_over_them_is_counted() {
    let limits = Limits {
        attributes: 2,
        attribute_value_length: Some(3),
        events: 1,
        links: 1,
        event_attributes: 1,
        link_attributes: 0,
        ..Limits::default()
    };
    let span = recorded(limits, |span| {
        span.set_attribute(KeyValue::new("a", "äöüß"));
        span.set_attribute(KeyValue::new(
            "b",
            Value::Array(vec![StringValue::from("12345"), "x".into()].into()),
        ));
        span.set_attribute(KeyValue::new("c", 1));
        span.set_attribute(KeyValue::new("a", "again"));
        for name in ["first", "second", "third"] {
            span.add_event(name, vec![KeyValue::new("x", 1), KeyValue::new("y", 2)]);
            let to = SpanContext::new(
                TraceId::from(1),
                SpanId::from(1),
                TraceFlags::default(),
                false,
                TraceState::NONE,
            );
            span.add_link(to, vec![KeyValue::new("x", 1)]);
        }
    });
    let attributes = attributes(&span);
    assert_eq!(
        attributes.iter().map(|(key, _)| *key).collect::<Vec<_>>(),
        ["b", "a"]
    );
    assert_eq!(
        attributes[1].1,
        &AnyValue::StringValue("aga".into()),
        "an earlier key may be set again"
    );
    let AnyValue::ArrayValue(array) = attributes[0].1 else {
        panic!("{:?}", attributes[0])
    };
    assert_eq!(
        array.values[0].value,
        Some(AnyValue::StringValue("123".into()))
    );
    assert_eq!(span.dropped_attributes_count, 1);
    assert_eq!((span.events.len(), span.dropped_events_count), (1, 2));
    assert_eq!(
        (
            span.events[0].attributes.len(),
            span.events[0].dropped_attributes_count
        ),
        (1, 1)
    );
    assert_eq!((span.links.len(), span.dropped_links_count), (1, 2));
    assert_eq!(
        (
            span.links[0].attributes.len(),
            span.links[0].dropped_attributes_count
        ),
        (0, 1)
    );
}

#[test]
fn a_trace_takes_no_more_bytes_than_it_may() {
    let limits = Limits {
        bytes_per_trace: 1000,
        ..Limits::default()
    };
    let span = recorded(limits.clone(), |span| {
        span.set_attribute(KeyValue::new("fits", "x".repeat(500)));
        span.set_attribute(KeyValue::new("second", "x".repeat(500)));
        span.set_attribute(KeyValue::new("huge", "x".repeat(5000)));
        span.add_event("x".repeat(600), vec![]);
        span.set_attribute(KeyValue::new("small", 1));
    });
    assert_eq!(
        attributes(&span)
            .iter()
            .map(|(key, _)| *key)
            .collect::<Vec<_>>(),
        ["fits", "small"]
    );
    assert_eq!(
        (span.dropped_attributes_count, span.dropped_events_count),
        (2, 1)
    );

    let span = recorded(limits, |span| {
        for i in 0..100_000 {
            span.set_attribute(KeyValue::new("progress", i));
        }
    });
    assert_eq!(
        attributes(&span),
        [("progress", &AnyValue::IntValue(99_999))]
    );
    assert_eq!(
        span.dropped_attributes_count, 0,
        "a value that is replaced gives its room back"
    );
}

#[test]
fn trace_has_no_more_open_spans_than_it_may() {
    let (tracer, sink) = recorder(Limits {
        spans_per_trace: 3,
        ..Limits::default()
    });
    let root = tracer.start_with_context("root", &Context::new());
    let cx = Context::new().with_span(root);
    let children: Vec<_> = (0..5)
        .map(|_| tracer.start_with_context("child", &cx))
        .collect();
    assert_eq!(
        children.iter().filter(|child| child.is_recording()).count(),
        2
    );
    let trace_id = cx.span().span_context().trace_id();
    assert!(
        children
            .iter()
            .all(|child| child.span_context().trace_id() == trace_id)
    );
    drop(children);
    drop(cx);
    assert_eq!(sink.number(), 3);
    assert_eq!(sink.refused(), 3);
}

#[test]
fn ended_spans_keep_no_span_from_being_recorded() {
    let (tracer, sink) = recorder(Limits {
        spans_per_trace: 4,
        ..Limits::default()
    });
    let root = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
    let open = tracer.start_with_context("open", &root);
    for _ in 0..1_000 {
        assert!(tracer.start_with_context("child", &root).is_recording());
    }
    drop((open, root));
    assert_eq!((sink.number(), sink.refused()), (1_002, 0));
}

#[test]
fn what_a_span_adds_when_it_ends_counts_too() {
    let (tracer, sink) = recorder(Limits {
        bytes_per_trace: 10_000,
        ..Limits::default()
    });
    let root = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
    for _ in 0..100 {
        let mut child = tracer.start_with_context("child", &root);
        child.set_status(Status::error("x".repeat(100_000)));
    }
    drop(root);
    let handed = sink.traces();
    for spans in handed.iter() {
        let bytes: usize = spans.iter().map(Message::encoded_len).sum();
        assert!(bytes < 7_500, "{bytes} bytes wait for the root");
    }
    drop(handed);
    assert_eq!((sink.number(), sink.refused()), (101, 0));
}
