//! Spans arrive in their traces.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{
    Span as _, SpanKind, TraceContextExt, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span as Otlp;

use super::super::{Current, Mode, Recorder, RunScope, Start, Started, TracerProvider, Waiting};
use super::doubles::{CountedIds, Received, SimulatedClock};
use super::{attributes, end, recorder, recording};
use crate::config::Limits;

#[test]
fn ended_spans_wait_by_the_clock_of_the_recorder() {
    let (sink, clock) = (Arc::<Received>::default(), SimulatedClock::at(UNIX_EPOCH));
    let limits = Limits::default();
    let hold = limits.hold;
    let recorder = Recorder::for_tests(Mode::Record, limits, sink.clone());
    let recorder = recorder
        .with_clock(clock.clone())
        .with_ids(Box::new(CountedIds));
    let recorder = Arc::new(recorder);
    let tracer = TracerProvider::new(Arc::clone(&recorder)).tracer("test");
    clock.pass(Duration::from_secs(1));
    let root = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
    clock.pass(Duration::from_secs(1));
    drop(tracer.start_with_context("child", &root));
    clock.pass(hold - Duration::from_nanos(1));
    recorder.hand_over(Waiting::Overdue, usize::MAX);
    assert_eq!(sink.number(), 0, "it has not waited long enough");
    clock.pass(Duration::from_nanos(1));
    recorder.hand_over(Waiting::Overdue, usize::MAX);
    let child = sink.traces().remove(0).remove(0);
    let second = 1_000_000_000;
    assert_eq!(
        (child.start_time_unix_nano, child.end_time_unix_nano),
        (2 * second, 2 * second)
    );
    let root = root.span().span_context().clone();
    assert_eq!(child.trace_id, root.trace_id().to_bytes());
    assert_eq!(child.parent_span_id, root.span_id().to_bytes());
    assert_ne!(child.span_id, root.span_id().to_bytes());
}

#[test]
fn given_end_times_do_not_hold_a_trace_back() {
    let hold = Duration::ZERO;
    let (tracer, sink) = recorder(Limits {
        hold,
        ..Limits::default()
    });
    let root = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
    // By the clock of a device that is a day ahead.
    let tomorrow = SystemTime::now() + Duration::from_secs(24 * 60 * 60);
    tracer
        .start_with_context("child", &root)
        .end_with_timestamp(tomorrow);
    drop(tracer.start_with_context("child", &root));
    assert_eq!(sink.number(), 2, "each is handed over at once");
}

#[test]
fn a_child_that_outlives_its_root_lands_in_the_same_trace() {
    let (tracer, sink) = recorder(Limits::default());
    let cx = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
    let child = tracer.start_with_context("child", &cx);
    cx.span().end();
    assert!(
        sink.traces().is_empty(),
        "a trace is whole when none of its spans is open"
    );
    std::thread::spawn(move || drop(child)).join().unwrap();

    // The trace has gone; its context is still around.
    let late = tracer.start_with_context("late", &cx);
    cx.span().set_attribute(KeyValue::new("too", "late"));
    drop(late);

    let traces = sink.traces();
    let names: Vec<Vec<_>> = traces
        .iter()
        .map(|spans| spans.iter().map(|span| span.name.as_str()).collect())
        .collect();
    assert_eq!(names, [vec!["root", "child"], vec!["late"]]);
    let spans: Vec<_> = traces.iter().flatten().collect();
    for child in &spans[1..] {
        assert_eq!(child.trace_id, spans[0].trace_id);
        assert_eq!(child.parent_span_id, spans[0].span_id);
        assert!(
            child.attributes.is_empty(),
            "an ended span's handle reaches no other span"
        );
    }
}

#[test]
fn a_context_that_outlives_its_trace_does_not_reach_the_next_one() {
    let (tracer, sink) = recorder(Limits::default());
    let old = Context::new().with_span(tracer.start_with_context("old", &Context::new()));
    old.span().end();
    let new = Context::new().with_span(tracer.start_with_context("new", &Context::new()));
    old.span().set_attribute(KeyValue::new("stray", true));
    old.span().end();
    assert!(new.span().is_recording() && !old.span().is_recording());
    drop((old, new));
    let traces = sink.traces();
    assert_eq!(traces.len(), 2);
    assert!(
        attributes(&traces[1][0])
            .iter()
            .all(|(key, _)| *key != "stray")
    );
}

#[test]
fn what_has_ended_does_not_wait_for_a_span_without_end() {
    let mut limits = Limits::default();
    (limits.hold, limits.spans_per_trace) = (Duration::ZERO, 3);
    let (tracer, sink) = recorder(limits);
    let cx = Context::new().with_span(tracer.start("stream"));
    for _ in 0..10 {
        tracer.start_with_context("message", &cx).end();
    }
    assert_eq!(
        sink.number(),
        10,
        "each at once, of whom no more than two are open"
    );
    assert_eq!(sink.refused(), 0);
    cx.span().end();
    assert_eq!(sink.number(), 11);
}

#[test]
fn disabled_recorder_hides_no_span_of_another() {
    let (tracer, _sink) = recorder(Limits::default());
    let outer = Context::new().with_span(tracer.start("outer"));
    let sink = Arc::<Received>::default();
    let disabled = Recorder::for_tests(Mode::Disabled, Limits::default(), sink);
    // It passes the caller's context on, with the caller's id.
    let caller = outer.span().span_context().clone();
    let mut scope = RunScope::silent(caller, Some(Arc::new(disabled)));
    let _silent = scope.enter();
    let _outer = outer.attach();
    assert!(matches!(Current::get(), Current::Local(_)));
}

#[test]
fn children_start_while_a_spans_lock_is_held() {
    let (tracer, sink) = recorder(Limits::default());
    let (done, finished) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let cx = Context::new().with_span(tracer.start("rows"));
        let entered = cx.clone().attach();
        // The API holds the span's lock while it takes the attributes.
        cx.span().set_attributes((0..3).map(|row| {
            drop(tracer.start("row"));
            assert!(matches!(Current::get(), Current::Local(_)));
            KeyValue::new(format!("row.{row}"), row)
        }));
        drop((entered, cx));
        let _ = done.send(());
    });
    let finished = finished.recv_timeout(Duration::from_secs(60));
    assert!(finished.is_ok(), "the thread hangs");
    let handed = sink.traces();
    assert_eq!(handed[0].len(), 4, "in one trace");
}

#[test]
fn late_children_inherit_though_an_earlier_one_was_refused() {
    let limits = Limits {
        memory: 1 << 20,
        ..Limits::default()
    };
    let (recorder, sink) = recording(limits);
    let start = || Start::now("span", SpanKind::Internal);
    let Started::Recording(root) = recorder.start(None, start()) else {
        panic!("the root is recorded")
    };
    let mut tags = root.tags();
    tags.set_inherited("tenant.id", "acme");
    root.append(&tags);
    drop(tags);
    end(&root);
    let memory = &recorder.cells.memory;
    memory.count(1 << 20);
    // On a thread that has no cell to use again.
    let refused = std::thread::scope(|scope| {
        let late = scope.spawn(|| root.clone().start_child(start()));
        matches!(late.join().unwrap(), Started::Dropped(_))
    });
    assert!(refused);
    memory.give_back(1 << 20);
    let Started::Recording(late) = root.clone().start_child(start()) else {
        panic!("the child is recorded")
    };
    end(&late);
    let handed = sink.traces();
    let has_tenant = |span: &Otlp| span.attributes.iter().any(|it| it.key == "tenant.id");
    let tenants: Vec<bool> = handed.iter().flatten().map(has_tenant).collect();
    assert_eq!(tenants, [true, true]);
}
