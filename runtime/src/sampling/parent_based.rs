//! The sampler `parentbased_…`: the caller decides, another sampler where there is no caller.

use super::{Decision, NewTrace, Sample};

#[derive(Debug)]
pub(super) struct ParentBased(pub(super) Box<dyn Sample>);

impl Sample for ParentBased {
    fn sample(&self, trace: &NewTrace<'_>) -> Decision {
        match trace.caller {
            Some(is_sampled) => Decision::new(is_sampled, "parent"),
            None => self.0.sample(trace),
        }
    }
}
