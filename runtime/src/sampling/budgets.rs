//! The budgets of one kind, of all tiers.

use std::time::Instant;

use super::budget::Budget;
use super::sample::RecordedTrace;
use super::tenants::Tenants;
use super::tier::{Tier, TierId};

#[derive(Debug)]
pub(super) struct Budgets {
    /// Of each tier, if its tenants have one.
    tiers: Vec<Option<Budget>>,
    /// Since when seconds are counted.
    epoch: Instant,
}

impl Budgets {
    /// `each` is what a tenant of a tier may have a second.
    pub(super) fn new(tenants: Option<&Tenants>, each: impl Fn(&Tier) -> Option<u32>) -> Self {
        let tiers = tenants.into_iter().flat_map(|tenants| &tenants.tiers);
        Self {
            tiers: tiers.map(|it| each(&it.tier).map(Budget::new)).collect(),
            epoch: Instant::now(),
        }
    }

    pub(super) fn is_any(&self) -> bool {
        self.tiers.iter().any(Option::is_some)
    }

    /// Counts what a trace's tenant has, and returns the share that is kept of it. `None` if its tier has no budget.
    pub(super) fn share(
        &self,
        tier: TierId,
        trace: &RecordedTrace<'_>,
        number: u64,
    ) -> Option<f64> {
        let budget = self.tiers.get(usize::from(tier.0))?.as_ref()?;
        let second = (trace.now)().saturating_duration_since(self.epoch);
        Some(budget.offer(trace.tenant, second.as_secs() as u32, number))
    }
}
