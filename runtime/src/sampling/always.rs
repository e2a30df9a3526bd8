//! The samplers `always_on` and `always_off`.

use std::fmt;

use super::sample::{Decision, NewTrace, Sample};
use super::sampler::Sampler;
use super::threshold::Threshold;

#[derive(Debug)]
enum Always {
    On,
    Off,
}

impl Sampler {
    /// Records every trace.
    #[must_use]
    pub fn always_on() -> Self {
        Self::of(Always::On)
    }

    /// Records no trace.
    #[must_use]
    pub fn always_off() -> Self {
        Self::of(Always::Off)
    }
}

impl Sample for Always {
    fn sample(&self, trace: &NewTrace<'_>) -> Decision {
        match self {
            // Only where a caller has told another one.
            Self::On => {
                let all = trace.told_threshold().map(|_| Threshold::ALL);
                Decision::new(true, None).by_threshold(trace, all)
            }
            Self::Off => Decision::new(false, Some("always_off")).by_threshold(trace, None),
        }
    }

    fn keeps_all(&self) -> bool {
        matches!(self, Self::On)
    }
}

impl fmt::Display for Always {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::On => "always_on",
            Self::Off => "always_off",
        })
    }
}
