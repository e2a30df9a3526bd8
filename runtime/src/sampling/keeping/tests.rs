use std::time::{Duration, Instant};

use opentelemetry::Value;
use opentelemetry::trace::{SpanKind, TraceId, TraceState};

use super::*;
use crate::sampling::{Plan, Policy};

const BOUND: Duration = Duration::from_millis(500);

/// The verdict on a trace of that id, of which a span has failed or not, and what its state becomes.
fn verdict(head: Sampler, id: u128, has_failed: bool) -> (Decision, Option<String>) {
    verdict_after(head, id, has_failed, BOUND)
}

fn verdict_after(
    head: Sampler,
    id: u128,
    has_failed: bool,
    latency: Duration,
) -> (Decision, Option<String>) {
    let plan = Plan::new(head, &[], Some(&Keep::errors().slower_than(BOUND)), None);
    let sampler = plan.sampler;
    let head = sampler.sample().sample(&NewTrace {
        id: TraceId::from(id),
        name: "GET",
        kind: &SpanKind::Server,
        parent: None,
        caller: None,
        request: None,
        tenant: None,
        now: &Instant::now,
    });
    assert!(head.is_recorded() && head.waits());
    let added = head.added.as_deref();
    let state = added.and_then(|added| added.trace_state.clone());
    let verdict = sampler.sample().verdict(&RecordedTrace {
        has_failed,
        latency,
        ..recorded(
            TraceId::from(id),
            &Decision {
                added: None,
                ..head.clone()
            },
            &state.unwrap_or_default(),
        )
    });
    let added = verdict.added.as_deref();
    let state = added.and_then(|added| added.trace_state.as_ref());
    let state = state.map(TraceState::header);
    (verdict, state)
}

/// A trace of one span that has not failed, and of which nothing is known.
fn recorded<'a>(id: TraceId, head: &'a Decision, state: &'a TraceState) -> RecordedTrace<'a> {
    RecordedTrace {
        id,
        head,
        state,
        tenant: None,
        has_failed: false,
        latency: Duration::ZERO,
        spans: 1,
        hits: 0,
        now: &Instant::now,
    }
}

const LOW: u128 = 0;
const HIGH: u128 = u128::MAX;

fn is_upgraded(verdict: &Decision) -> bool {
    let added = verdict.added.as_deref();
    added.is_some_and(|added| {
        added.attributes == [KeyValue::new("sampling.upgraded", Value::Bool(true))]
    })
}

#[test]
fn failed_traces_are_kept_and_stand_for_themselves() {
    for (id, was_kept) in [(LOW, false), (HIGH, true)] {
        let (verdict, state) = verdict(Sampler::probability(0.1), id, true);
        assert!(verdict.is_kept());
        assert_eq!(verdict.reason, Some("error"));
        assert_eq!(verdict.adjusted_count, Some(1.0));
        assert_eq!(state.as_deref(), Some("ot=th:0"));
        assert_eq!(is_upgraded(&verdict), !was_kept);
    }
}

#[test]
fn threshold_is_told_only_beside_those_of_others() {
    let ratio = Sampler::trace_id_ratio(0.1);
    for head in [ratio.clone(), ratio.parent_based(), Sampler::always_off()] {
        let (verdict, state) = verdict(head, LOW, true);
        assert!(verdict.is_kept() && is_upgraded(&verdict));
        assert_eq!((verdict.adjusted_count, state), (Some(1.0), None));
    }
    let (_, state) = verdict(Sampler::probability(0.1).parent_based(), LOW, true);
    assert_eq!(state.as_deref(), Some("ot=th:0"));
}

#[test]
fn threshold_of_a_caller_gives_way() {
    let sampler = Plan::new(Sampler::default(), &[], Some(&Keep::errors()), None).sampler;
    let head = Decision::new(true, None);
    let state = "ot=th:e666,a=1".parse().unwrap();
    let verdict = sampler.sample().verdict(&RecordedTrace {
        has_failed: true,
        ..recorded(TraceId::INVALID, &head, &state)
    });
    let added = verdict.added.unwrap().trace_state.unwrap();
    assert_eq!(added.header(), "ot=th:0,a=1");
}

#[test]
fn other_traces_are_the_samplers() {
    for (id, is_kept) in [(LOW, false), (HIGH, true)] {
        let (verdict, state) = verdict(Sampler::trace_id_ratio(0.25), id, false);
        assert_eq!(verdict.is_kept(), is_kept);
        assert_eq!(verdict.reason, Some("trace_id_ratio"));
        assert_eq!(verdict.adjusted_count, Some(4.0));
        assert!(!verdict.waits() || !is_kept);
        assert_eq!(state, None);
    }
}

#[test]
fn slow_traces_are_kept_and_errors_are_the_first_reason() {
    let later = BOUND + Duration::from_nanos(1);
    for (has_failed, latency, reason) in [
        (false, later, Some("slow")),
        (true, later, Some("error")),
        (false, BOUND, None),
        (false, Duration::ZERO, None),
    ] {
        let head = Sampler::probability(0.1);
        let (verdict, state) = verdict_after(head, LOW, has_failed, latency);
        assert_eq!(verdict.is_kept(), reason.is_some());
        let expected = reason.unwrap_or("probability");
        assert_eq!(verdict.reason, Some(expected), "{latency:?}");
        let state = state.as_deref();
        assert_eq!(state, reason.map(|_| "ot=th:0"), "{latency:?}");
    }
}

/// What brings a trace back, with this `Keep`, that was dropped when so much was known.
fn late(keep: &Keep, trace: RecordedTrace<'_>) -> Late {
    let plan = Plan::new(Sampler::always_off(), &[], Some(keep), None);
    let sampler = plan.sampler.sample();
    assert!(!sampler.verdict(&trace).is_kept());
    sampler.late(&trace)
}

#[test]
fn trace_comes_back_for_what_would_have_kept_it_then() {
    let both = || Keep::errors().slower_than(BOUND);
    let fast = Duration::from_millis(1);
    let long = Duration::from_secs(9);
    for (keep, latency, errors, slow) in [
        (both(), fast, true, true),
        (Keep::none(), fast, false, false),
        (Keep::errors(), fast, true, false),
        (both().drop(Policy::spans(1..)), fast, false, false),
        (both().drop(!Policy::errors()), fast, true, false),
        (both().drop(Policy::latency(..=fast)), fast, false, true),
        (both().drop(Policy::latency(long..)), long, false, false),
        (both().drop(Policy::latency(long..)), fast, true, true),
    ] {
        let head = Decision::new(false, None);
        let state = TraceState::NONE;
        let trace = RecordedTrace {
            latency,
            ..recorded(TraceId::INVALID, &head, &state)
        };
        let expected = Late {
            errors,
            slower_than: slow.then_some(BOUND),
        };
        assert_eq!(late(&keep, trace), expected, "{keep}");
    }
}

#[test]
fn late_error_comes_before_late_slow() {
    let late = Keep::errors().slower_than(BOUND).late();
    let longer = BOUND + Duration::from_nanos(1);
    for (has_failed, latency, reason) in [
        (true, None, Some("late_error")),
        (true, Some(longer), Some("late_error")),
        (false, Some(longer), Some("late_slow")),
        (false, Some(BOUND), None),
        (false, None, None),
    ] {
        assert_eq!(late.reason(has_failed, latency), reason);
    }
}

#[test]
fn part_of_a_trace_stands_for_nothing() {
    let state = "ot=th:e666;rv:0123456789abcd,a=1".parse().unwrap();
    let upgrade = Decision::upgrade("late_error", &state);
    assert!(upgrade.is_kept() && is_upgraded(&upgrade));
    assert_eq!(upgrade.adjusted_count, Some(0.0));
    let state = upgrade.added.unwrap().trace_state.unwrap();
    assert_eq!(state.header(), "ot=rv:0123456789abcd,a=1");
}

mod policies;
