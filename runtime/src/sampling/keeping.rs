//! The verdict of a [`Keep`] on a trace that is over.

use std::fmt;

use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SamplingDecision;

use super::budgets::Budgets;
use super::keep::Keep;
use super::late::Late;
use super::ot_entry::{randomness, threshold};
use super::sample::{Decision, NewTrace, RecordedTrace, Sample};
use super::sampler::Sampler;
use super::tenants::Tenants;
use super::threshold::Threshold;
use super::tier::TierId;
use super::vote::{Vote, Voters};
use super::watch::Watch;

/// Asks a sampler when a trace begins, has it recorded in any case, and keeps what the sampler or a `Keep` keeps.
#[derive(Debug)]
pub(super) struct Keeping {
    head: Sampler,
    keep: Keep,
    policies: Voters,
    /// Those that take from a rate.
    spare: Voters,
    drops: Voters,
    /// For the errors of each tier's tenants.
    error_budgets: Budgets,
    /// Whether the threshold of what is kept in any case is told, since others are.
    tells_threshold: bool,
}

/// Why a trace is kept that the sampler may not keep.
struct Reason<'k> {
    reason: &'static str,
    policy: Option<&'k str>,
    /// `None` if nobody knows of how many it is one.
    threshold: Option<Threshold>,
}

impl Keeping {
    pub(super) fn new(
        keep: &Keep,
        tenants: Option<&Tenants>,
        head: Sampler,
        watch: &mut Watch,
    ) -> Self {
        let (takers, others): (Vec<_>, Vec<_>) = keep.policies.iter().partition(|it| it.takes());
        Self {
            policies: Voters::new(others.into_iter(), watch),
            spare: Voters::new(takers.into_iter(), watch),
            drops: Voters::new(keep.drops.iter(), watch),
            keep: keep.clone(),
            error_budgets: Budgets::new(tenants, |tier| tier.errors),
            tells_threshold: head.sample().tells_threshold(),
            head,
        }
    }

    /// The first policy that keeps every such trace, or else the one that keeps the largest share of them.
    fn reason(&self, trace: &RecordedTrace<'_>, tier: TierId) -> Option<Reason<'_>> {
        if self.keep.keeps_error(trace) {
            let share = self.error_budgets.share(tier, trace, 1).unwrap_or(1.0);
            let threshold = Threshold::of(share);
            if threshold.keeps(randomness(trace.state, trace.id)) {
                return Some(Reason::keep("error", threshold));
            }
        }
        if self.keep.keeps_slow(trace) {
            return Some(Reason::keep("slow", Threshold::ALL));
        }
        let mut best: Option<(&str, Threshold)> = None;
        for voter in self.policies.on(trace) {
            if let Vote::Keep(threshold) = voter.vote(trace)
                && best.is_none_or(|(_, best)| threshold < best)
            {
                best = Some((&voter.name, threshold));
                if threshold == Threshold::ALL {
                    break;
                }
            }
        }
        best.map(|(name, threshold)| Reason::policy(name, Some(threshold)))
    }

    /// A policy that has something left for a trace that nothing else keeps.
    fn spare(&self, trace: &RecordedTrace<'_>) -> Option<Reason<'_>> {
        let mut takers = self.spare.on(trace);
        let taker = takers.find(|voter| voter.vote(trace) != Vote::No)?;
        Some(Reason::policy(&taker.name, None))
    }

    fn drops(&self, trace: &RecordedTrace<'_>) -> bool {
        let mut drops = self.drops.on(trace);
        drops.any(|voter| voter.vote(trace) != Vote::No)
    }

    /// Keeps a trace for that reason, beside what the sampler has made of it.
    fn keep(&self, trace: &RecordedTrace<'_>, sampled: Decision, why: Reason<'_>) -> Decision {
        let mut kept = Decision::keep_recorded(trace, why.reason, why.threshold);
        // Traces that were kept by a share have a weight by that threshold, and others none.
        kept.adjusted_count.get_or_insert(0.0);
        kept.tier = sampled.tier;
        if let Some(added) = &mut kept.added {
            let policy = why.policy.map(str::to_owned);
            let policy = policy.map(|policy| KeyValue::new("sampling.policy", policy));
            added.attributes.extend(policy);
            if !self.tells_threshold && threshold(trace.state).is_none() {
                added.trace_state = None;
            }
        }
        kept
    }
}

impl<'k> Reason<'k> {
    fn keep(reason: &'static str, threshold: Threshold) -> Self {
        Self {
            reason,
            policy: None,
            threshold: Some(threshold),
        }
    }

    fn policy(name: &'k str, threshold: Option<Threshold>) -> Self {
        Self {
            reason: "policy",
            policy: Some(name),
            threshold,
        }
    }

    /// Whether it keeps more such traces than the sampler, which has kept this one. If nobody knows of how many the sampler keeps one, a
    /// trace counts by the share that is known.
    fn keeps_more_than(&self, sampled: &Decision) -> bool {
        let Some(mine) = self.threshold else {
            return false;
        };
        // A sampler that keeps every trace gives no reason.
        let every = sampled.reason.is_none().then_some(1.0);
        let others = sampled.adjusted_count.or(every);
        mine == Threshold::ALL || others.is_none_or(|others| mine.adjusted_count() < others)
    }
}

impl Sample for Keeping {
    fn sample(&self, trace: &NewTrace<'_>) -> Decision {
        let head = self.head.sample().sample(trace);
        if head.is_never() {
            return head;
        }
        Decision {
            decision: match head.is_kept() {
                true => SamplingDecision::RecordAndSample,
                false => SamplingDecision::RecordOnly,
            },
            is_final: false,
            ..head
        }
    }

    fn verdict(&self, trace: &RecordedTrace<'_>) -> Decision {
        let sampled = self.head.sample().verdict(trace);
        if sampled.is_never() {
            return sampled;
        }
        if self.drops(trace) {
            return Decision {
                decision: SamplingDecision::Drop,
                ..sampled
            };
        }
        match self.reason(trace, sampled.tier) {
            Some(why) if !sampled.is_kept() || why.keeps_more_than(&sampled) => {
                self.keep(trace, sampled, why)
            }
            None if !sampled.is_kept() => match self.spare(trace) {
                Some(why) => self.keep(trace, sampled, why),
                None => sampled,
            },
            _ => sampled,
        }
    }

    /// What would have kept it, and what no policy would have dropped then.
    fn late(&self, trace: &RecordedTrace<'_>) -> Late {
        let mut late = self.keep.late();
        // One that has failed already was dropped all the same.
        late.errors &= !trace.has_failed;
        if self.drops.is_empty() {
            return late;
        }
        let failed = RecordedTrace {
            has_failed: true,
            ..*trace
        };
        let slow = |least| RecordedTrace {
            latency: trace.latency.max(least),
            ..*trace
        };
        Late {
            errors: late.errors && !self.drops(&failed),
            slower_than: late.slower_than.filter(|least| !self.drops(&slow(*least))),
        }
    }
}

impl fmt::Display for Keeping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head.fmt(f)
    }
}

#[cfg(test)]
mod tests;
