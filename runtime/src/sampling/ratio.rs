//! The sampler `traceidratio`: a share of all traces, by their ids.

use std::fmt;

use opentelemetry::trace::TraceId;

use super::sample::{Decision, NewTrace, Refuse, Sample};
use super::sampler::Sampler;
use super::threshold::randomness_of;
use crate::error::Error;

#[derive(Debug)]
pub(crate) struct Ratio {
    ratio: f64,
    threshold: u64,
}

impl Ratio {
    /// From 0 (no trace) to 1 (all of them).
    pub(crate) fn new(ratio: f64) -> Self {
        Self {
            ratio,
            threshold: threshold(ratio),
        }
    }

    #[cfg(feature = "otlp-grpc")]
    pub(crate) fn ratio(&self) -> f64 {
        self.ratio
    }

    /// Decides by the trace id alone.
    pub(crate) fn decide(&self, id: TraceId, reason: &'static str) -> Decision {
        let keep = randomness_of(id) >= self.threshold;
        Decision::new(keep, Some(reason)).with_probability(self.ratio)
    }
}

impl Sampler {
    /// Records this share of all traces, from 0 (none) to 1 (all). The decision depends on the trace id alone, so that services with
    /// the same ratio decide alike.
    #[must_use]
    pub fn trace_id_ratio(ratio: f64) -> Self {
        Self::of(Ratio::new(ratio))
    }
}

impl Sampler {
    /// By `OTEL_TRACES_SAMPLER_ARG`.
    pub(crate) fn parse_ratio(argument: &str, refuse: &mut Refuse<'_>) -> Self {
        Self::trace_id_ratio(parse_share(argument, refuse))
    }
}

/// A share of all traces. That it is missing is worth a warning, too: whoever asks for a share does not want everything.
pub(super) fn parse_share(argument: &str, refuse: &mut Refuse<'_>) -> f64 {
    let share = argument.parse().ok();
    let share = share.filter(|share| (0.0..=1.0).contains(share));
    share.unwrap_or_else(|| {
        refuse(argument, "a ratio from 0 to 1, where 1 keeps every trace");
        1.0
    })
}

impl Sample for Ratio {
    fn sample(&self, trace: &NewTrace<'_>) -> Decision {
        self.decide(trace.id, "trace_id_ratio")
            .by_threshold(trace, None)
    }

    fn check(&self) -> Result<(), Error> {
        match self.ratio {
            0.0..=1.0 => Ok(()),
            ratio => Err(Error::Ratio(ratio)),
        }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "traceidratio({})", self.ratio)
    }
}

/// 2^56: one more than the largest randomness.
const RANDOMNESS: f64 = (1_u64 << 56) as f64;

/// The least randomness that is kept.
fn threshold(ratio: f64) -> u64 {
    ((1.0 - ratio.clamp(0.0, 1.0)) * RANDOMNESS).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_keeps_its_share_and_says_what_one_trace_stands_for() {
        let ids = (0..100_000_u128)
            .map(|i| TraceId::from(i.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_0c3e_8d5a_2b47)));
        let ratio = Ratio::new(0.1);
        let kept = ids
            .map(|id| ratio.decide(id, "test"))
            .filter(Decision::is_kept)
            .inspect(|decision| assert_eq!(decision.adjusted_count, Some(10.0)));
        let kept = kept.count();
        assert!(
            (9_500..10_500).contains(&kept),
            "{kept} of 100,000 kept at a ratio of 0.1"
        );
    }
}
