//! Shares and rates: what they keep, and what they tell of it.

use std::time::{Duration, Instant};

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, TraceFlags, TraceId, TraceState};

use super::{Decision, HIGH, LOW, NewTrace, ParentBased, Sampler, parent, random_ids, sample};

fn with_state(parent: SpanContext, header: &str) -> SpanContext {
    let (id, span, flags) = (parent.trace_id(), parent.span_id(), parent.trace_flags());
    SpanContext::new(id, span, flags, true, header.parse().unwrap())
}

/// What a trace's state becomes.
fn state_after(decision: &Decision) -> Option<String> {
    let added = decision.added.as_deref()?;
    added.trace_state.as_ref().map(TraceState::header)
}

#[test]
fn a_probability_decides_on_new_traces_and_says_how() {
    for (probability, id, is_kept, count, state) in [
        (0.5, HIGH, true, Some(2.0), Some("ot=th:8")),
        (0.5, LOW, false, None, None),
        (1.0, LOW, true, Some(1.0), Some("ot=th:0")),
        (0.0, HIGH, false, None, None),
    ] {
        let decision = sample(&Sampler::probability(probability), None, id);
        assert_eq!(decision.is_kept(), is_kept, "{probability}");
        assert_eq!(decision.reason, Some("probability"));
        assert_eq!(decision.adjusted_count, count, "{probability}");
        assert_eq!(state_after(&decision).as_deref(), state, "{probability}");
    }
}

#[test]
fn a_probability_follows_callers_and_their_thresholds() {
    // The caller's state, whether it samples, and then: what a trace stands for, and what its state becomes if it changes.
    for (before, is_sampled, count, after) in [
        ("", true, None, None),
        ("", false, None, None),
        ("ot=th:8;rv:80000000000000", true, Some(2.0), None),
        // Decided by something else: the threshold would have dropped it.
        (
            "ot=th:8;rv:70000000000000,a=1",
            true,
            None,
            Some("ot=rv:70000000000000,a=1"),
        ),
        ("ot=th:8;rv:70000000000000", false, None, None),
        // Without a randomness of its own, the id's: 1.
        ("ot=th:8", true, None, Some("")),
        ("ot=th:0", true, Some(1.0), None),
    ] {
        let parent = with_state(parent(is_sampled, true), before);
        let decision = sample(&Sampler::probability(0.25), Some(&parent), LOW);
        assert_eq!(decision.is_kept(), is_sampled, "{before}");
        assert_eq!(decision.reason, Some("parent"));
        assert_eq!(decision.adjusted_count, count, "{before}");
        assert_eq!(state_after(&decision).as_deref(), after, "{before}");
    }
}

/// A caller that leaves the decision open (`b3: {id}-{id}`) has a trace id, and may have a state.
#[test]
fn a_probability_decides_where_a_caller_has_not() {
    let parent = with_state(parent(false, true), "ot=rv:90000000000000,a=1");
    let decide = |probability| {
        Sampler::probability(probability)
            .sample()
            .sample(&NewTrace {
                id: LOW,
                name: "GET",
                kind: &SpanKind::Server,
                parent: Some(&parent),
                caller: None,
                request: None,
                tenant: None,
                now: &Instant::now,
            })
    };
    let kept = decide(0.5);
    assert!(kept.is_kept());
    let state = state_after(&kept);
    assert_eq!(state.as_deref(), Some("ot=th:8;rv:90000000000000,a=1"));
    assert!(!decide(0.25).is_kept());
}

#[test]
fn what_a_probability_keeps_a_larger_one_keeps() {
    let ids = (0..20_000_u128)
        .map(|i| TraceId::from(i.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_0c3e_8d5a_2b47)));
    let samplers = [0.001, 0.01, 0.1, 0.3, 1.0].map(Sampler::probability);
    for id in ids {
        let kept = samplers
            .iter()
            .map(|sampler| sample(sampler, None, id).is_kept());
        assert!(kept.is_sorted(), "{id}");
    }
}

#[test]
fn a_rate_keeps_so_many_traces_a_second() {
    let sampler = Sampler::rate_limiting(5.0);
    let start = Instant::now();
    let kept = |millis| {
        let now = start + Duration::from_millis(millis);
        let decisions = (0..20).map(|_| {
            sampler.sample().sample(&NewTrace {
                id: LOW,
                name: "GET",
                kind: &SpanKind::Server,
                parent: None,
                caller: None,
                request: None,
                tenant: None,
                now: &|| now,
            })
        });
        decisions.filter(Decision::is_kept).count()
    };
    assert_eq!([0, 500, 1_000, 60_000].map(kept), [5, 2, 3, 5]);
}

#[test]
fn settings_that_cannot_work_are_refused_with_the_fix() {
    let refused = |sampler: Sampler| sampler.check().unwrap_err().to_string();
    for sampler in [Sampler::probability(10.0), Sampler::probability(f64::NAN)] {
        let error = refused(sampler);
        assert!(error.contains("Write 0.25 for 25 %"), "{error}");
    }
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = refused(Sampler::rate_limiting(rate));
        assert!(error.contains("of traces a second"), "{error}");
    }
    assert!(Sampler::probability(0.0).check().is_ok());
}

#[test]
fn of_a_million_traces_each_probability_keeps_its_share_with_true_weights() {
    const TRACES: f64 = 1e6;
    for probability in [0.5, 0.1, 0.01, 0.001] {
        let sampler = Sampler::probability(probability);
        let (mut kept, mut sum) = (0.0, 0.0);
        for id in random_ids(7).take(TRACES as usize) {
            let decision = sample(&sampler, None, id);
            if decision.is_kept() {
                kept += 1.0;
                sum += decision.adjusted_count.unwrap();
            }
        }
        let sigma = (TRACES * probability * (1.0 - probability)).sqrt();
        let off = (kept - TRACES * probability).abs();
        assert!(off < 5.0 * sigma, "{probability}: {kept} kept");
        // Of each kept trace's weight, 1/p.
        let off = (sum - TRACES).abs();
        assert!(
            off < 5.0 * sigma / probability,
            "{probability}: a sum of {sum}"
        );
        assert!(probability < 0.1 || off < 0.01 * TRACES, "{sum}");
    }
}

#[test]
fn over_a_minute_a_rate_keeps_what_it_says() {
    for (rate, offered) in [(1.0, 1_000), (100.0, 150), (1_000.0, 100_000)] {
        let sampler = Sampler::rate_limiting(rate);
        let start = Instant::now();
        let is_kept = |n: u32| {
            let now = start + Duration::from_secs(60) * n / (60 * offered);
            let decision = sampler.sample().sample(&NewTrace {
                id: LOW,
                name: "GET",
                kind: &SpanKind::Server,
                parent: None,
                caller: None,
                request: None,
                tenant: None,
                now: &|| now,
            });
            decision.is_kept()
        };
        let kept = (0..60 * offered).filter(|n| is_kept(*n)).count() as f64;
        let burst = rate.max(1.0);
        assert!(kept >= 0.99 * 60.0 * rate, "{rate}: {kept}");
        assert!(kept <= 60.0 * rate + burst, "{rate}: {kept}");
    }
}

/// What decides anew does not pass on what a caller has decided by.
#[test]
fn threshold_of_a_caller_stays_only_where_it_is_followed() {
    let ratio = || Sampler::trace_id_ratio(1.0);
    let branches =
        |sampler: Sampler| ParentBased::new(Sampler::always_on()).remote_parent_sampled(sampler);
    for (sampler, after) in [
        (Sampler::always_on(), Some("ot=th:0")),
        (Sampler::always_off(), Some("")),
        (ratio(), Some("")),
        (Sampler::rate_limiting(1.0), Some("")),
        (Sampler::default(), None),
        (ratio().parent_based(), None),
        (branches(ratio()).into(), Some("")),
        (branches(Sampler::probability(0.5)).into(), None),
    ] {
        // Half of the traces, which this one is of.
        let parent = with_state(parent(true, true), "ot=th:8");
        let decision = sample(&sampler, Some(&parent), HIGH);
        assert_eq!(state_after(&decision).as_deref(), after, "{sampler}");
    }
    // It cannot have decided so.
    let parent = with_state(parent(true, true), "ot=th:8");
    let decision = sample(&Sampler::default(), Some(&parent), LOW);
    assert_eq!(state_after(&decision).as_deref(), Some(""));
}

#[test]
fn a_probability_decides_in_a_branch_below_a_caller() {
    let sampler = |probability| -> Sampler {
        ParentBased::new(Sampler::always_on())
            .remote_parent_sampled(Sampler::probability(probability))
            .remote_parent_not_sampled(Sampler::probability(probability))
            .into()
    };
    for is_sampled in [true, false] {
        let parent = parent(is_sampled, true);
        assert!(sample(&sampler(0.5), Some(&parent), HIGH).is_kept());
        assert!(!sample(&sampler(0.5), Some(&parent), LOW).is_kept());
    }
}

/// Both decide by the same randomness: what is kept counts by the higher of the thresholds.
#[test]
fn a_share_of_what_a_caller_samples_counts_by_the_stricter_of_the_two() {
    let branch = |share| -> Sampler {
        ParentBased::new(Sampler::always_on())
            .remote_parent_sampled(Sampler::probability(share))
            .into()
    };
    for (callers, own, count) in [
        ("ot=th:c", 0.5, 4.0),
        ("ot=th:8", 0.25, 4.0),
        ("", 0.5, 2.0),
    ] {
        let caller = SpanContext::new(
            HIGH,
            SpanId::from(2),
            TraceFlags::SAMPLED,
            true,
            callers.parse().unwrap(),
        );
        let decision = sample(&branch(own), Some(&caller), HIGH);
        assert_eq!(decision.adjusted_count, Some(count), "{callers} {own}");
    }
}

#[test]
fn a_rate_of_one_in_a_century_keeps_one() {
    let sampler = Sampler::rate_limiting(f64::MIN_POSITIVE);
    let kept = (0..10).filter(|_| sample(&sampler, None, LOW).is_kept());
    assert_eq!(kept.count(), 1);
}
