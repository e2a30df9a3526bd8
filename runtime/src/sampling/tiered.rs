//! The rates of tiers around a sampler, which decides for the tiers that have none.

use std::fmt;
use std::sync::Arc;

use opentelemetry::KeyValue;

use super::members::Members;
use super::ot_entry::{randomness, threshold};
use super::sample::{Decision, Floor, NewTrace, RecordedTrace, Sample};
use super::sampler::Sampler;
use super::tenants::Tenants;
use super::threshold::Threshold;

/// Decides when a trace begins, by the tier that is known then, and again by its tier at its end.
#[derive(Debug)]
pub(super) struct Tiered {
    head: Sampler,
    members: Arc<Members>,
    /// Of the rate of each tier, if it has one.
    rates: Vec<Option<Threshold>>,
    /// Whether a tier has no rate: then the sampler is asked in any case, since the tier of a trace may change.
    is_mixed: bool,
}

impl Tiered {
    pub(super) fn new(tenants: &Tenants, members: Arc<Members>, head: Sampler) -> Self {
        let threshold = |rate: f64| match rate > 0.0 {
            true => Threshold::of(rate),
            false => Threshold::NOTHING,
        };
        let rates = tenants.tiers.iter().map(|it| it.tier.rate.map(threshold));
        let rates: Vec<_> = rates.collect();
        Self {
            head,
            members,
            is_mixed: rates.contains(&None),
            rates,
        }
    }

    fn rate_of(&self, tenant: Option<&str>) -> Option<Threshold> {
        let tier = self.members.tier_of(tenant);
        self.rates.get(usize::from(tier.0)).copied().flatten()
    }

    /// The sampler's verdict on a trace, whichever tier it had when it began.
    fn samplers_verdict(&self, trace: &RecordedTrace<'_>) -> Decision {
        let head = self.head.sample();
        let Some(asked) = &trace.head.behind else {
            return head.verdict(trace);
        };
        let added = asked.added.as_deref();
        let state = added.and_then(|added| added.trace_state.as_ref());
        let own = Decision {
            added: None,
            ..Decision::clone(asked)
        };
        let verdict = head.verdict(&RecordedTrace {
            head: &own,
            ..*trace
        });
        // The threshold of the tier's rate is in the trace's state, and has not decided. The sampler has changed the caller's, or left it.
        let told = match (state, trace.head.floor) {
            (Some(state), _) => threshold(state),
            (None, Some(Floor(threshold))) => threshold,
            (None, None) => None,
        };
        verdict.with_threshold_in(trace.state, told)
    }
}

/// What a rate makes of a trace: whether it is kept and why, and by which threshold, if that is known. What the caller samples is kept,
/// too: together they keep what the lower threshold keeps, since both decide by the same randomness.
fn by_rate(
    rate: Threshold,
    randomness: u64,
    floor: Option<Floor>,
) -> (Decision, Option<Threshold>) {
    let own = rate.keeps(randomness).then_some(rate);
    let callers = floor.and_then(|Floor(threshold)| threshold);
    let reason = match own.is_none() && floor.is_some() {
        true => "parent",
        false => "tier",
    };
    let threshold = own.into_iter().chain(callers).min();
    let decision = Decision {
        adjusted_count: threshold.map(Threshold::adjusted_count),
        ..Decision::new(own.is_some() || floor.is_some(), Some(reason))
    };
    (decision, threshold)
}

impl Sample for Tiered {
    fn sample(&self, trace: &NewTrace<'_>) -> Decision {
        let Some(rate) = self.rate_of(trace.tenant) else {
            return self.head.sample().sample(trace);
        };
        let randomness = randomness(trace.state(), trace.id);
        let (decision, threshold) = by_rate(rate, randomness, trace.floor());
        let behind = self.is_mixed.then(|| self.head.sample().sample(trace));
        Decision {
            behind: behind.map(Box::new),
            ..decision.by_threshold(trace, threshold)
        }
    }

    fn verdict(&self, trace: &RecordedTrace<'_>) -> Decision {
        let decision = match self.rate_of(trace.tenant) {
            None => self.samplers_verdict(trace),
            Some(rate) => {
                let randomness = randomness(trace.state, trace.id);
                let (decision, threshold) = by_rate(rate, randomness, trace.head.floor);
                decision.with_threshold_in(trace.state, threshold)
            }
        };
        match decision.is_kept() && !trace.head.is_kept() {
            true => decision.adding(KeyValue::new("sampling.upgraded", true)),
            false => decision,
        }
    }

    fn tells_threshold(&self) -> bool {
        true
    }

    fn parts(&self) -> Vec<&dyn Sample> {
        vec![self.head.sample()]
    }
}

impl fmt::Display for Tiered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head.fmt(f)
    }
}
