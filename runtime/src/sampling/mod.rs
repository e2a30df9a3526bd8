//! Sampling decisions. Reads settings, knows nothing of how spans are recorded.

mod always;
mod parent_based;
mod ratio;
#[cfg_attr(
    not(feature = "otlp-grpc"),
    allow(dead_code, reason = "servers of strategies are asked over gRPC")
)]
pub(crate) mod remote;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

use opentelemetry::trace::TraceId;
use opentelemetry_sdk::trace::SamplingDecision;

use self::always::Always;
use self::parent_based::ParentBased;
use self::ratio::Ratio;
use self::remote::{Remote, Strategy};
use crate::config::Sampler;

/// Decides on each trace when its first local span starts, before anything is recorded. Owns the state that it decides by.
pub(crate) trait Sample: Debug + Send + Sync {
    fn sample(&self, trace: &NewTrace<'_>) -> Decision;

    /// Decides on a trace that was to be recorded only (`head`), when it is over or waits no longer. Without a verdict of the sampler's
    /// own the trace is dropped.
    fn verdict(&self, head: &Decision) -> Decision {
        Decision {
            decision: SamplingDecision::Drop,
            ..head.clone()
        }
    }
}

/// A trace whose first local span is about to start.
pub(crate) struct NewTrace<'a> {
    pub(crate) id: TraceId,
    /// The name of that span.
    pub(crate) name: &'a str,
    /// Whether the caller has the trace sampled, `None` if no caller says so.
    pub(crate) caller: Option<bool>,
    /// Reads a clock that never goes back.
    pub(crate) now: &'a dyn Fn() -> Instant,
}

/// What is done with a trace, and why.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    pub(crate) decision: SamplingDecision,
    /// The value of `sampling.reason`. `None` if the sampler keeps every trace: then the attribute says nothing.
    pub(crate) reason: Option<&'static str>,
    /// How many traces a kept one stands for, if it was kept by a probability.
    pub(crate) adjusted_count: Option<f64>,
}

impl Decision {
    #[cfg(test)]
    pub(crate) const KEEP: Self = Self {
        decision: SamplingDecision::RecordAndSample,
        reason: None,
        adjusted_count: None,
    };

    fn new(keep: bool, reason: Option<&'static str>) -> Self {
        Self {
            decision: match keep {
                true => SamplingDecision::RecordAndSample,
                false => SamplingDecision::Drop,
            },
            reason,
            adjusted_count: None,
        }
    }

    /// By that probability.
    fn with_probability(self, probability: f64) -> Self {
        Self {
            adjusted_count: Some(1.0 / probability),
            ..self
        }
    }

    /// Whether the trace is kept.
    #[inline]
    pub(crate) fn is_kept(&self) -> bool {
        self.decision == SamplingDecision::RecordAndSample
    }

    /// Whether its spans are recorded.
    #[inline]
    pub(crate) fn is_recorded(&self) -> bool {
        self.decision != SamplingDecision::Drop
    }
}

/// Makes the sampler that `settings` describe. If a server sets its strategy, that is returned beside it, to be kept up to date.
pub(crate) fn sampler(settings: &Sampler) -> (Box<dyn Sample>, Option<Arc<Remote>>) {
    match settings {
        Sampler::AlwaysOn => (Box::new(Always::On), None),
        Sampler::AlwaysOff => (Box::new(Always::Off), None),
        Sampler::TraceIdRatio(ratio) => (Box::new(Ratio::new(*ratio)), None),
        Sampler::ParentBased(root) => {
            let keeps_all = **root == Sampler::AlwaysOn;
            let (root, remote) = sampler(root);
            let root = ParentBased { root, keeps_all };
            (Box::new(root), remote)
        }
        Sampler::JaegerRemote(settings) => {
            let remote = Arc::new(Remote::new(Strategy::Share(settings.initial_rate)));
            (Box::new(Arc::clone(&remote)), Some(remote))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::JaegerRemote;

    #[test]
    fn each_sampler_decides_as_the_specification_says() {
        let low = TraceId::from(0);
        let high = TraceId::from(u128::MAX);
        let ratio = Sampler::TraceIdRatio;
        let by_parent = Sampler::parent_based;
        let (on, off) = (Sampler::AlwaysOn, Sampler::AlwaysOff);
        let mut remote = JaegerRemote::new("http://localhost:14250");
        remote.initial_rate = 0.5;
        let remote = || Sampler::JaegerRemote(remote.clone());
        let cases = [
            (on.clone(), None, low, true, ""),
            (on.clone(), Some(false), low, true, ""),
            (off.clone(), Some(true), high, false, "always_off"),
            (ratio(0.0), None, high, false, "trace_id_ratio"),
            (ratio(1.0), None, low, true, "trace_id_ratio"),
            (ratio(0.5), None, low, false, "trace_id_ratio"),
            (ratio(0.5), None, high, true, "trace_id_ratio"),
            (ratio(0.5), Some(false), high, true, "trace_id_ratio"),
            (by_parent(off.clone()), Some(true), low, true, "parent"),
            (by_parent(on), Some(false), low, false, ""),
            (by_parent(off), None, low, false, "always_off"),
            (by_parent(ratio(0.25)), None, high, true, "trace_id_ratio"),
            (remote(), None, low, false, "jaeger_remote"),
            (remote(), Some(false), high, true, "jaeger_remote"),
            (by_parent(remote()), Some(false), high, false, "parent"),
        ];
        for (settings, caller, id, keep, reason) in cases {
            let decision = sampler(&settings).0.sample(&NewTrace {
                id,
                name: "GET",
                caller,
                now: &Instant::now,
            });
            assert_eq!(
                (decision.is_kept(), decision.reason.unwrap_or_default()),
                (keep, reason),
                "{settings:?} below {caller:?}"
            );
        }
    }
}
