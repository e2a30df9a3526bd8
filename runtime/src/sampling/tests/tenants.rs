//! The rates of tiers, decided when a trace begins and when it is over.

use std::time::{Duration, Instant};

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, TraceFlags, TraceId, TraceState};

use crate::sampling::ot_entry::threshold;
use crate::sampling::threshold::Threshold;
use crate::sampling::{
    Decision, Keep, NewTrace, Plan, RecordedTrace, Sampler, Tenants, Tier, TierId,
};

pub(super) const LOW: TraceId = TraceId::from_bytes([0; 16]);
pub(super) const HIGH: TraceId = TraceId::from_bytes([0xff; 16]);

/// `vip` keeps all, the rest a tenth.
fn tenants() -> Tenants {
    Tenants::from_tag()
        .tier("vip", Tier::of(["acme", "globex-*"]).rate(1.0))
        .tier("default", Tier::rest().rate(0.1))
}

pub(super) fn plan(tenants: Tenants, sampler: Sampler) -> Sampler {
    keeping(tenants, sampler, None)
}

pub(super) fn keeping(mut tenants: Tenants, sampler: Sampler, keep: Option<Keep>) -> Sampler {
    tenants.settle(|warning| panic!("{warning}")).unwrap();
    Plan::new(sampler, &[], keep.as_ref(), Some(tenants)).sampler
}

/// A trace, as the recorder has it decided.
#[derive(Clone, Copy)]
pub(super) struct Trace<'a> {
    pub(super) id: TraceId,
    /// The tenant that its request names, and the one that is known at its end.
    pub(super) tenants: [Option<&'a str>; 2],
    pub(super) caller: Option<bool>,
    pub(super) state: &'a str,
    pub(super) has_failed: bool,
    pub(super) spans: u64,
    pub(super) now: Instant,
}

/// A trace of that tenant.
pub(super) fn of(tenant: Option<&str>, id: TraceId) -> Trace<'_> {
    Trace {
        id,
        tenants: [tenant; 2],
        caller: None,
        state: "",
        has_failed: false,
        spans: 1,
        now: Instant::now(),
    }
}

/// The head's decision and the verdict, with the threshold that each tells.
pub(super) struct Decided {
    pub(super) head: Decision,
    pub(super) sent: Option<Threshold>,
    pub(super) verdict: Decision,
    pub(super) told: Option<Threshold>,
}

impl Trace<'_> {
    pub(super) fn decide(&self, sampler: &Sampler) -> Decided {
        let flags = TraceFlags::NOT_SAMPLED.with_sampled(self.caller == Some(true));
        let state: TraceState = self.state.parse().unwrap();
        let parent = SpanContext::new(self.id, SpanId::from(1), flags, true, state.clone());
        let now = || self.now;
        let mut head = sampler.sample().sample(&NewTrace {
            id: self.id,
            name: "GET",
            kind: &SpanKind::Server,
            parent: self.caller.is_some().then_some(&parent),
            caller: self.caller,
            request: None,
            tenant: self.tenants[0],
            now: &now,
        });
        let added = head.added.take();
        let state = added.and_then(|added| added.trace_state).unwrap_or(state);
        let trace = RecordedTrace {
            id: self.id,
            head: &head,
            state: &state,
            tenant: self.tenants[1],
            has_failed: self.has_failed,
            latency: Duration::ZERO,
            spans: self.spans,
            hits: 0,
            now: &now,
        };
        let verdict = match head.is_recorded() {
            true => sampler.sample().verdict(&trace),
            false => head.clone(),
        };
        assert!(!head.is_recorded() || head.waits());
        let added = verdict.added.as_deref();
        let changed = added.and_then(|added| added.trace_state.as_ref());
        Decided {
            sent: threshold(&state),
            told: threshold(changed.unwrap_or(&state)),
            head,
            verdict,
        }
    }
}

fn is_upgraded(verdict: &Decision) -> bool {
    let added = verdict.added.iter().flat_map(|added| &added.attributes);
    let mut keys = added.map(|attribute| attribute.key.as_str());
    keys.any(|key| key == "sampling.upgraded")
}

#[test]
fn rate_of_the_tier_takes_the_place_of_the_samplers() {
    let none = plan(tenants(), Sampler::always_off());
    let all = plan(tenants(), Sampler::always_on());
    for sampler in [none, all] {
        for (tenant, id, tier, kept_by) in [
            (Some("acme"), LOW, 0, Some(1.0)),
            (Some("globex-eu"), LOW, 0, Some(1.0)),
            (Some("initech"), LOW, 1, None),
            (Some("initech"), HIGH, 1, Some(0.1)),
            (None, LOW, 1, None),
            (None, HIGH, 1, Some(0.1)),
        ] {
            let decided = of(tenant, id).decide(&sampler);
            let kept_by = kept_by.map(Threshold::of);
            for decision in [&decided.head, &decided.verdict] {
                assert_eq!(decision.is_kept(), kept_by.is_some(), "{tenant:?}");
                assert_eq!(decision.reason, Some("tier"));
                assert_eq!(decision.tier, TierId(tier));
                let count = kept_by.map(Threshold::adjusted_count);
                assert_eq!(decision.adjusted_count, count);
            }
            assert_eq!((decided.sent, decided.told), (kept_by, kept_by));
            assert!(!is_upgraded(&decided.verdict));
        }
    }
}

#[test]
fn tenant_that_is_known_late_decides_with_its_own_rate() {
    let sampler = plan(tenants(), Sampler::always_off());
    for (tenants, id, head, verdict) in [
        ([None, Some("acme")], LOW, None, Some(1.0)),
        ([None, Some("acme")], HIGH, Some(0.1), Some(1.0)),
        ([Some("acme"), Some("initech")], LOW, Some(1.0), None),
        ([Some("acme"), Some("initech")], HIGH, Some(1.0), Some(0.1)),
    ] {
        let trace = Trace {
            tenants,
            ..of(None, id)
        };
        let decided = trace.decide(&sampler);
        assert_eq!(decided.sent, head.map(Threshold::of), "{tenants:?}");
        assert_eq!(decided.verdict.is_kept(), verdict.is_some());
        if let Some(rate) = verdict {
            assert_eq!(decided.told, Some(Threshold::of(rate)), "{tenants:?}");
        }
        assert_eq!(is_upgraded(&decided.verdict), head.is_none());
    }
}

/// Randomness of 0.8125.
const MIDDLE: TraceId = TraceId::from_bytes([0xd0; 16]);

#[test]
fn caller_that_samples_is_a_floor_below_the_rate() {
    let sampler = plan(tenants(), Sampler::always_off());
    for (tenant, id, state, reason, told) in [
        (None, MIDDLE, "ot=th:c,a=1", "parent", Some("c")),
        (None, HIGH, "ot=th:c,a=1", "tier", Some("c")),
        (None, HIGH, "ot=th:f", "tier", Some("e666")),
        (None, HIGH, "", "tier", Some("e666")),
        (None, LOW, "", "parent", None),
        (None, LOW, "ot=th:c", "parent", None),
        (Some("acme"), HIGH, "ot=th:c", "tier", Some("0")),
    ] {
        let trace = Trace {
            caller: Some(true),
            state,
            ..of(tenant, id)
        };
        let decided = trace.decide(&sampler);
        let told = told.and_then(Threshold::parse);
        assert!(decided.verdict.is_kept(), "{state}");
        assert_eq!(decided.verdict.reason, Some(reason), "{state}");
        let count = told.map(Threshold::adjusted_count);
        assert_eq!(decided.verdict.adjusted_count, count, "{state}");
        assert_eq!((decided.sent, decided.told), (told, told), "{state}");
    }
    let moved = Trace {
        caller: Some(true),
        tenants: [Some("acme"), None],
        state: "ot=th:c",
        ..of(None, MIDDLE)
    };
    let decided = moved.decide(&sampler);
    assert_eq!(decided.sent, Some(Threshold::ALL));
    assert_eq!(decided.told, Threshold::parse("c"), "the caller's again");
    let unsampled = Trace {
        caller: Some(false),
        state: "ot=th:c",
        ..of(Some("acme"), LOW)
    };
    let decided = unsampled.decide(&sampler);
    assert!(decided.head.is_kept() && decided.verdict.is_kept());
    assert_eq!(decided.told, Some(Threshold::ALL));
}

#[test]
fn tier_without_a_rate_leaves_it_to_the_sampler() {
    let mixed = || {
        Tenants::from_tag()
            .tier("vip", Tier::of(["acme"]).rate(1.0))
            .tier("free", Tier::of(["initech"]).rate(0.0))
    };
    let share = plan(mixed(), Sampler::probability(0.25));
    let quarter = Some(Threshold::of(0.25));
    for before in [None, Some("acme"), Some("initech")] {
        for (id, kept_by) in [(LOW, None), (HIGH, quarter)] {
            let trace = Trace {
                tenants: [before, Some("other")],
                ..of(None, id)
            };
            let decided = trace.decide(&share);
            let verdict = decided.verdict;
            assert_eq!(verdict.is_kept(), kept_by.is_some(), "{before:?}");
            assert_eq!(verdict.reason, Some("probability"));
            if kept_by.is_some() {
                assert_eq!(decided.told, kept_by, "{before:?}");
                assert_eq!(verdict.adjusted_count, Some(4.0));
            }
        }
    }
    for (sampler, is_kept) in [(Sampler::always_on(), true), (Sampler::always_off(), false)] {
        let sampler = plan(mixed(), sampler);
        let decided = of(Some("other"), LOW).decide(&sampler);
        assert_eq!(decided.verdict.is_kept(), is_kept);
        assert!(!of(Some("initech"), HIGH).decide(&sampler).verdict.is_kept());
    }
}

#[test]
fn what_keep_keeps_is_kept_in_its_tier() {
    let sampler = keeping(tenants(), Sampler::always_off(), Some(Keep::errors()));
    let trace = Trace {
        has_failed: true,
        ..of(Some("initech"), LOW)
    };
    let decided = trace.decide(&sampler);
    assert_eq!(decided.verdict.reason, Some("error"));
    assert_eq!(decided.told, Some(Threshold::ALL));
    assert_eq!(decided.verdict.tier, TierId(1));
    assert!(is_upgraded(&decided.verdict));
    let dropped = of(Some("initech"), LOW).decide(&sampler).verdict;
    assert!(!dropped.is_kept());
    assert_eq!(dropped.tier, TierId(1));
}

#[test]
fn sampler_is_not_asked_about_tiers_with_a_rate() {
    let tenants = Tenants::from_tag().tier("vip", Tier::of(["acme"]).rate(1.0));
    let sampler = plan(tenants, Sampler::rate_limiting(1.0));
    for _ in 0..100 {
        let vip = of(Some("acme"), LOW).decide(&sampler);
        assert_eq!(vip.verdict.reason, Some("tier"));
    }
    let mut kept = (0..2).map(|_| of(None, LOW).decide(&sampler).verdict.is_kept());
    assert_eq!((kept.next(), kept.next()), (Some(true), Some(false)));
}

#[test]
fn tiers_without_rates_record_nothing_that_the_sampler_drops() {
    let tenants = || Tenants::from_tag().tier("vip", Tier::of(["acme"]).weight(3));
    let head = |sampler| of(Some("acme"), LOW).decide(&sampler).head;
    assert!(!head(plan(tenants(), Sampler::always_off())).is_recorded());
    let kept = head(plan(tenants(), Sampler::always_on()));
    assert!(kept.is_kept() && kept.waits());
    let errors = Some(Keep::errors());
    let kept = head(keeping(tenants(), Sampler::always_off(), errors));
    assert!(kept.is_recorded() && kept.waits());
}
