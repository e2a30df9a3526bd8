//! How the memory of an instance is shared between exporters, open traces, and tiers of tenants.

use std::sync::Arc;

use super::tier::TierSetup;
use super::worker::LEAST_BYTES;
use crate::recorder::MemoryBudget;

/// The memory of an instance, `limit` bytes, of which each exporter reserves a part for its tiers. With several tiers, a quarter of what
/// no exporter needs or reserves is set aside for open traces.
pub(crate) fn memory(limit: usize, exporters: usize, tiers: &[TierSetup]) -> Arc<MemoryBudget> {
    let reserve = reserve(limit, exporters, tiers.len());
    let memory = MemoryBudget::with_reserves(limit, exporters, reserve);
    if tiers.len() < 2 {
        return Arc::new(memory);
    }
    let of_exporters = exporters.max(1) * (reserve + LEAST_BYTES);
    let weights: Vec<u32> = tiers.iter().map(|tier| tier.weight).collect();
    Arc::new(memory.with_traces(limit.saturating_sub(of_exporters) / 4, &weights))
}

/// What each exporter reserves for its tiers: half of its part of `limit` beyond the least that it needs. Nothing for a single tier.
fn reserve(limit: usize, exporters: usize, tiers: usize) -> usize {
    match tiers {
        0 | 1 => 0,
        _ => (limit / exporters.max(1)).saturating_sub(LEAST_BYTES) / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exporters_reserve_half_of_what_they_do_not_need() {
        assert_eq!(reserve(LEAST_BYTES + 80, 1, 1), 0, "without tenants");
        assert_eq!(reserve(LEAST_BYTES + 80, 1, 2), 40);
        assert_eq!(reserve(2 * (LEAST_BYTES + 30), 2, 2), 15);
        assert_eq!(reserve(10, 1, 2), 0);
    }
}
