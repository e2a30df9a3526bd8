//! The sampler `rate_limiting`: a number of traces a second.

use std::fmt;
use std::time::Instant;

use super::bucket::Bucket;
use super::sample::{Decision, NewTrace, Refuse, Sample};
use super::sampler::Sampler;
use crate::error::Error;

#[derive(Debug)]
struct RateLimiting {
    rate: f64,
    bucket: Bucket,
    epoch: Instant,
}

impl Sampler {
    /// Records so many traces a second. What one second does not use, the next one may: a second's worth, or one trace if that is more.
    /// Clones share the rate; each process has one of its own.
    ///
    /// How many traces a recorded one stands for is not known, so sums over them are too low: for those, [`probability`](Self::probability).
    /// Below a caller that samples, a rate leaves holes in traces: [`parent_based`](Self::parent_based) follows callers.
    ///
    /// ```
    /// use biztrace::settings::Sampler;
    ///
    /// let sampler = Sampler::rate_limiting(100.0).parent_based();
    /// assert_eq!(sampler.to_string(), "parentbased_rate_limiting(100)");
    /// ```
    #[must_use]
    pub fn rate_limiting(traces_per_second: f64) -> Self {
        Self::of(RateLimiting {
            rate: traces_per_second,
            bucket: Bucket::new(traces_per_second),
            epoch: Instant::now(),
        })
    }

    /// By `OTEL_TRACES_SAMPLER_ARG`.
    pub(crate) fn parse_rate(argument: &str, refuse: &mut Refuse<'_>) -> Self {
        let rate = argument.parse().ok().filter(|rate| is_rate(*rate));
        match rate {
            Some(rate) => Self::rate_limiting(rate),
            None => {
                refuse(argument, "a number of traces a second above 0");
                Self::always_on()
            }
        }
    }
}

fn is_rate(rate: f64) -> bool {
    rate.is_finite() && rate > 0.0
}

impl Sample for RateLimiting {
    fn sample(&self, trace: &NewTrace<'_>) -> Decision {
        let now = (trace.now)().saturating_duration_since(self.epoch);
        let is_kept = self.bucket.take(now);
        Decision::new(is_kept, Some("rate_limiting")).by_threshold(trace, None)
    }

    fn check(&self) -> Result<(), Error> {
        match is_rate(self.rate) {
            true => Ok(()),
            false => Err(Error::Rate(self.rate)),
        }
    }
}

impl fmt::Display for RateLimiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rate_limiting({})", self.rate)
    }
}
