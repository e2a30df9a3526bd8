//! Spans that libraries make through the OpenTelemetry API: they land in the right trace, as the API's rules have it.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_web::{App, get, web};
use behaviour::{Instance, Service, is_child, tag_of};
use biztrace::otel::Tracer;
use biztrace::{traced, traced_handler};
use opentelemetry::trace::{
    FutureExt, Link, Span, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags,
    TraceId, TraceState, Tracer as _,
};
use opentelemetry::{Context, KeyValue, StringValue, Value};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

#[traced]
fn ours() {}

#[actix_web::test]
async fn attributes_of_every_type_arrive_as_such() {
    let values: [(&'static str, Value); 9] = [
        ("bool", true.into()),
        ("int", i64::MIN.into()),
        ("float", 0.1.into()),
        ("text", "grüße".into()),
        ("empty", "".into()),
        ("bools", Value::Array(vec![true, false].into())),
        ("ints", Value::Array(vec![1, -1].into())),
        ("floats", Value::Array(vec![0.5].into())),
        (
            "texts",
            Value::Array(vec![StringValue::from("a"), "b".into()].into()),
        ),
    ];
    let instance = Instance::default();
    let mut span = instance.tracer().start("span");
    for (key, value) in values.clone() {
        span.set_attribute(KeyValue::new(key, value));
    }
    span.end();
    let spans = instance.spans(1).await;
    for (key, value) in values {
        assert_eq!(spans[0].tag(key), Some(value), "{key}");
    }
}

#[actix_web::test]
async fn of_a_repeated_key_the_last_value_counts() {
    let instance = Instance::default();
    let builder = instance
        .tracer()
        .span_builder("span")
        .with_attributes([KeyValue::new("key", 1), KeyValue::new("key", 2)]);
    let mut span = instance.tracer().build(builder);
    span.set_attributes([
        KeyValue::new("key", 3),
        KeyValue::new("other", 0),
        KeyValue::new("key", "four"),
    ]);
    span.end();
    let spans = instance.spans(1).await;
    assert_eq!(spans[0].tag("key"), Some("four".into()));
    assert_eq!(
        (spans[0].tag("other"), spans[0].dropped_attributes_count),
        (Some(0.into()), 0)
    );
}

fn context(trace: u128, span: u64, is_remote: bool) -> SpanContext {
    let state = TraceState::from_key_value([("vendor", "x")]).unwrap_or_default();
    SpanContext::new(
        TraceId::from(trace),
        SpanId::from(span),
        TraceFlags::SAMPLED,
        is_remote,
        state,
    )
}

#[actix_web::test]
async fn a_builder_gives_a_span_all_that_it_has() {
    let start = UNIX_EPOCH + Duration::from_secs(1_000_000);
    let at = |seconds| start + Duration::from_secs(seconds);
    let instance = Instance::default();
    let tracer = instance.tracer();
    let link = Link::new(
        context(2, 3, true),
        vec![KeyValue::new("reason", "batch")],
        0,
    );
    let mut builder = tracer
        .span_builder("built")
        .with_kind(SpanKind::Consumer)
        .with_start_time(start);
    builder = builder.with_links(vec![link]);
    let mut span = tracer.build(builder);
    span.add_event_with_timestamp("paused", at(1), vec![KeyValue::new("for", 5)]);
    span.add_link(context(4, 5, false), Vec::new());
    span.update_name("renamed");
    span.end_with_timestamp(at(2));
    span.set_attribute(KeyValue::new("late", true));
    span.update_name("too late");
    span.end();

    let spans = instance.spans(1).await;
    let span = spans.named("renamed");
    assert_eq!(
        (span.kind, span.scope.as_str(), span.tag("late")),
        (5, "library", None)
    );
    assert_eq!(
        span.end_time_unix_nano - span.start_time_unix_nano,
        2_000_000_000
    );
    let event = &span.events[0];
    assert_eq!(
        (&*event.name, tag_of(&event.attributes, "for")),
        ("paused", Some(5.into()))
    );
    assert_eq!(
        event.time_unix_nano - span.start_time_unix_nano,
        1_000_000_000
    );
    let links: Vec<_> = span
        .links
        .iter()
        .map(|link| (link.trace_id[15], link.span_id[7], link.flags))
        .collect();
    assert_eq!(links, [(2, 3, 0x301), (4, 5, 0x101)]);
    assert_eq!(
        tag_of(&span.links[0].attributes, "reason"),
        Some("batch".into())
    );
    assert_eq!(span.links[0].trace_state, "vendor=x");
}

#[actix_web::test]
async fn a_status_ok_is_final_and_unset_changes_nothing() {
    let error = |text: &'static str| Status::Error {
        description: Cow::Borrowed(text),
    };
    let cases = [
        (vec![], (StatusCode::Unset, "")),
        (vec![error("bad")], (StatusCode::Error, "bad")),
        (
            vec![error("bad"), error("worse")],
            (StatusCode::Error, "worse"),
        ),
        (
            vec![error("bad"), Status::Unset],
            (StatusCode::Error, "bad"),
        ),
        (vec![error("bad"), Status::Ok], (StatusCode::Ok, "")),
        (vec![Status::Ok, error("bad")], (StatusCode::Ok, "")),
        (vec![Status::Ok, Status::Unset], (StatusCode::Ok, "")),
    ];
    for (statuses, expected) in cases {
        let instance = Instance::default();
        let mut span = instance.tracer().start("span");
        statuses
            .iter()
            .cloned()
            .for_each(|status| span.set_status(status));
        span.end();
        assert_eq!(
            instance.spans(1).await[0].outcome(),
            expected,
            "{statuses:?}"
        );
    }
}

#[actix_web::test]
async fn an_error_that_is_recorded_is_an_event() {
    let instance = Instance::default();
    let mut span = instance.tracer().start("span");
    span.record_error(&std::io::Error::other("disk full"));
    span.end();
    let spans = instance.spans(1).await;
    let event = &spans[0].events[0];
    assert_eq!(event.name, "exception");
    assert_eq!(
        tag_of(&event.attributes, "exception.message"),
        Some("disk full".into())
    );
    assert_eq!(
        spans[0].outcome(),
        (StatusCode::Unset, ""),
        "that it failed is for the application to say"
    );
}

#[get("/library")]
#[traced_handler]
async fn library(tracer: web::Data<Tracer>) -> &'static str {
    tracer.in_span("their span", |cx| {
        cx.span().set_attribute(KeyValue::new("theirs", true));
        ours();
    });
    let span = Context::map_current(|cx| cx.span().span_context().clone());
    Context::current()
        .span()
        .set_attribute(KeyValue::new("span.id", span.span_id().to_string()));
    Context::current().span().add_event("asked", Vec::new());
    "done"
}

#[actix_web::test]
async fn libraries_and_annotated_functions_nest_in_either_order() {
    let instance = Instance::default();
    let tracer = instance.tracer();
    let service = Service::recording_to(instance, move |tracing| {
        App::new()
            .wrap(tracing)
            .app_data(web::Data::new(tracer.clone()))
            .service(library)
    });
    service.get("/library").await;
    let spans = service.spans(3).await;
    let (server, theirs, ours) = (
        spans.server(),
        spans.named("their span"),
        spans.named("ours"),
    );
    assert!(is_child(theirs, server) && is_child(ours, theirs));
    assert_eq!(
        [&*server.scope, &*theirs.scope, &*ours.scope],
        ["biztrace", "library", "biztrace"]
    );
    assert_eq!(
        (theirs.tag("theirs"), server.tag("theirs")),
        (Some(true.into()), None)
    );
    let id = server.id();
    assert_eq!(
        server.tag("span.id"),
        Some(id.into()),
        "the request's span is current in its handler"
    );
    assert_eq!(server.events[0].name, "asked");
}

#[actix_web::test]
async fn a_span_may_end_on_another_thread() {
    let instance = Instance::default();
    let tracer = instance.tracer();
    instance
        .under_root(async {
            let mut span = tracer.start("moved");
            let join = std::thread::spawn(move || {
                span.set_attribute(KeyValue::new("there", true));
                span.end();
            });
            join.join().unwrap();
        })
        .await;
    let spans = instance.spans(2).await;
    assert!(is_child(spans.named("moved"), spans.named("root")));
    assert_eq!(spans.named("moved").tag("there"), Some(true.into()));
}

#[actix_web::test]
async fn a_child_that_outlives_its_root_lands_in_its_trace() {
    let instance = Instance::default();
    let mut late = instance
        .under_root(async { instance.tracer().start("late") })
        .await;
    late.set_attribute(KeyValue::new("after.root", true));
    let grandchild = {
        let cx = Context::new().with_span(late);
        let grandchild = instance.tracer().start_with_context("later", &cx);
        cx.span().end();
        grandchild
    };
    drop(grandchild);
    let spans = instance.spans(3).await;
    let (root, late) = (spans.named("root"), spans.named("late"));
    assert!(is_child(late, root) && is_child(spans.named("later"), late));
    assert_eq!(late.tag("after.root"), Some(true.into()));
    assert!(late.end_time_unix_nano >= root.end_time_unix_nano);
}

#[actix_web::test]
async fn a_child_that_starts_after_its_trace_has_left_lands_in_it_too() {
    let instance = Instance::new(|settings| settings.schedule_delay(Duration::from_millis(20)));
    let cx = instance.under_root(async { Context::current() }).await;
    behaviour::eventually("the root's delivery", || {
        instance.telemetry.report().delivered == 1
    })
    .await;
    async { ours() }.with_context(cx).await;
    let spans = instance.spans(2).await;
    assert!(is_child(spans.named("ours"), spans.named("root")));
}

#[actix_web::test]
async fn a_handle_of_an_ended_span_reaches_no_other() {
    let instance = Instance::default();
    let ended = instance
        .under_root(async {
            let ended = Context::current_with_span(instance.tracer().start("ended"));
            ended.span().end();
            let _open = instance.tracer().start("takes its place");
            ended.span().set_attribute(KeyValue::new("late", true));
            ended.span().end();
            ended
        })
        .await;
    let mut other_trace = instance.tracer().start("another trace");
    ended.span().set_attribute(KeyValue::new("late", true));
    other_trace.end();
    let spans = instance.spans(4).await;
    assert!(spans.iter().all(|span| span.tag("late").is_none()));
    assert!(!ended.span().is_recording());
}

#[actix_web::test]
async fn spans_of_one_trace_keep_their_order_in_time() {
    let instance = Instance::default();
    instance
        .under_root(async {
            for _ in 0..20 {
                ours();
            }
        })
        .await;
    let spans = instance.spans(21).await;
    let root = spans.named("root");
    let mut last = root.start_time_unix_nano;
    for span in spans.iter().filter(|span| span.name == "ours") {
        assert!(
            last <= span.start_time_unix_nano
                && span.start_time_unix_nano <= span.end_time_unix_nano
        );
        last = span.end_time_unix_nano;
    }
    assert!(last <= root.end_time_unix_nano);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    assert!(now.abs_diff(Duration::from_nanos(last)) < Duration::from_secs(60));
}

#[actix_web::test]
async fn suppressed_telemetry_records_nothing() {
    let instance = Instance::default();
    instance
        .under_root(async {
            let _suppressed = Context::enter_telemetry_suppressed_scope();
            assert!(!instance.tracer().start("suppressed").is_recording());
            ours();
        })
        .await;
    assert_eq!(instance.spans(1).await[0].name, "root");
}

#[actix_web::test]
async fn a_span_of_another_implementation_is_a_parent_like_any_other() {
    let instance = Instance::default();
    for is_remote in [true, false] {
        let foreign = Context::new().with_remote_span_context(context(6, 7, is_remote));
        instance
            .tracer()
            .start_with_context(if is_remote { "remote" } else { "local" }, &foreign)
            .end();
    }
    let spans = instance.spans(2).await;
    for (name, is_remote) in [("remote", true), ("local", false)] {
        let span = spans.named(name);
        assert_eq!(
            (span.parent(), span.trace_state.as_str()),
            (format!("{:016x}", 7), "vendor=x")
        );
        assert_eq!(
            (span.trace(), span.has_remote_parent()),
            (format!("{:032x}", 6), is_remote)
        );
    }
}
