//! The sampler `probability`: a share of all traces, alike in all services.

use std::fmt;

use super::ot_entry::{has_randomness, randomness};
use super::ratio::parse_share;
use super::sample::{Decision, Floor, NewTrace, Refuse, Sample};
use super::sampler::Sampler;
use super::threshold::{RANDOM, Threshold};
use crate::diag;
use crate::error::Error;

#[derive(Debug)]
struct Probability {
    probability: f64,
    /// `None` if nothing is kept.
    threshold: Option<Threshold>,
}

impl Sampler {
    /// Records this share of the traces that begin here, from 0 (none) to 1 (all), and says so to whoever reads them: the threshold in
    /// `tracestate` travels with the trace and is on each span, so that receivers know how many traces a recorded one stands for
    /// (`sampling.adjusted_count` on the first span says it, too). Traces that began in another service are recorded if they are there,
    /// with the threshold that was decided by there.
    ///
    /// Traces that have failed are kept, too, so every request is recorded ([`Keep`](super::Keep)). With `.keep(Keep::none())` or
    /// `BIZTRACE_KEEP=none` the share alone is kept, and nothing else is recorded.
    ///
    /// Services with different shares record the same traces: what one records, each one with a larger share records. This is the
    /// specification's [consistent probability sampling]. [`trace_id_ratio`](Self::trace_id_ratio) decides alike, but tells nobody.
    ///
    /// ```
    /// use biztrace::settings::Sampler;
    ///
    /// assert_eq!(Sampler::probability(0.1).to_string(), "probability(0.1)");
    /// ```
    ///
    /// [consistent probability sampling]: https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
    #[must_use]
    pub fn probability(probability: f64) -> Self {
        Self::of(Probability {
            probability,
            threshold: (probability > 0.0).then(|| Threshold::of(probability)),
        })
    }

    /// By `OTEL_TRACES_SAMPLER_ARG`.
    pub(crate) fn parse_probability(argument: &str, refuse: &mut Refuse<'_>) -> Self {
        Self::probability(parse_share(argument, refuse))
    }
}

/// Warns of what decides by a caller's trace id, unless the caller says that it is random.
pub(super) fn warn_unless_random(decides: &dyn fmt::Display, trace: &NewTrace<'_>) {
    if let Some(parent) = trace.parent
        && parent.trace_flags() & RANDOM != RANDOM
        && !has_randomness(trace.state())
    {
        static ONCE: diag::Once = diag::Once::new();
        ONCE.warn(format_args!(
            "`{decides}` decides by the last 14 digits of trace ids, and a caller does not say that those of its ids are random"
        ));
    }
}

impl Sample for Probability {
    fn sample(&self, trace: &NewTrace<'_>) -> Decision {
        let Some(is_sampled) = trace.caller else {
            return self.sample_anew(trace);
        };
        let threshold = trace.callers_threshold();
        let decision = Decision::new(is_sampled, Some("parent"));
        Decision {
            adjusted_count: threshold
                .filter(|_| is_sampled)
                .map(Threshold::adjusted_count),
            ..decision.by_threshold(trace, threshold)
        }
    }

    fn sample_anew(&self, trace: &NewTrace<'_>) -> Decision {
        warn_unless_random(self, trace);
        let state = trace.state();
        let kept_by = self
            .threshold
            .filter(|threshold| threshold.keeps(randomness(state, trace.id)));
        // Of what the caller samples by a threshold, both keep what the higher one keeps.
        let kept_by = match trace.floor() {
            Some(Floor(Some(callers))) => kept_by.map(|own| own.max(callers)),
            _ => kept_by,
        };
        Decision {
            adjusted_count: kept_by.map(Threshold::adjusted_count),
            ..Decision::new(kept_by.is_some(), Some("probability")).by_threshold(trace, kept_by)
        }
    }

    fn tells_threshold(&self) -> bool {
        true
    }

    fn keeps_errors(&self) -> bool {
        true
    }

    fn check(&self) -> Result<(), Error> {
        match self.probability {
            0.0..=1.0 => Ok(()),
            probability => Err(Error::Ratio(probability)),
        }
    }
}

impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "probability({})", self.probability)
    }
}
