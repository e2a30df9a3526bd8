//! The samplers `always_on` and `always_off`.

use super::{Decision, NewTrace, Sample};

#[derive(Debug)]
pub(super) enum Always {
    On,
    Off,
}

impl Sample for Always {
    fn sample(&self, _: &NewTrace<'_>) -> Decision {
        match self {
            Self::On => Decision::new(true, None),
            Self::Off => Decision::new(false, Some("always_off")),
        }
    }
}
