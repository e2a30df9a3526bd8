//! The rates of tiers around a sampler, which decides for the tiers that have none.

use std::fmt;
use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanContext;

use super::members::Members;
use super::ot_entry::threshold;
use super::rate::Rate;
use super::sample::{Decision, NewTrace, RecordedTrace, Sample, Unasked};
use super::sampler::Sampler;
use super::tenants::Tenants;

const REASON: &str = "tier";

/// Decides when a trace begins, by the tier that is known then, and again by its tier at its end.
#[derive(Debug)]
pub(super) struct Tiered {
    head: Sampler,
    members: Arc<Members>,
    /// Of each tier, if it has one.
    rates: Vec<Option<Rate>>,
    /// Whether a tier has no rate: then the sampler may be asked later, since the tier of a trace may change.
    is_mixed: bool,
}

impl Tiered {
    pub(super) fn new(tenants: &Tenants, members: Arc<Members>, head: Sampler) -> Self {
        let rates = tenants.tiers.iter().map(|it| it.tier.rate.map(Rate::new));
        let rates: Vec<_> = rates.collect();
        Self {
            head,
            members,
            is_mixed: rates.iter().any(Option::is_none),
            rates,
        }
    }

    fn rate_of(&self, tenant: Option<&str>) -> Option<Rate> {
        let tier = self.members.tier_of(tenant);
        self.rates.get(usize::from(tier.0)).copied().flatten()
    }

    /// The sampler's word on a trace, whichever tier it had when it began.
    fn samplers_verdict(&self, trace: &RecordedTrace<'_>) -> Decision {
        let sampler = self.head.sample();
        let notes = trace.head.notes.as_deref();
        let Some(asked) = notes.and_then(|notes| notes.unasked.as_ref()) else {
            return sampler.verdict(trace);
        };
        let decision = sampler.sample(&NewTrace {
            id: trace.id,
            name: &asked.name,
            kind: &asked.kind,
            parent: asked.parent.as_ref(),
            caller: asked.caller,
            request: None,
            tenant: trace.tenant,
            now: trace.now,
        });
        // The threshold of the tier's rate is in the trace's state, and has not decided.
        let added = decision.added.as_deref();
        let state = added.and_then(|added| added.trace_state.as_ref());
        let state = state.or(asked.parent.as_ref().map(SpanContext::trace_state));
        let told = state.and_then(threshold);
        let decision = decision.upheld().with_threshold_in(trace.state, told);
        match decision.is_kept() && !trace.head.is_kept() {
            true => decision.adding(KeyValue::new("sampling.upgraded", true)),
            false => decision,
        }
    }
}

impl Sample for Tiered {
    fn sample(&self, trace: &NewTrace<'_>) -> Decision {
        let Some(rate) = self.rate_of(trace.tenant) else {
            return self.head.sample().sample(trace);
        };
        let mut decision = rate.on_head(REASON, trace);
        if self.is_mixed {
            decision.notes_mut().unasked = Some(Unasked::of(trace));
        }
        decision
    }

    fn verdict(&self, trace: &RecordedTrace<'_>) -> Decision {
        match self.rate_of(trace.tenant) {
            Some(rate) => rate.on_end(REASON, trace),
            None => self.samplers_verdict(trace),
        }
    }

    fn tells_threshold(&self) -> bool {
        true
    }
}

impl fmt::Display for Tiered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head.fmt(f)
    }
}
