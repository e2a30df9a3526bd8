//! The type that settings hold a sampler by.

use std::fmt;
use std::sync::Arc;

use super::sample::Sample;

/// Which traces are recorded, decided when their first span in this process starts.
///
/// The default records every new trace and follows the caller's decision for the others. The samplers are those of the
/// [OpenTelemetry specification][spec], and any [`ShouldSample`](opentelemetry_sdk::trace::ShouldSample) by [`Sampler::new`].
///
/// ```
/// use biztrace::settings::Sampler;
///
/// // One new trace in ten. A trace that began in another service is recorded if it is there.
/// let sampler = Sampler::trace_id_ratio(0.1).parent_based();
/// assert_eq!(sampler.to_string(), "parentbased_traceidratio(0.1)");
/// ```
///
/// Clones share their state, for example what a rate has left. [`fmt::Display`] shows a sampler as `OTEL_TRACES_SAMPLER` names it, with
/// its argument in brackets.
///
/// [spec]: https://opentelemetry.io/docs/specs/otel/trace/sdk/#built-in-samplers
#[derive(Debug, Clone)]
pub struct Sampler(Arc<dyn Sample>);

impl Sampler {
    pub(crate) fn of(sample: impl Sample + 'static) -> Self {
        Self(Arc::new(sample))
    }

    pub(crate) fn sample(&self) -> &dyn Sample {
        &*self.0
    }
}

impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
