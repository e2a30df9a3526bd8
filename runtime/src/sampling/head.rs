//! The decision at a trace's first local span, before anything is recorded.

use opentelemetry::trace::TraceId;

use crate::config::Sampler;

/// Whether a trace is kept, and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Decision {
    pub(crate) keep: bool,
    /// The value of `sampling.reason`.
    pub(crate) reason: &'static str,
    /// How many traces a kept one stands for, where it was kept by a probability.
    pub(crate) adjusted_count: Option<f64>,
}

/// Decides on a trace of which the caller says whether it is sampled, `None` if nobody does. `remote` decides where a server sets
/// the strategy.
pub(crate) fn decide(
    sampler: &Sampler,
    caller: Option<bool>,
    trace_id: TraceId,
    remote: impl FnOnce() -> Decision,
) -> Decision {
    let decision = |keep, reason| Decision {
        keep,
        reason,
        adjusted_count: None,
    };
    match sampler {
        Sampler::AlwaysOn => decision(true, "always_on"),
        Sampler::AlwaysOff => decision(false, "always_off"),
        Sampler::TraceIdRatio(ratio) => Decision {
            keep: is_kept(trace_id, *ratio),
            reason: "trace_id_ratio",
            adjusted_count: Some(1.0 / ratio),
        },
        Sampler::ParentBased(root) => match caller {
            Some(is_sampled) => decision(is_sampled, "parent"),
            None => decide(root, None, trace_id, remote),
        },
        Sampler::JaegerRemote(_) => remote(),
    }
}

/// Whether a trace is of that share of all.
pub(super) fn is_kept(trace_id: TraceId, ratio: f64) -> bool {
    randomness(trace_id) >= threshold(ratio)
}

/// 2^56: one more than the largest [`randomness`].
const RANDOMNESS: f64 = (1_u64 << 56) as f64;

/// The trace id's rightmost 56 bits, random by Trace Context Level 2.
fn randomness(trace_id: TraceId) -> u64 {
    u128::from_be_bytes(trace_id.to_bytes()) as u64 & ((1 << 56) - 1)
}

/// The least randomness that is kept.
fn threshold(ratio: f64) -> u64 {
    ((1.0 - ratio.clamp(0.0, 1.0)) * RANDOMNESS).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sampler_decides_as_the_specification_says() {
        let low = TraceId::from(0);
        let high = TraceId::from(u128::MAX);
        let ratio = Sampler::TraceIdRatio;
        let by_parent = |root| Sampler::ParentBased(Box::new(root));
        let cases = [
            (Sampler::AlwaysOn, None, low, true, "always_on"),
            (Sampler::AlwaysOn, Some(false), low, true, "always_on"),
            (Sampler::AlwaysOff, Some(true), high, false, "always_off"),
            (ratio(0.0), None, high, false, "trace_id_ratio"),
            (ratio(1.0), None, low, true, "trace_id_ratio"),
            (ratio(0.5), None, low, false, "trace_id_ratio"),
            (ratio(0.5), None, high, true, "trace_id_ratio"),
            (ratio(0.5), Some(false), high, true, "trace_id_ratio"),
            (
                by_parent(Sampler::AlwaysOff),
                Some(true),
                low,
                true,
                "parent",
            ),
            (
                by_parent(Sampler::AlwaysOn),
                Some(false),
                low,
                false,
                "parent",
            ),
            (
                by_parent(Sampler::AlwaysOff),
                None,
                low,
                false,
                "always_off",
            ),
            (by_parent(ratio(0.25)), None, high, true, "trace_id_ratio"),
        ];
        for (sampler, caller, trace_id, keep, reason) in cases {
            let decision = decide(&sampler, caller, trace_id, || unreachable!());
            assert_eq!(
                (decision.keep, decision.reason),
                (keep, reason),
                "{sampler:?} below {caller:?}"
            );
        }
    }

    #[test]
    fn a_ratio_keeps_its_share_and_says_what_one_trace_stands_for() {
        let ids = (0..100_000_u128)
            .map(|i| TraceId::from(i.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_0c3e_8d5a_2b47)));
        let decisions =
            ids.map(|id| decide(&Sampler::TraceIdRatio(0.1), None, id, || unreachable!()));
        let kept = decisions
            .filter(|decision| decision.keep)
            .inspect(|d| assert_eq!(d.adjusted_count, Some(10.0)));
        let kept = kept.count();
        assert!(
            (9_500..10_500).contains(&kept),
            "{kept} of 100,000 kept at a ratio of 0.1"
        );
    }
}
