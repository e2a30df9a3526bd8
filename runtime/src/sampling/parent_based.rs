//! The sampler `parentbased_…`: the caller decides, another sampler where there is no caller.

use super::{Decision, NewTrace, Sample};

#[derive(Debug)]
pub(super) struct ParentBased {
    pub(super) root: Box<dyn Sample>,
    /// Whether the other sampler keeps every trace.
    pub(super) keeps_all: bool,
}

impl Sample for ParentBased {
    fn sample(&self, trace: &NewTrace<'_>) -> Decision {
        match trace.caller {
            Some(is_sampled) => Decision::new(is_sampled, (!self.keeps_all).then_some("parent")),
            None => self.root.sample(trace),
        }
    }
}
