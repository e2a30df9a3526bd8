//! The samplers `always_on` and `always_off`.

use std::fmt;

use super::sample::{Decision, NewTrace, Sample};
use super::sampler::Sampler;

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
    fn sample(&self, _: &NewTrace<'_>) -> Decision {
        match self {
            Self::On => Decision::new(true, None),
            Self::Off => Decision::new(false, Some("always_off")),
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
