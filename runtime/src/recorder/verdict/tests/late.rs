//! Spans that end after a verdict that has dropped their trace.

use super::super::super::tests::doubles::{number, text};
use super::*;

const MS: fn(u64) -> Duration = Duration::from_millis;

/// Traces by a simulated clock, of which all are dropped that `keep` does not keep.
struct Dropping {
    clock: SimulatedClock,
    recorder: Arc<Recorder>,
    tracer: Tracer,
    sink: Arc<Received>,
}

impl Dropping {
    fn but(keep: &Keep, limits: Limits) -> Self {
        let clock = SimulatedClock::at(UNIX_EPOCH);
        let sink = Arc::new(Received::default());
        let recorder = Recorder::for_tests(Mode::Record, limits, sink.clone())
            .with_clock(clock.clone())
            .with_plan(Plan::new(Sampler::probability(0.0), &[], Some(keep), None));
        let recorder = Arc::new(recorder);
        Self {
            clock,
            tracer: TracerProvider::new(Arc::clone(&recorder)).tracer("test"),
            recorder,
            sink,
        }
    }

    fn root(&self) -> Context {
        Context::new().with_span(self.tracer.start_with_context("root", &Context::new()))
    }

    /// A child that has ended, with a status or without.
    fn child(&self, name: &'static str, parent: &Context, fails: bool) {
        let mut child = self.tracer.start_with_context(name, parent);
        if fails {
            child.set_status(Status::error(""));
        }
    }

    /// The names of the spans that have arrived, each with its reason.
    fn arrived(&self) -> Vec<(String, Option<String>)> {
        let spans = self.sink.spans();
        let named = spans.iter().map(|span| {
            let reason = text(span, "sampling.reason");
            assert_eq!(span.flags & 0xff, 0x03, "sampled: {span:?}");
            assert_eq!(span.trace_state, "", "no threshold has decided");
            let count = number(span, "sampling.adjusted_count");
            assert_eq!(count, reason.map(|_| 0.0), "others stand for it");
            let mut attributes = span.attributes.iter();
            let upgraded = attributes.any(|it| it.key == "sampling.upgraded");
            assert_eq!(upgraded, reason.is_some());
            (span.name.clone(), reason.map(str::to_owned))
        });
        named.collect()
    }
}

fn named(spans: &[(&str, Option<&str>)]) -> Vec<(String, Option<String>)> {
    let own = |(name, reason): &(&str, Option<&str>)| (name.to_string(), reason.map(str::to_owned));
    spans.iter().map(own).collect()
}

const LATE_ERROR: Option<&str> = Some("late_error");

#[test]
fn late_error_brings_its_span_back_and_what_ends_after_it() {
    let test = Dropping::but(&Keep::errors(), Limits::default());
    let root = test.root();
    test.child("before the verdict", &root, false);
    test.recorder.hand_over(Waiting::All, usize::MAX);
    test.child("before the error", &root, false);
    test.child("error", &root, true);
    test.child("another error", &root, true);
    root.span().end();
    test.child("continuation", &root, false);
    let expected = [
        ("error", LATE_ERROR),
        ("another error", None),
        ("root", LATE_ERROR),
        ("continuation", None),
    ];
    assert_eq!(test.arrived(), named(&expected));
    assert_eq!(test.sink.counts(), [6, 4, 2]);
}

#[test]
fn error_after_the_end_of_a_dropped_trace_goes_out_alone() {
    let test = Dropping::but(&Keep::errors(), Limits::default());
    let root = test.root();
    root.span().end();
    test.child("continuation", &root, false);
    assert_eq!(test.sink.counts(), [2, 0, 2]);
    test.child("error", &root, true);
    assert_eq!(test.arrived(), named(&[("error", LATE_ERROR)]));
    assert_eq!(test.sink.counts(), [3, 1, 2]);
}

#[test]
fn error_while_the_sampler_decides_is_not_lost() {
    let test = Dropping::but(&Keep::errors(), Limits::default());
    let root = test.root();
    test.child("before", &root, false);
    // The verdict is out, and its thread comes to its spans later than this one.
    let (cell, recorder) = (&test.recorder.cells.all()[0], &test.recorder);
    let left = cell
        .lock()
        .take_waiting(Waiting::All, &*recorder.clock, &recorder.limits);
    let Some(Taken::Undecided(verdict)) = left else {
        panic!("the trace has a verdict already");
    };
    let mut error = test.tracer.start_with_context("error", &root);
    verdict.decide(recorder.sampler.sample(), &*recorder.clock);
    error.set_status(Status::error(""));
    drop(error);
    recorder.decide(cell, &verdict);
    drop(root);
    let expected = [("error", LATE_ERROR), ("root", LATE_ERROR)];
    assert_eq!(test.arrived(), named(&expected));
    assert_eq!(test.sink.counts(), [3, 2, 1]);
}

#[test]
fn dropped_trace_stays_dropped_unless_errors_are_kept() {
    let slow = Keep::none().slower_than(MS(500));
    let never = Keep::errors().drop(Policy::latency(Duration::ZERO..));
    for keep in [slow, never] {
        let test = Dropping::but(&keep, Limits::default());
        let root = test.root();
        test.child("before", &root, false);
        test.recorder.hand_over(Waiting::All, usize::MAX);
        test.child("error", &root, true);
        drop(root);
        assert_eq!(test.sink.counts(), [3, 0, 3], "{keep}");
    }
}

#[test]
fn kept_trace_goes_on_as_its_verdict_says() {
    let test = Dropping::but(&Keep::errors(), Limits::default());
    let root = test.root();
    test.child("error", &root, true);
    test.recorder.hand_over(Waiting::All, usize::MAX);
    test.child("late error", &root, true);
    assert_eq!(test.sink.number(), 2);
    root.span().end();
    let spans = test.sink.spans();
    let reasons = spans.iter().map(|span| text(span, "sampling.reason"));
    assert!(reasons.eq([None, None, Some("error")]));
}

#[test]
fn first_span_that_turns_out_slow_is_brought_back() {
    let limits = Limits {
        spans_per_trace: 4,
        ..Limits::default()
    };
    let keep = Keep::errors().slower_than(MS(500));
    for (takes, is_slow) in [(500, false), (501, true)] {
        let test = Dropping::but(&keep, limits.clone());
        let root = test.root();
        (0..3).for_each(|_| test.child("step", &root, false));
        assert_eq!(test.sink.counts(), [3, 0, 3], "half of the limits");
        // Another span that is slow says nothing of the trace.
        let child = test.tracer.start_with_context("child", &root);
        test.clock.pass(MS(takes));
        drop(root);
        test.clock.pass(MS(9_000));
        drop(child);
        let expected = [("root", Some("late_slow")), ("child", None)];
        let expected = if is_slow { &expected[..] } else { &[] };
        assert_eq!(test.arrived(), named(expected), "{takes} ms");
    }
}
