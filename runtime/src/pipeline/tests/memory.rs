//! The memory that telemetry may hold.

use std::thread;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Tracer as _};

use super::super::DropReason;
use super::{assert_balanced, batch, start_within, trace};

#[test]
fn memory_that_is_given_back_is_taken_again() {
    const LIMIT: usize = 4 * 1024 * 1024;
    let (tracer, pipeline, receiver) = start_within(batch(1_000_000, 100), LIMIT);
    let dropped = || pipeline.report().dropped.get(DropReason::MemoryLimit);
    for round in 1..=3 {
        let before = dropped();
        receiver.hold(true);
        for _ in 0..1000 {
            let mut span = tracer.start("span");
            span.set_attribute(KeyValue::new("note", "x".repeat(10_000)));
        }
        let lost = dropped() - before;
        assert!((500..1000).contains(&lost), "{lost} in round {round}");
        receiver.hold(false);
        pipeline.flush(Duration::from_secs(5)).wait();
        assert_balanced(&pipeline.report());
    }
    // A few more than there would be room for, had something not gone back.
    let before = dropped();
    for _ in 0..1000 {
        trace(&tracer, 1);
        pipeline.flush(Duration::from_secs(5)).wait();
    }
    assert_eq!(dropped(), before);
}

#[test]
fn what_is_kept_for_the_next_trace_leaves_memory_to_others() {
    let (tracer, pipeline, _) = start_within(batch(1_000_000, 100), 6 * 1024 * 1024);
    let wait = || pipeline.flush(Duration::from_secs(5)).wait();
    let dropped = || pipeline.report().dropped.get(DropReason::MemoryLimit);
    // Traces that are open at once take all that there is.
    let open: Vec<_> = (0..1000)
        .map(|_| {
            let mut span = tracer.start("span");
            span.set_attribute(KeyValue::new("note", "x".repeat(40_000)));
            span
        })
        .collect();
    drop(open);
    wait();
    let before = dropped();
    assert!(before > 0);
    let work = || (0..1000).for_each(|_| trace(&tracer, 1));
    thread::scope(|scope| scope.spawn(work).join()).unwrap();
    work();
    wait();
    assert_balanced(&pipeline.report());
    assert_eq!(dropped(), before);
}
