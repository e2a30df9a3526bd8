//! The samplers `parentbased_…`: the caller decides, another sampler if there is no caller.

use std::fmt;

use super::sample::{Decision, NewTrace, Sample};
use super::sampler::Sampler;
use super::threshold::Threshold;

/// A sampler for each kind of parent that a trace's first local span may have (specification, ["ParentBased"][spec]).
///
/// [`Sampler::parent_based`] is enough where the parent's decision is followed.
///
/// ```
/// use biztrace::Telemetry;
/// use biztrace::settings::{ParentBased, Sampler};
///
/// // Callers in other services decide what is not recorded, but no more than one of ten traces is recorded for them.
/// let sampler = ParentBased::new(Sampler::always_on()).remote_parent_sampled(Sampler::trace_id_ratio(0.1));
/// let telemetry = Telemetry::builder().sampler(sampler);
/// # let _ = telemetry;
/// ```
///
/// [spec]: https://opentelemetry.io/docs/specs/otel/trace/sdk/#parentbased
#[derive(Debug, Clone)]
#[must_use = "`TelemetryBuilder::sampler` takes it"]
pub struct ParentBased {
    root: Sampler,
    remote_sampled: Option<Sampler>,
    remote_not_sampled: Option<Sampler>,
    local_sampled: Option<Sampler>,
    local_not_sampled: Option<Sampler>,
    /// Whether each of them keeps every trace.
    keeps_all: bool,
}

impl ParentBased {
    /// Asks `root` for traces without a parent. A parent's decision is followed, unless one of the other methods names a sampler.
    pub fn new(root: Sampler) -> Self {
        Self {
            keeps_all: root.sample().keeps_all(),
            root,
            remote_sampled: None,
            remote_not_sampled: None,
            local_sampled: None,
            local_not_sampled: None,
        }
    }

    /// Asks `sampler` for traces that a caller in another process samples.
    pub fn remote_parent_sampled(mut self, sampler: Sampler) -> Self {
        self.remote_sampled = Some(sampler);
        self.judged()
    }

    /// Asks `sampler` for traces that a caller in another process does not sample.
    pub fn remote_parent_not_sampled(mut self, sampler: Sampler) -> Self {
        self.remote_not_sampled = Some(sampler);
        self.judged()
    }

    /// Asks `sampler` for traces that another OpenTelemetry implementation in this process samples.
    pub fn local_parent_sampled(mut self, sampler: Sampler) -> Self {
        self.local_sampled = Some(sampler);
        self.judged()
    }

    /// Asks `sampler` for traces that another OpenTelemetry implementation in this process does not sample.
    pub fn local_parent_not_sampled(mut self, sampler: Sampler) -> Self {
        self.local_not_sampled = Some(sampler);
        self.judged()
    }

    /// Notes whether every trace is kept.
    fn judged(mut self) -> Self {
        self.keeps_all = self.parts().iter().all(|part| part.keeps_all());
        self
    }

    fn branches(&self) -> impl Iterator<Item = (&'static str, &Sampler)> {
        [
            ("remote_parent_sampled", &self.remote_sampled),
            ("remote_parent_not_sampled", &self.remote_not_sampled),
            ("local_parent_sampled", &self.local_sampled),
            ("local_parent_not_sampled", &self.local_not_sampled),
        ]
        .into_iter()
        .filter_map(|(name, sampler)| Some((name, sampler.as_ref()?)))
    }
}

impl From<ParentBased> for Sampler {
    fn from(sampler: ParentBased) -> Self {
        Self::of(sampler)
    }
}

impl Sampler {
    /// Follows the decision of the parent span, and asks this sampler if there is no parent. [`ParentBased`] has a sampler for each kind
    /// of parent.
    #[must_use]
    pub fn parent_based(self) -> Self {
        ParentBased::new(self).into()
    }
}

impl Default for Sampler {
    fn default() -> Self {
        Self::always_on().parent_based()
    }
}

impl Sample for ParentBased {
    fn sample(&self, trace: &NewTrace<'_>) -> Decision {
        let Some(is_sampled) = trace.caller else {
            return self.root.sample().sample(trace);
        };
        let is_local = trace.parent.is_some_and(|parent| !parent.is_remote());
        let branch = match (is_local, is_sampled) {
            (false, true) => &self.remote_sampled,
            (false, false) => &self.remote_not_sampled,
            (true, true) => &self.local_sampled,
            (true, false) => &self.local_not_sampled,
        };
        match branch {
            Some(sampler) => sampler.sample().sample_anew(trace),
            None => {
                let threshold = trace.callers_threshold();
                let decision = Decision::new(is_sampled, (!self.keeps_all).then_some("parent"));
                Decision {
                    adjusted_count: threshold
                        .filter(|_| is_sampled)
                        .map(Threshold::adjusted_count),
                    ..decision.by_threshold(trace, threshold)
                }
            }
        }
    }

    fn keeps_all(&self) -> bool {
        self.keeps_all
    }

    fn tells_threshold(&self) -> bool {
        self.root.sample().tells_threshold()
    }

    fn keeps_errors(&self) -> bool {
        self.root.sample().keeps_errors()
    }

    fn parts(&self) -> Vec<&dyn Sample> {
        let branches = self.branches().map(|(_, sampler)| sampler.sample());
        [self.root.sample()].into_iter().chain(branches).collect()
    }
}

/// As `OTEL_TRACES_SAMPLER` names it, and then the branches that are set.
impl fmt::Display for ParentBased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "parentbased_{}", self.root)?;
        self.branches()
            .try_for_each(|(name, sampler)| write!(f, ", {name}={sampler}"))
    }
}
