//! The tier of each trace, and the budgets of tenants, around all that has a rate: budgets only thin further.

use std::fmt;
use std::sync::Arc;

use opentelemetry_sdk::trace::SamplingDecision;

use super::budgets::Budgets;
use super::members::Members;
use super::ot_entry::randomness;
use super::sample::{Decision, Floor, NewTrace, RecordedTrace, Sample};
use super::sampler::Sampler;
use super::tenants::Tenants;
use super::threshold::Threshold;
use super::tier::TierId;

/// Has each trace wait that is recorded, since its tenant may be known as late as at its end, and says of which tier it is.
#[derive(Debug)]
pub(super) struct Budgeted {
    head: Sampler,
    members: Arc<Members>,
    budgets: Budgets,
    /// Whether a trace that the head does not keep may be kept when its tier is known.
    may_keep_late: bool,
}

impl Budgeted {
    pub(super) fn new(tenants: &Tenants, members: Arc<Members>, head: Sampler) -> Self {
        Self {
            head,
            members,
            budgets: Budgets::new(Some(tenants), |tier| tier.budget),
            may_keep_late: tenants.has_rates(),
        }
    }

    /// Thins what is kept by the budget of its tenant. What the caller samples is kept, and counts towards no budget.
    fn within_budget(&self, tier: TierId, trace: &RecordedTrace<'_>, kept: Decision) -> Decision {
        let floor = trace.head.floor();
        let spans = if floor.is_some() { 0 } else { trace.spans };
        let share = self.budgets.share(tier, trace, spans);
        let Some(share) = share.filter(|share| *share < 1.0) else {
            return kept;
        };
        // A sampler that keeps every trace gives no reason. Of how many another one keeps a trace is not known without a count.
        let count = kept
            .adjusted_count
            .or_else(|| kept.reason.is_none().then_some(1.0));
        let threshold = Threshold::of(share / count.unwrap_or(1.0));
        let threshold = match floor {
            None => threshold,
            Some(Floor(Some(callers))) => threshold.min(callers),
            Some(Floor(None)) => return kept,
        };
        if !threshold.keeps(randomness(trace.state, trace.id)) {
            return Decision {
                decision: SamplingDecision::Drop,
                ..kept
            };
        }
        let kept = Decision {
            reason: Some("budget"),
            adjusted_count: count.map(|_| threshold.adjusted_count()),
            ..kept
        };
        kept.with_threshold_in(trace.state, count.map(|_| threshold))
    }
}

impl Sample for Budgeted {
    fn sample(&self, trace: &NewTrace<'_>) -> Decision {
        let head = self.head.sample().sample(trace);
        let tier = self.members.tier_of(trace.tenant);
        if head.is_never() || !(head.is_recorded() || self.may_keep_late) {
            return Decision { tier, ..head };
        }
        let mut head = Decision {
            decision: match head.is_kept() {
                true => SamplingDecision::RecordAndSample,
                false => SamplingDecision::RecordOnly,
            },
            is_final: false,
            tier,
            ..head
        };
        if let Some(floor) = trace.floor() {
            head.notes_mut().floor = Some(floor);
        }
        head
    }

    fn verdict(&self, trace: &RecordedTrace<'_>) -> Decision {
        let tier = self.members.tier_of(trace.tenant);
        let decision = self.head.sample().verdict(trace);
        let decision = match decision.is_kept() {
            true => self.within_budget(tier, trace, decision),
            false => decision,
        };
        Decision { tier, ..decision }
    }

    fn tells_threshold(&self) -> bool {
        self.budgets.is_any() || self.head.sample().tells_threshold()
    }
}

impl fmt::Display for Budgeted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head.fmt(f)
    }
}
