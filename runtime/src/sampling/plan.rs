//! What decides on the traces of an instance, as its settings say: the sampler, and around it what decides at a trace's end:
//! `Keeping(Budgeted(Tiered(sampler)))`, as far as each is set.

use std::sync::Arc;

use super::budgeted::Budgeted;
use super::keep::Keep;
use super::keeping::Keeping;
use super::members::Members;
use super::rule::Rule;
use super::ruled::Ruled;
use super::sampler::Sampler;
use super::tenants::Tenants;
use super::tiered::Tiered;
use super::watch::Watch;

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) sampler: Sampler,
    /// The tags that a verdict asks for, if it asks for any.
    pub(crate) watch: Option<Arc<Watch>>,
    /// Whether a request takes until its response's body has ended, and not its head alone.
    pub(crate) counts_bodies: bool,
    /// Who the tenants are, if traces have any.
    pub(crate) tenants: Option<Arc<Tenants>>,
}

impl Plan {
    pub(crate) fn new(
        mut sampler: Sampler,
        rules: &[Rule],
        keep: Option<&Keep>,
        tenants: Option<Tenants>,
    ) -> Self {
        let mut watch = Watch::default();
        let members = tenants.as_ref().map(|it| Arc::new(Members::of(it)));
        let tiers = tenants.as_ref().zip(members);
        if let Some((tenants, members)) = tiers.as_ref().filter(|(it, _)| it.has_rates()) {
            sampler = Sampler::of(Tiered::new(tenants, Arc::clone(members), sampler));
        }
        if !rules.is_empty() {
            sampler = Sampler::of(Ruled::new(rules, sampler, &mut watch));
        }
        if let Some((tenants, members)) = tiers {
            sampler = Sampler::of(Budgeted::new(tenants, members, sampler));
        }
        if let Some(keep) = keep.filter(|keep| !keep.is_empty()) {
            sampler = Sampler::of(Keeping::new(keep, tenants.as_ref(), sampler, &mut watch));
        }
        Self {
            sampler,
            watch: (!watch.is_empty()).then(|| Arc::new(watch)),
            counts_bodies: keep.is_some_and(Keep::counts_bodies),
            tenants: tenants.map(Arc::new),
        }
    }
}
