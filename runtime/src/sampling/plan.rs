//! What decides on the traces of an instance, as its settings say: the sampler, and around it what decides at a trace's end.

use std::sync::Arc;

use super::keep::Keep;
use super::keeping::Keeping;
use super::rule::Rule;
use super::ruled::Ruled;
use super::sampler::Sampler;
use super::watch::Watch;

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) sampler: Sampler,
    /// The tags that a verdict asks for, if it asks for any.
    pub(crate) watch: Option<Arc<Watch>>,
    /// Whether a request takes until its response's body has ended, and not its head alone.
    pub(crate) counts_bodies: bool,
}

impl Plan {
    pub(crate) fn new(mut sampler: Sampler, rules: &[Rule], keep: Option<&Keep>) -> Self {
        let mut watch = Watch::default();
        if !rules.is_empty() {
            sampler = Sampler::of(Ruled::new(rules, sampler, &mut watch));
        }
        if let Some(keep) = keep.filter(|keep| !keep.is_empty()) {
            sampler = Sampler::of(Keeping::new(keep, sampler, &mut watch));
        }
        Self {
            sampler,
            watch: (!watch.is_empty()).then(|| Arc::new(watch)),
            counts_bodies: keep.is_some_and(Keep::counts_bodies),
        }
    }
}
