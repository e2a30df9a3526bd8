//! What is over a limit is left out and counted, in the span's dropped fields or in the books.

use std::time::Duration;

use actix_web::{App, web};
use behaviour::{Instance, Service, Span as Arrived, Spans, tag_of};
use biztrace::otel::Tracer;
use biztrace::report::DropReason;
use biztrace::settings::Limits;
use biztrace::testing::Capture;
use biztrace::value::Encoder;
use biztrace::{BizAttrs, Tags, Value as Encode, tag, traced};
use opentelemetry::trace::{
    Span, SpanContext, SpanId, TraceFlags, TraceId, TraceState, Tracer as _,
};
use opentelemetry::{Array, KeyValue, StringValue, Value};

fn limited(change: impl FnOnce(&mut Limits)) -> Instance {
    let mut limits = Limits::default();
    change(&mut limits);
    Instance::new(|settings| settings.limits(move |it| it.clone_from(&limits)))
}

/// The span that `record` makes within those limits.
async fn recorded(
    change: impl FnOnce(&mut Limits),
    record: impl FnOnce(&mut biztrace::otel::Span),
) -> Arrived {
    let instance = limited(change);
    let mut span = instance.tracer().start("span");
    record(&mut span);
    span.end();
    let spans: Spans = instance.spans(1).await;
    spans.named("span").clone()
}

fn numbered(numbers: std::ops::Range<i64>) -> Vec<KeyValue> {
    numbers
        .map(|number| KeyValue::new(format!("key.{number}"), number))
        .collect()
}

fn texts_of(texts: [&'static str; 3]) -> Value {
    Value::Array(Array::String(texts.map(StringValue::from).to_vec()))
}

fn linked() -> SpanContext {
    SpanContext::new(
        TraceId::from(1),
        SpanId::from(1),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    )
}

#[actix_web::test]
async fn attributes_over_the_limit_are_counted_kept_ones_change() {
    let span = recorded(
        |limits| limits.attributes = 5,
        |span| {
            span.set_attributes(numbered(0..10));
            span.set_attribute(KeyValue::new("key.0", "changed"));
        },
    )
    .await;
    assert_eq!(
        (span.attributes.len(), span.tag("key.0")),
        (5, Some("changed".into()))
    );
    assert_eq!(span.dropped_attributes_count, 10 - 5);
}

#[actix_web::test]
async fn values_are_cut_at_characters() {
    let texts = ["grüße", "日本語テキスト", "🦀🦀🦀🦀🦀", "ab", ""];
    let span = recorded(
        |limits| limits.attribute_value_length = Some(4),
        |span| {
            for text in texts {
                span.set_attribute(KeyValue::new(format!("text.{}", text.len()), text));
            }
            span.set_attribute(KeyValue::new(
                "array",
                texts_of(["12345", "🦀🦀🦀🦀🦀", "1"]),
            ));
            span.set_attribute(KeyValue::new("number", 123_456));
            span.add_event("event", vec![KeyValue::new("text", "12345")]);
            span.add_link(linked(), vec![KeyValue::new("text", "12345")]);
        },
    )
    .await;
    for text in texts {
        let cut: String = text.chars().take(4).collect();
        assert_eq!(span.tag(&format!("text.{}", text.len())), Some(cut.into()));
    }
    assert_eq!(span.tag("array"), Some(texts_of(["1234", "🦀🦀🦀🦀", "1"])));
    assert_eq!(span.tag("number"), Some(123_456.into()));
    assert_eq!(
        tag_of(&span.events[0].attributes, "text"),
        Some("1234".into())
    );
    assert_eq!(
        tag_of(&span.links[0].attributes, "text"),
        Some("1234".into())
    );
    assert_eq!(
        span.dropped_attributes_count, 0,
        "a value that is cut is not dropped"
    );
}

#[actix_web::test]
async fn events_and_links_over_the_limit_are_counted() {
    let span = recorded(
        |limits| (limits.events, limits.links) = (3, 2),
        |span| {
            for event in ["1", "2", "3", "4", "5"] {
                span.add_event(event, Vec::new());
                span.add_link(linked(), Vec::new());
            }
        },
    )
    .await;
    let names: Vec<_> = span
        .events
        .iter()
        .map(|event| event.name.as_str())
        .collect();
    assert_eq!((names, span.dropped_events_count), (vec!["1", "2", "3"], 2));
    assert_eq!((span.links.len(), span.dropped_links_count), (2, 3));
}

#[actix_web::test]
async fn attributes_of_events_and_links_have_limits_of_their_own() {
    let span = recorded(
        |limits| (limits.event_attributes, limits.link_attributes) = (3, 0),
        |span| {
            span.add_event("event", numbered(0..10));
            span.add_link(linked(), numbered(0..10));
        },
    )
    .await;
    let (event, link) = (&span.events[0], &span.links[0]);
    assert_eq!(
        (event.attributes.len(), event.dropped_attributes_count),
        (3, 7)
    );
    assert_eq!(
        (link.attributes.len(), link.dropped_attributes_count),
        (0, 10)
    );
}

#[traced]
fn step() {}

fn stepping(instance: Instance) -> Service {
    Service::recording_to(instance, |tracing| {
        App::new().wrap(tracing).route(
            "/",
            web::get().to(|| async {
                for _ in 0..10 {
                    step();
                }
                "done"
            }),
        )
    })
}

#[actix_web::test]
async fn ended_spans_do_not_count_against_a_traces_limit() {
    let service = stepping(limited(|limits| limits.spans_per_trace = 4));
    for _ in 0..3 {
        assert_eq!(service.get("/").await, (200, "done".into()));
    }
    let report = service.instance.report_of(33).await;
    assert_eq!((report.delivered, report.dropped.total()), (33, 0));
    let spans = service.instance.receiver.spans();
    assert_eq!(spans.iter().filter(|span| span.name == "GET /").count(), 3);
}

#[actix_web::test]
async fn a_span_over_the_limit_hands_its_trace_on_unsampled() {
    let instance = limited(|limits| limits.spans_per_trace = 1);
    let tracer: Tracer = instance.tracer();
    let (refused, root) = instance
        .under_root(async {
            let root = opentelemetry::Context::map_current(|cx| {
                opentelemetry::trace::TraceContextExt::span(cx)
                    .span_context()
                    .clone()
            });
            (tracer.start("refused"), root)
        })
        .await;
    assert!(!refused.is_recording());
    let context = refused.span_context();
    assert_eq!(
        (context.trace_id(), context.is_sampled()),
        (root.trace_id(), false)
    );
    let report = instance.report_of(2).await;
    assert_eq!(
        (report.delivered, report.dropped.get(DropReason::TraceLimit)),
        (1, 1)
    );
}

#[actix_web::test]
async fn bytes_over_a_traces_limit_are_counted_in_its_spans() {
    let long = "x".repeat(400);
    let span = recorded(
        |limits| limits.bytes_per_trace = 1000,
        |span| {
            for number in 0..5 {
                span.set_attribute(KeyValue::new(format!("key.{number}"), long.clone()));
            }
            span.add_event("event", vec![KeyValue::new("text", long.clone())]);
            span.add_link(linked(), vec![KeyValue::new("text", long.clone())]);
            span.set_attribute(KeyValue::new("short", 1));
        },
    )
    .await;
    assert_eq!(span.dropped_attributes_count, 3);
    assert_eq!(
        (span.dropped_events_count, span.dropped_links_count),
        (1, 1)
    );
    assert_eq!(
        span.tag("short"),
        Some(1.into()),
        "what fits is taken still"
    );
    assert_eq!(span.name, "span");
}

#[actix_web::test]
async fn ended_spans_do_not_count_against_a_traces_bytes() {
    let instance = limited(|limits| limits.bytes_per_trace = 64 * 1024);
    let tracer = instance.tracer();
    instance
        .under_root(async {
            for _ in 0..20 {
                let mut span = tracer.start("child");
                span.set_attribute(KeyValue::new("text", "y".repeat(10_000)));
                span.end();
            }
        })
        .await;
    let spans = instance.spans(21).await;
    let kept = spans
        .iter()
        .filter(|span| span.tag("text").is_some())
        .count();
    let dropped: u32 = spans.iter().map(|span| span.dropped_attributes_count).sum();
    assert_eq!((kept, dropped), (20, 0));
}

#[actix_web::test]
async fn a_message_over_the_receivers_limit_is_split() {
    let instance = Instance::new(|settings| settings.schedule_delay(Duration::from_secs(60)));
    for _ in 0..12 {
        let mut span = instance.tracer().start("large");
        span.set_attribute(KeyValue::new("text", "z".repeat(1_000_000)));
        span.end();
    }
    instance.spans(12).await;
    assert!(
        instance.receiver.received().len() >= 3,
        "OTLP's receivers take 4 MiB"
    );
}

#[test]
fn arrays_that_nest_too_deeply_are_left_out() {
    struct Nested(u8);

    impl Encode for Nested {
        fn encode(&self, encoder: Encoder<'_>) {
            encoder.array(|array| match self.0 {
                0 => array.push("end"),
                depth => array.push(&Nested(depth - 1)),
            });
        }
    }

    #[traced]
    fn nests() {
        tag!(
            order.deep = Nested(60),
            order.shallow = Nested(3),
            order.id = 7
        );
    }

    let capture = Capture::new();
    capture.scope_sync(nests);
    let span = capture.span("nests");
    span.assert_tag("order.id", 7);
    assert_eq!(span.tag("order.deep"), None);
}

#[test]
fn endless_set_is_cut_at_the_attribute_limit() {
    struct Endless;

    impl BizAttrs for Endless {
        fn record(&self, tags: &mut Tags) {
            for number in 0..100_000 {
                tags.set(&format!("order.label.{number}"), "a label");
            }
        }
    }

    #[traced]
    fn labels() {
        tag!(..Endless);
    }

    let capture = Capture::new();
    capture.scope_sync(labels);
    let span = capture.span("labels");
    let span = span.data();
    let recorded = span.attributes.len() as u32;
    assert!(recorded <= 128, "{recorded}");
    assert!(span.dropped_attributes_count >= 100_000 - recorded);
}
