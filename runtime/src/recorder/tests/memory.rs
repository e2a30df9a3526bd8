//! Spans and traces give their memory back.

use std::sync::Arc;

use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanKind, TraceContextExt, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue, Value};

use super::super::{HeadCopy, LocalSpan, Recorder, Start, Started, TracerProvider};
use super::{end, recorder, recording};
use crate::config::Limits;

#[test]
fn kept_handles_hold_no_memory() {
    let limits = Limits {
        memory: 16 << 20,
        ..Limits::default()
    };
    let (tracer, sink) = recorder(limits);
    // Sessions that keep the context of their request.
    let kept: Vec<Context> = (0..20_000)
        .map(|_| {
            let cx = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
            drop(tracer.start_with_context("child", &cx));
            cx.span().end();
            cx
        })
        .collect();
    assert_eq!((sink.number(), sink.refused()), (40_000, 0));
    // Late children find their trace, each in buffers of its own.
    let late: Vec<_> = kept
        .iter()
        .take(100)
        .map(|cx| (cx, tracer.start_with_context("late", cx)))
        .collect();
    for (cx, late) in &late {
        assert!(late.is_recording());
        let (parent, child) = (cx.span().span_context().trace_id(), late.span_context());
        assert_eq!(child.trace_id(), parent);
    }
    drop(late);
    assert_eq!(sink.number(), 40_100);
}

#[test]
fn heads_of_ended_requests_hold_no_memory() {
    let limits = Limits {
        memory: 4 << 20,
        ..Limits::default()
    };
    let (recorder, sink) = recording(limits);
    let start = || Start::now("job", SpanKind::Internal);
    let Started::Recording(job) = recorder.start(None, start()) else {
        panic!("the job is recorded")
    };
    let head = "x".repeat(4_000);
    let copy = |to: &mut HeadCopy| to.fill("", [("name", head.as_bytes())].into_iter());
    for _ in 0..5_000 {
        let request = Start {
            head: Some(&copy),
            ..Start::now("request", SpanKind::Server)
        };
        let Started::Recording(request) = job.clone().start_child(request) else {
            panic!("the request is recorded")
        };
        end(&request);
    }
    end(&job);
    assert_eq!(sink.number(), 5_001);
}

#[test]
fn copies_of_heads_take_a_quarter_of_the_memory_and_cost_no_span() {
    let limits = Limits {
        memory: 16 << 20,
        ..Limits::default()
    };
    let (recorder, sink) = recording(limits);
    let head = "x".repeat(15_000);
    let copy = |to: &mut HeadCopy| to.fill("", [("name", head.as_bytes())].into_iter());
    let request = || {
        let start = Start {
            head: Some(&copy),
            ..Start::now("request", SpanKind::Server)
        };
        match recorder.start(None, start) {
            Started::Recording(request) => request,
            Started::Dropped(_) => panic!("the request is recorded"),
        }
    };
    let has_copy = |request: &LocalSpan| request.head().unwrap().headers("name").count() == 1;
    // As often, since what is kept for the next requests must not add up.
    for round in 1..=3 {
        let open: Vec<_> = (0..500).map(|_| request()).collect();
        let copied = open.iter().filter(|request| has_copy(request)).count();
        assert_eq!(copied, (4 << 20) / (15 << 10));
        let incomplete = recorder.incomplete_heads() as usize;
        assert_eq!(incomplete, round * (500 - copied));
        open.iter().for_each(end);
    }
    assert_eq!(sink.number(), 1_500);
}

#[test]
fn rejected_events_and_attributes_hold_no_memory() {
    let memory = Limits::default().memory;
    let (tracer, sink) = recorder(Limits::default());
    let megabyte: Arc<str> = "x".repeat(1 << 20).into();
    let large = || KeyValue::new("text", Value::String(Arc::clone(&megabyte).into()));
    let spans: Vec<_> = (0..20)
        .map(|_| {
            let builder = SpanBuilder::from_name("builder").with_attributes(vec![large(); 1_000]);
            let mut span = builder.start_with_context(&tracer, &Context::new());
            span.add_event("event", vec![large(); 100]);
            span
        })
        .collect();
    let held: usize = spans.iter().map(|span| span.buffer_capacity()).sum();
    assert!(held < memory / 4, "{held} bytes are held by 20 spans");
    drop(spans);
    for span in sink.traces().iter().flatten() {
        assert_eq!(
            span.dropped_attributes_count as usize + span.attributes.len(),
            1_000,
        );
        assert_eq!((span.events.len(), span.dropped_events_count), (0, 1));
    }
}

/// The bytes that `recorder` counts as held, once nothing is recorded any more.
fn held(recorder: &Recorder) -> usize {
    recorder.cells.memory.used()
}

#[test]
fn threads_that_end_leave_no_buffers_with_kept_handles() {
    let (recorder, _sink) = recording(Limits::default());
    let tracer = TracerProvider::new(Arc::clone(&recorder)).tracer("test");
    let kept: Vec<Context> = (0..50)
        .flat_map(|_| {
            let tracer = tracer.clone();
            let thread = std::thread::spawn(move || {
                let traces = (0..10).map(|_| {
                    let root = tracer.start_with_context("root", &Context::new());
                    let cx = Context::new().with_span(root);
                    cx.span().end();
                    cx
                });
                traces.collect::<Vec<_>>()
            });
            thread.join().unwrap()
        })
        .collect();
    assert_eq!((kept.len(), held(&recorder)), (500, 0));
    drop(kept);
    assert!(recorder.cells.all().is_empty());
}
