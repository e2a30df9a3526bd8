//! A share of some traces, in place of the sampler's: that of a rule, or of a tier.

use super::ot_entry::randomness;
use super::probability::warn_unless_random;
use super::sample::{Decision, Floor, NewTrace, RecordedTrace};
use super::threshold::Threshold;

#[derive(Debug, Clone, Copy)]
pub(super) struct Rate(Threshold);

/// What becomes of a trace.
struct Verdict {
    is_kept: bool,
    reason: &'static str,
    /// `None` if it is not kept, or nobody knows by which threshold.
    threshold: Option<Threshold>,
}

impl Rate {
    /// From 0, which keeps nothing, to 1.
    pub(super) fn new(rate: f64) -> Self {
        Self(match rate > 0.0 {
            true => Threshold::of(rate),
            false => Threshold::NOTHING,
        })
    }

    pub(super) fn keeps_some(self) -> bool {
        self.0 != Threshold::NOTHING
    }

    /// Decides on a trace that begins.
    pub(super) fn on_head(self, reason: &'static str, trace: &NewTrace<'_>) -> Decision {
        if self.keeps_some() && self.0 != Threshold::ALL {
            warn_unless_random(&"rate", trace);
        }
        let randomness = randomness(trace.state(), trace.id);
        let verdict = self.verdict(reason, randomness, trace.floor());
        let decision = Decision::new(verdict.is_kept, Some(verdict.reason));
        Decision {
            adjusted_count: verdict.threshold.map(Threshold::adjusted_count),
            ..decision.by_threshold(trace, verdict.threshold)
        }
    }

    /// Decides on a trace that is over.
    pub(super) fn on_end(self, reason: &'static str, trace: &RecordedTrace<'_>) -> Decision {
        let randomness = randomness(trace.state, trace.id);
        let verdict = self.verdict(reason, randomness, trace.head.floor());
        match verdict.is_kept {
            true => Decision::keep_recorded(trace, verdict.reason, verdict.threshold),
            false => Decision::new(false, Some(verdict.reason)),
        }
    }

    /// What a caller samples is kept, too. Both decide by the same randomness: together they keep what the lower threshold keeps, and that
    /// is what a trace counts by.
    fn verdict(self, reason: &'static str, randomness: u64, floor: Option<Floor>) -> Verdict {
        let own = self.0.keeps(randomness).then_some(self.0);
        let callers = floor.and_then(|Floor(threshold)| threshold);
        Verdict {
            is_kept: own.is_some() || floor.is_some(),
            reason: match own.is_none() && floor.is_some() {
                true => "parent",
                false => reason,
            },
            threshold: own.into_iter().chain(callers).min(),
        }
    }
}
