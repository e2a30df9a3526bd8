//! What a span says, decoded with prost.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{
    Link, Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt,
    TraceFlags, TraceId, TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Array, Context, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use proptest::prelude::*;
use prost::Message;

use super::super::exception::Exception;
use super::super::{Mode, Recorder, TracerProvider, current};
use super::doubles::Received;
use super::{attributes, recorded, recorder};
use crate::config::{ExceptionSignal, Limits};

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        prop::collection::vec(any::<bool>(), 0..5).prop_map(|v| Value::Array(Array::Bool(v))),
        prop::collection::vec(any::<i64>(), 0..5).prop_map(|v| Value::Array(Array::I64(v))),
        prop::collection::vec(any::<f64>(), 0..5).prop_map(|v| Value::Array(Array::F64(v))),
        prop::collection::vec(".*", 0..5).prop_map(|v| Value::Array(Array::String(
            v.into_iter().map(StringValue::from).collect()
        ))),
    ]
}

/// The value as OpenTelemetry's own encoder has it, as bytes so that NaN equals itself.
fn oracle(value: &Value) -> Vec<u8> {
    opentelemetry_proto::tonic::common::v1::AnyValue::from(value.clone()).encode_to_vec()
}

proptest! {
    /// Few keys, so that most are set again and dead bytes are squeezed out on the way.
    #[test]
    fn any_key_and_value_round_trips_and_the_last_value_wins(
        sets in prop::collection::vec(("[a-c]{1,2}|.{0,40}", any_value()), 0..60),
        long in prop::collection::vec(("[a-b]", "x{900,1100}"), 0..20),
    ) {
        let long = long.into_iter().map(|(key, value)| (key, Value::from(value)));
        let sets: Vec<_> = sets.into_iter().chain(long).collect();
        let span = recorded(Limits::default(), |span| {
            for (key, value) in &sets {
                span.set_attribute(KeyValue::new(key.clone(), value.clone()));
            }
        });
        let mut expected: Vec<(String, Vec<u8>)> = Vec::new();
        for (key, value) in &sets {
            expected.retain(|(other, _)| other != key);
            expected.push((key.clone(), oracle(value)));
        }
        let got: Vec<_> = span.attributes.iter()
            .map(|attribute| (attribute.key.clone(), attribute.value.clone().unwrap_or_default().encode_to_vec()))
            .collect();
        prop_assert_eq!(got, expected);
        prop_assert_eq!(span.dropped_attributes_count, 0);
    }
}

#[test]
fn a_span_carries_what_its_builder_was_given() {
    let (tracer, sink) = recorder(Limits::default());
    let linked = SpanContext::new(
        TraceId::from(7),
        SpanId::from(8),
        TraceFlags::SAMPLED,
        true,
        TraceState::from_key_value([("a", "b")]).unwrap(),
    );
    let start = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000);
    let mut builder = SpanBuilder::from_name("send")
        .with_kind(SpanKind::Producer)
        .with_start_time(start)
        .with_attributes([KeyValue::new("a", 1)])
        .with_links(vec![Link::new(linked, vec![KeyValue::new("l", true)], 3)]);
    builder.events = Some(vec![opentelemetry::trace::Event::new(
        "e",
        start,
        vec![KeyValue::new("n", 1.5)],
        2,
    )]);
    tracer
        .build_with_context(builder, &Context::new())
        .end_with_timestamp(start + Duration::from_nanos(5));

    let span = &sink.traces()[0][0];
    assert_eq!((span.name.as_str(), span.kind), ("send", 4));
    assert_eq!(span.start_time_unix_nano, 1_000_000_000_000_000);
    assert_eq!(span.end_time_unix_nano, 1_000_000_000_000_005);
    assert_eq!(
        attributes(span).last().unwrap(),
        &("a", &AnyValue::IntValue(1))
    );
    let event = &span.events[0];
    assert_eq!(
        (event.name.as_str(), event.time_unix_nano),
        ("e", span.start_time_unix_nano)
    );
    assert_eq!(
        (event.attributes.len(), event.dropped_attributes_count),
        (1, 2)
    );
    let link = &span.links[0];
    assert_eq!(link.trace_id, TraceId::from(7).to_bytes());
    assert_eq!(link.span_id, SpanId::from(8).to_bytes());
    assert_eq!(
        (
            link.trace_state.as_str(),
            link.flags,
            link.dropped_attributes_count
        ),
        ("a=b", 0x301, 3)
    );
    assert_eq!((span.flags, span.parent_span_id.len()), (0x103, 0));
}

#[test]
fn the_last_status_counts_but_ok_is_final() {
    let code = |statuses: &[Status]| {
        let span = recorded(Limits::default(), |span| {
            statuses
                .iter()
                .for_each(|status| span.set_status(status.clone()))
        });
        let status = span.status.unwrap();
        (status.code, status.message)
    };
    let error = Status::error;
    assert_eq!(code(&[]), (0, String::new()));
    assert_eq!(code(&[error("a"), error("b")]), (2, "b".into()));
    assert_eq!(code(&[error("a"), Status::Unset]), (2, "a".into()));
    assert_eq!(
        code(&[error("a"), Status::Ok, error("b")]),
        (1, String::new())
    );
}

#[test]
fn spans_keep_their_instrumentation_scopes() {
    let (tracer, sink) = recorder(Limits::default());
    let scope = InstrumentationScope::builder("db")
        .with_version("1")
        .with_schema_url("https://example.com/1")
        .build();
    let other = TracerProvider::new(Arc::clone(&tracer.recorder)).tracer_with_scope(scope);
    let cx = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
    for _ in 0..2 {
        drop(other.start_with_context("query", &cx));
    }
    drop(cx);
    let run = |scope: &str, url: &str, spans| (scope.to_owned(), url.to_owned(), spans);
    let expected = [run("db", "https://example.com/1", 2), run("test", "", 1)];
    assert_eq!(sink.runs(), expected);
}

#[test]
fn long_message_of_an_error_is_cut() {
    #[derive(Debug)]
    struct Long;
    impl std::fmt::Display for Long {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            (0..400_000).try_for_each(|_| f.write_str("né ü"))
        }
    }
    impl std::error::Error for Long {}

    let (tracer, sink) = recorder(Limits::default());
    let cx = Context::new().with_span(tracer.start("fails"));
    {
        let _entered = cx.clone().attach();
        current().record_error(&Long);
    }
    drop(cx);
    let handed = sink.traces();
    let event = &handed[0][0].events[0];
    let message = event
        .attributes
        .iter()
        .find(|it| it.key == "exception.message");
    assert!(message.is_some() && event.encoded_len() > 900_000);
}

#[test]
fn error_is_an_event_only_if_the_settings_have_it_however_the_span_ends() {
    for (signal, events) in [
        (ExceptionSignal::SpanEvents, 1),
        (ExceptionSignal::Logs, 0),
        (ExceptionSignal::Both, 1),
    ] {
        for has_timestamp in [false, true] {
            let sink = Arc::new(Received::default());
            let mut recorder =
                Recorder::for_tests(Mode::Record, Limits::default(), Arc::clone(&sink) as _);
            recorder.exceptions = signal;
            let mut span = TracerProvider::new(Arc::new(recorder))
                .tracer("test")
                .start("fails");
            let local = span.local.as_ref().unwrap();
            let redaction = local.recorder().redaction();
            local.set_exception(Exception::new(
                Some("Declined"),
                "no funds".to_owned(),
                redaction,
            ));
            if has_timestamp {
                span.end_with_timestamp(SystemTime::now());
            } else {
                span.end();
            }
            let number = sink.spans()[0].events.len();
            assert_eq!(number, events, "{signal}, {has_timestamp}");
        }
    }
}

#[test]
fn many_replaced_attributes_take_no_time_squared() {
    let limits = Limits {
        attributes: 100_000,
        ..Limits::default()
    };
    let span = recorded(limits, |span| {
        for round in 0..2 {
            let number = |key: i64| KeyValue::new(format!("k{key}"), key + round);
            span.set_attributes((0..10_000).map(number));
        }
    });
    assert_eq!(span.attributes.len(), 10_000);
}
