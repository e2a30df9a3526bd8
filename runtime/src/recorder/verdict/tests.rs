//! Traces that are recorded without being sampled, and decided when they are over.

mod late;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};
use std::{fmt, thread};

use opentelemetry::Context;
use opentelemetry::trace::{
    Span as _, SpanKind, Status, TraceContextExt, TraceId, TraceState, Tracer as _,
    TracerProvider as _,
};
use opentelemetry_proto::tonic::trace::v1::Span as Otlp;
use opentelemetry_sdk::trace::SamplingDecision;

use super::super::state::Taken;
use super::super::tests::doubles::{DecidesLate, Received, SimulatedClock, decision};
use super::super::{
    ActiveSpan, MemoryBudget, Mode, Recorder, Start, Started, Tracer, TracerProvider, Waiting,
};
use crate::config::Limits;
use crate::sampling::{Decision, Keep, NewTrace, Plan, Policy, RecordedTrace, Sample, Sampler};

struct Fixture {
    recorder: Arc<Recorder>,
    tracer: Tracer,
    sink: Arc<Received>,
    memory: Arc<MemoryBudget>,
    sampler: DecidesLate,
}

/// Keeps every so-many-th trace; none if that is 0.
fn keeping(every: usize, limits: Limits) -> Fixture {
    let sampler = DecidesLate::keeping(every);
    let memory = Arc::new(MemoryBudget::new(limits.memory));
    let sink = Arc::new(Received::default());
    let recorder = Recorder::with_memory(Mode::Record, limits, Arc::clone(&memory), sink.clone());
    let recorder = Arc::new(recorder.with_sampler(Sampler::of(sampler.clone())));
    Fixture {
        tracer: TracerProvider::new(Arc::clone(&recorder)).tracer("test"),
        recorder,
        sink,
        memory,
        sampler,
    }
}

impl Fixture {
    fn root(&self) -> Context {
        let root = self.tracer.start_with_context("root", &Context::new());
        assert!(root.is_recording());
        assert!(
            !root.span_context().is_sampled(),
            "what leaves is the head's"
        );
        Context::new().with_span(root)
    }

    fn child(&self, parent: &Context) -> super::super::Span {
        let child = self.tracer.start_with_context("child", parent);
        assert!(child.is_recording() && !child.span_context().is_sampled());
        child
    }

    fn asked(&self) -> usize {
        self.sampler.asked()
    }
}

fn reason(span: &Otlp) -> Option<String> {
    let mut attributes = span.attributes.iter();
    let found = attributes.find(|attribute| attribute.key == "sampling.reason")?;
    Some(format!("{:?}", found.value))
}

#[test]
fn trace_without_a_verdict_of_the_samplers_own_is_dropped() {
    #[derive(Debug)]
    struct RecordOnly;
    impl fmt::Display for RecordOnly {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("record only")
        }
    }
    impl Sample for RecordOnly {
        fn sample(&self, _: &NewTrace<'_>) -> Decision {
            decision(SamplingDecision::RecordOnly, "head")
        }
    }
    let verdict = RecordOnly.verdict(&RecordedTrace {
        head: &decision(SamplingDecision::RecordOnly, "head"),
        id: TraceId::INVALID,
        state: &TraceState::NONE,
        tenant: None,
        has_failed: true,
        latency: Duration::MAX,
        spans: 1,
        hits: u64::MAX,
        now: &Instant::now,
    });
    assert!(!verdict.is_kept());
}

#[test]
fn dropped_trace_counts_as_dropped_and_sends_nothing() {
    let test = keeping(0, Limits::default());
    let root = test.root();
    drop(test.child(&root));
    assert_eq!((test.sink.counts(), test.asked()), ([1, 0, 0], 0));
    let late_parent = root.clone();
    root.span().end();
    assert_eq!((test.sink.counts(), test.asked()), ([2, 0, 2], 1));
    drop(test.child(&late_parent));
    let counts = (test.sink.counts(), test.asked());
    assert_eq!(counts, ([3, 0, 3], 1), "a late child shares the verdict");
}

#[test]
fn kept_trace_says_so_in_each_span() {
    let test = keeping(1, Limits::default());
    let root = test.root();
    drop(test.child(&root));
    root.span().end();
    drop(test.child(&root));
    assert_eq!((test.sink.counts(), test.asked()), ([3, 3, 0], 1));
    let spans = test.sink.spans();
    let names: Vec<_> = spans.iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["child", "root", "child"]);
    for span in &spans {
        assert_eq!(span.flags & 0xff, 0x03, "sampled: {span:?}");
        let expected = (span.name == "root").then_some("verdict");
        let reason = reason(span);
        assert_eq!(reason.is_some(), expected.is_some());
        assert!(reason.is_none_or(|reason| reason.contains("verdict")));
    }
}

#[test]
fn flush_leaves_the_verdict_to_the_end_and_a_shutdown_does_not() {
    for (which, asked) in [
        (Waiting::Overdue, 0),
        (Waiting::Decided, 0),
        (Waiting::All, 1),
    ] {
        let test = keeping(1, Limits::default());
        let root = test.root();
        (0..40).for_each(|_| drop(test.child(&root)));
        test.recorder.hand_over(which, usize::MAX);
        assert_eq!(test.asked(), asked, "{which:?}");
        assert_eq!(test.sink.counts(), [40, 40 * asked, 0], "{which:?}");
        drop(test.child(&root));
        test.recorder.hand_over(Waiting::Decided, usize::MAX);
        assert_eq!(test.sink.counts(), [41, 41 * asked, 0], "{which:?}");
        root.span().end();
        assert_eq!((test.sink.counts(), test.asked()), ([42, 42, 0], 1));
    }
}

#[test]
fn last_span_settles_what_another_thread_has_not_settled_yet() {
    let test = keeping(1, Limits::default());
    let root = test.root();
    (0..40).for_each(|_| drop(test.child(&root)));
    // Another thread has the verdict, and comes to its spans later than this one.
    let (cell, recorder) = (&test.recorder.cells.all()[0], &test.recorder);
    let left = cell
        .lock()
        .take_waiting(Waiting::All, &*recorder.clock, &recorder.limits);
    let Some(Taken::Undecided(verdict)) = left else {
        panic!("the trace has a verdict already");
    };
    verdict.decide(recorder.sampler.sample(), &*recorder.clock);
    root.span().end();
    assert_eq!((test.sink.counts(), test.asked()), ([41, 41, 0], 1));
    // The cell serves the next trace.
    test.root().span().end();
    assert_eq!(test.sink.counts(), [42, 42, 0]);
}

#[test]
fn trace_is_decided_when_it_has_waited_for_hold_or_reaches_a_limit() {
    let held = Limits {
        hold: Duration::ZERO,
        ..Limits::default()
    };
    let small = Limits {
        spans_per_trace: 8,
        ..Limits::default()
    };
    for (limits, before) in [(held, 0), (small, 4)] {
        let test = keeping(1, limits);
        let root = test.root();
        for _ in 0..before {
            drop(test.child(&root));
            assert_eq!(test.asked(), 0);
        }
        drop(test.child(&root));
        assert_eq!(test.asked(), 1);
        assert_eq!(test.sink.counts(), [before + 1, before + 1, 0]);
        root.span().end();
        assert_eq!(test.asked(), 1);
    }
}

#[test]
fn undecided_spans_count_in_the_memory_until_they_are_dropped() {
    let test = keeping(0, Limits::default());
    let root = test.root();
    for _ in 0..400 {
        let mut child = test.child(&root);
        child.set_attribute(opentelemetry::KeyValue::new("note", "x".repeat(1_000)));
    }
    assert!(test.memory.used() > 400_000, "{}", test.memory.used());
    root.span().end();
    assert_eq!(test.sink.counts(), [401, 0, 401]);
    assert!(test.memory.used() < 100_000, "{}", test.memory.used());
}

#[test]
fn threads_that_share_a_trace_share_its_verdict() {
    for hold in [Duration::ZERO, Duration::from_secs(30)] {
        let limits = Limits {
            hold,
            ..Limits::default()
        };
        let test = Arc::new(keeping(2, limits));
        let traces = 400;
        for _ in 0..traces {
            let root = test.root();
            let sweeper = Arc::clone(&test);
            let children: Vec<_> = (0..3)
                .map(|_| {
                    let (test, root) = (Arc::clone(&test), root.clone());
                    thread::spawn(move || (0..20).for_each(|_| drop(test.child(&root))))
                })
                .collect();
            sweeper.recorder.hand_over(Waiting::Overdue, usize::MAX);
            root.span().end();
            children.into_iter().for_each(|child| child.join().unwrap());
        }
        test.recorder.hand_over(Waiting::All, usize::MAX);
        let [recorded, kept, dropped] = test.sink.counts();
        assert_eq!((recorded, kept + dropped), (61 * traces, recorded));
        assert_eq!((kept, test.asked()), (61 * traces / 2, traces), "{hold:?}");
        let spans = test.sink.spans();
        let ids: BTreeSet<_> = spans.iter().map(|span| &span.span_id).collect();
        assert_eq!(ids.len(), kept, "each span once");
        let mut whole = BTreeMap::new();
        for span in &spans {
            *whole.entry(&span.trace_id).or_insert(0) += 1;
        }
        assert!(whole.values().all(|spans| *spans == 61), "a trace is torn");
    }
}

/// A fixture by a simulated clock that drops what has not failed and takes at most half a second.
fn keeping_what_is_slow(limits: Limits) -> (SimulatedClock, Arc<Recorder>, Tracer, Arc<Received>) {
    let clock = SimulatedClock::at(UNIX_EPOCH);
    let sink = Arc::new(Received::default());
    let keep = Keep::errors().slower_than(Duration::from_millis(500));
    let recorder = Recorder::for_tests(Mode::Record, limits, sink.clone())
        .with_clock(clock.clone())
        .with_plan(Plan::new(Sampler::probability(0.0), &[], Some(&keep), None));
    let recorder = Arc::new(recorder);
    let tracer = TracerProvider::new(Arc::clone(&recorder)).tracer("test");
    (clock, recorder, tracer, sink)
}

#[test]
fn first_span_alone_is_slow_or_not() {
    let ms = Duration::from_millis;
    for (takes, child_takes, kept) in [(500, 500, 0), (501, 0, 2), (100, 9_000, 0)] {
        let (clock, _recorder, tracer, sink) = keeping_what_is_slow(Limits::default());
        let root = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
        let child = tracer.start_with_context("child", &root);
        clock.pass(ms(takes.min(child_takes)));
        if takes < child_takes {
            drop(root);
            clock.pass(ms(child_takes - takes));
            drop(child);
        } else {
            drop(child);
            clock.pass(ms(takes - child_takes));
            drop(root);
        }
        assert_eq!(
            sink.counts(),
            [2, kept, 2 - kept],
            "{takes} ms, {child_takes} ms"
        );
    }
}

#[test]
fn next_trace_of_a_thread_has_a_verdict_of_its_own() {
    let (clock, recorder, _tracer, sink) = keeping_what_is_slow(Limits::default());
    let mut kept = 0;
    for (number, fails, takes) in [
        (1, true, 0),
        (2, false, 0),
        (3, false, 501),
        (4, false, 0),
        (5, true, 501),
        (6, false, 0),
    ] {
        let Started::Recording(span) = recorder.start(None, Start::now("root", SpanKind::Server))
        else {
            panic!("every trace is recorded");
        };
        // The trace goes back to the thread with its last span, and the next one takes it.
        let active = ActiveSpan::new(span.clone());
        if fails {
            span.fail("timeout");
        }
        drop(span);
        clock.pass(Duration::from_millis(takes));
        drop(active);
        kept += usize::from(fails || takes > 0);
        assert_eq!(sink.counts(), [number, kept, number - kept]);
    }
    let ids: BTreeSet<_> = sink.spans().into_iter().map(|span| span.trace_id).collect();
    assert_eq!(ids.len(), kept, "each is of its own trace");
}

#[test]
fn verdict_before_the_end_knows_what_is_open() {
    let limits = Limits {
        hold: Duration::from_secs(1),
        ..Limits::default()
    };
    let status = Status::error("");
    for (root_fails, waits, kept) in [(false, 2_000, 2), (false, 100, 0), (true, 100, 2)] {
        let (clock, recorder, tracer, sink) = keeping_what_is_slow(limits.clone());
        let root = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
        drop(tracer.start_with_context("child", &root));
        if root_fails {
            root.span().set_status(status.clone());
        }
        clock.pass(Duration::from_millis(waits));
        recorder.hand_over(Waiting::All, usize::MAX);
        drop(root);
        assert_eq!(sink.counts(), [2, kept, 2 - kept], "{waits} ms");
    }
}
