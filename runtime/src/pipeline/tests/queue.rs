//! What is sent when, in which requests, and what the queue does not take.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, Tracer as _};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use super::super::DropReason;
use super::super::deficit::Pending;
use super::super::request::frame;
use super::super::tier::Tier;
use super::{HOLD, assert_balanced, batch, setup, spans, start, start_within, trace, until};
use crate::config::Batch;
use crate::recorder::{EncodedSpans, Scope};

#[test]
fn ended_spans_leave_after_the_hold_though_no_other_span_ends() {
    let (tracer, pipeline, receiver) = start(Batch {
        schedule_delay: Duration::from_millis(10),
        ..Batch::default()
    });
    let open = Context::new().with_span(tracer.start_with_context("hangs", &Context::new()));
    let started = Instant::now();
    drop(tracer.start_with_context("done", &open));
    until("delivered", || pipeline.report().delivered == 1);
    assert!(started.elapsed() >= HOLD);
    assert_eq!(receiver.sizes(), [1]);
    drop(open);
    pipeline.flush(Duration::from_secs(5)).wait();
    assert_eq!(receiver.sizes(), [1, 1]);
}

#[test]
fn more_spans_than_the_queue_takes_may_wait_for_open_ones() {
    let (tracer, pipeline, _receiver) = start(Batch {
        schedule_delay: Duration::from_secs(3600),
        ..Batch::default()
    });
    let jobs: Vec<_> = (0..20)
        .map(|_| Context::new().with_span(tracer.start_with_context("job", &Context::new())))
        .collect();
    for job in &jobs {
        (0..400).for_each(|_| drop(tracer.start_with_context("step", job)));
    }
    pipeline.flush(Duration::from_secs(60)).wait();
    let report = pipeline.report();
    assert_eq!((report.delivered, report.dropped.total()), (8_000, 0));
}

#[test]
fn thousands_of_short_threads_lose_nothing() {
    const THREADS: u64 = 3_000;
    let batch = Batch {
        schedule_delay: Duration::from_secs(3600),
        max_queue_size: 10_000,
        ..Batch::default()
    };
    // An exporter that is stuck, and far less memory than a whole chunk for each thread.
    let (tracer, pipeline, receiver) = start_within(batch, 16 << 20);
    receiver.hold(true);
    for _ in 0..THREADS {
        let tracer = tracer.clone();
        thread::spawn(move || drop(tracer.start_with_context("work", &Context::new())))
            .join()
            .unwrap();
    }
    let report = pipeline.report();
    assert_eq!((report.recorded, report.dropped.total()), (THREADS, 0));
    receiver.hold(false);
    pipeline.close(Duration::from_secs(60)).wait();
    let report = pipeline.report();
    assert_eq!(report.delivered, THREADS, "{report:?}");
}

#[test]
fn a_full_batch_is_sent_without_waiting_and_none_is_too_large() {
    let batch = Batch {
        schedule_delay: Duration::from_secs(3600),
        ..batch(100, 10)
    };
    let (tracer, pipeline, receiver) = start(batch);
    (0..5).for_each(|_| trace(&tracer, 1));
    until("delivered", || pipeline.report().delivered == 10);
    trace(&tracer, 24);
    until("delivered", || pipeline.report().delivered == 30);
    pipeline.flush(Duration::from_secs(5)).wait();
    assert_eq!(receiver.sizes(), [10, 10, 10, 5]);
}

#[test]
fn what_is_left_is_sent_after_the_schedule_delay() {
    let (tracer, pipeline, _) = start(Batch {
        schedule_delay: Duration::from_millis(20),
        ..Batch::default()
    });
    trace(&tracer, 0);
    until("delivered", || pipeline.report().delivered == 1);
}

#[test]
fn a_full_queue_drops_and_counts() {
    let batch = Batch {
        schedule_delay: Duration::from_secs(3600),
        ..batch(20, 10)
    };
    let (tracer, pipeline, receiver) = start(batch);
    receiver.hold(true);
    // One batch in flight, two in the queue, and the rest has no place.
    trace(&tracer, 9);
    until("in flight", || receiver.started.load(Ordering::Relaxed));
    (0..5).for_each(|_| trace(&tracer, 9));
    let report = pipeline.report();
    assert_balanced(&report);
    assert_eq!(
        (report.waiting, report.dropped.get(DropReason::QueueFull)),
        (30, 30)
    );
    receiver.hold(false);
    pipeline.close(Duration::from_secs(5)).wait();
    let report = pipeline.report();
    assert_eq!((report.delivered, report.waiting), (30, 0));
}

#[test]
fn a_trace_larger_than_the_queue_is_delivered_all_the_same() {
    let (tracer, pipeline, receiver) = start(batch(20, 10));
    trace(&tracer, 24);
    pipeline.close(Duration::from_secs(5)).wait();
    assert_eq!(pipeline.report().delivered, 25);
    assert_eq!(receiver.sizes(), [10, 10, 5]);
}

#[test]
fn spans_that_wait_leave_by_a_queue_of_one() {
    let (tracer, pipeline, receiver) = start(Batch {
        schedule_delay: Duration::from_secs(3600),
        ..batch(1, 1)
    });
    let open = Context::new().with_span(tracer.start_with_context("job", &Context::new()));
    drop(tracer.start_with_context("step", &open));
    pipeline.flush(Duration::from_secs(60)).wait();
    assert_eq!(receiver.sizes(), [1]);
    drop(open);
}

#[test]
fn the_books_balance_at_any_moment() {
    let (tracer, pipeline, _) = start(Batch {
        schedule_delay: Duration::from_millis(1),
        ..batch(64, 16)
    });
    thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    for i in 0..2000 {
                        let cx = Context::new()
                            .with_span(tracer.start_with_context("root", &Context::new()));
                        let child = tracer.start_with_context("child", &cx);
                        drop(cx);
                        // The last span of a trace may end on another thread than the first.
                        if i % 50 == 0 {
                            scope.spawn(|| drop(child));
                        } else {
                            drop(child)
                        }
                    }
                })
            })
            .collect();
        while !threads.iter().all(thread::ScopedJoinHandle::is_finished) {
            assert_balanced(&pipeline.report());
        }
    });
    pipeline.close(Duration::from_secs(5)).wait();
    let report = pipeline.report();
    assert_balanced(&report);
    assert_eq!((report.recorded, report.waiting), (12_000, 0));
}

#[test]
fn large_requests_are_split_between_spans() {
    let mut chunk = EncodedSpans::default();
    for i in 0..10_u8 {
        chunk.push(&Scope::Biztrace, |out| {
            crate::attribute::wire::message(out, 0x12, |span| {
                crate::attribute::wire::bytes(span, 0x12, &[i; 8]);
                crate::attribute::wire::bytes(span, 0x2a, &vec![b'x'; 1_000_000]);
            });
        });
    }
    let setup = setup(Batch::default(), usize::MAX);
    let tiers = Tier::all(setup.tiers, &setup.batch, &setup.memory);
    let mut pending = Pending::new(&tiers, 512);
    pending.push(0, chunk);
    let mut seen = HashSet::new();
    while let Some(next) = pending.take_request() {
        let request = frame(&[], &next.chunks, Vec::new());
        assert!(
            request.body.len() <= 4 * 1024 * 1024 + 100,
            "{} bytes",
            request.body.len()
        );
        seen.extend(spans(
            &ExportTraceServiceRequest::decode(request.body).unwrap(),
        ));
    }
    assert_eq!(seen.len(), 10);
}
