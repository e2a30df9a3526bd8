//! The memory of a tier: its reserve, which no other takes, and beyond it the memory that all share.
//!
//! ```text
//! Limits::memory │ common: traces, export threads, chunks past a reserve │ open traces of tier 0 │ of tier 1 │ … │ chunks of tier 0 │ of tier 1 │ …
//!                │                                                       │ ← `MemoryBudget::with_traces` →       │ ← reserves, in each exporter →
//! ```
//! Without tenants the reserve is zero, and chunks take all from the common memory, to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::recorder::MemoryBudget;

/// What the chunks of a tier hold.
#[derive(Debug)]
pub(super) struct TierMemory {
    common: Arc<MemoryBudget>,
    reserve: usize,
    /// Bytes taken of the reserve.
    own: AtomicUsize,
    /// Bytes taken of the common memory.
    shared: AtomicUsize,
}

impl TierMemory {
    pub(super) fn new(common: Arc<MemoryBudget>, reserve: usize) -> Self {
        Self {
            common,
            reserve,
            own: AtomicUsize::new(0),
            shared: AtomicUsize::new(0),
        }
    }

    #[cfg(test)]
    pub(super) fn reserve(&self) -> usize {
        self.reserve
    }

    /// Takes `bytes`, if there are as many.
    pub(super) fn take(&self, bytes: usize) -> bool {
        if self.reserve == 0 {
            return self.common.take(bytes);
        }
        let own = self.take_own(bytes);
        let more = bytes - own;
        if more > 0 && !self.common.take(more) {
            self.own.fetch_sub(own, Ordering::Relaxed);
            return false;
        }
        self.shared.fetch_add(more, Ordering::Relaxed);
        true
    }

    /// Counts `bytes` that are in use already.
    pub(super) fn count(&self, bytes: usize) {
        if self.reserve == 0 {
            self.common.count(bytes);
            return;
        }
        let more = bytes - self.take_own(bytes);
        if more > 0 {
            self.common.count(more);
            self.shared.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// Gives back what was taken or counted: the common memory first, since others may want it.
    pub(super) fn give_back(&self, bytes: usize) {
        if self.reserve == 0 {
            self.common.give_back(bytes);
            return;
        }
        let shared = lower(&self.shared, bytes);
        self.common.give_back(shared);
        self.own.fetch_sub(bytes - shared, Ordering::Relaxed);
    }

    /// Takes what the reserve has left, `bytes` at most.
    fn take_own(&self, bytes: usize) -> usize {
        let more = |own: usize| Some(self.reserve.min(own + bytes)).filter(|new| *new > own);
        let before = self
            .own
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        before.map_or(0, |own| self.reserve.min(own + bytes) - own)
    }
}

/// Takes `bytes` off `counter`, or what it has. Returns how many.
fn lower(counter: &AtomicUsize, bytes: usize) -> usize {
    let less = |has: usize| Some(has.saturating_sub(bytes));
    let before = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    before.map_or(0, |has| has.min(bytes))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn tier(common: &Arc<MemoryBudget>, reserve: usize) -> TierMemory {
        TierMemory::new(Arc::clone(common), reserve)
    }

    #[test]
    fn no_flood_takes_the_reserve_of_another_tier() {
        let common = Arc::new(MemoryBudget::new(100));
        let (vip, rest) = (tier(&common, 30), tier(&common, 10));
        let taken = (0..200).filter(|_| rest.take(1)).count();
        assert_eq!((taken, common.used()), (110, 100));
        rest.count(50);
        assert!(vip.take(30) && !vip.take(1));
        vip.give_back(30);
        assert!(vip.take(20) && vip.take(10));
        rest.give_back(160);
        vip.give_back(30);
        assert_eq!(common.used(), 0);
    }

    #[test]
    fn what_is_refused_takes_nothing() {
        let common = Arc::new(MemoryBudget::new(100));
        let vip = tier(&common, 30);
        assert!(!vip.take(131) && vip.take(130) && !vip.take(1));
        vip.give_back(130);
        assert_eq!((common.used(), vip.own.load(Ordering::Relaxed)), (0, 0));
    }

    #[test]
    fn without_a_reserve_chunks_take_all_memory() {
        let common = Arc::new(MemoryBudget::new(100));
        let only = tier(&common, 0);
        assert!(only.take(100) && !only.take(1));
        only.give_back(100);
        assert_eq!(common.used(), 0);
    }

    #[test]
    fn threads_give_back_what_they_take() {
        let common = Arc::new(MemoryBudget::new(1_000));
        let tiers = [tier(&common, 300), tier(&common, 50)];
        thread::scope(|scope| {
            for seed in 1..=4_usize {
                let tiers = &tiers;
                scope.spawn(move || {
                    let mut state = seed;
                    for _ in 0..20_000 {
                        state = state
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1);
                        let (tier, bytes) = (&tiers[state >> 40 & 1], state >> 50 & 255);
                        if state >> 60 == 0 {
                            tier.count(bytes);
                        } else if !tier.take(bytes) {
                            continue;
                        }
                        assert!(tier.own.load(Ordering::Relaxed) <= tier.reserve);
                        tier.give_back(bytes);
                    }
                });
            }
        });
        for tier in &tiers {
            let left = [&tier.own, &tier.shared].map(|it| it.load(Ordering::Relaxed));
            assert_eq!(left, [0, 0]);
        }
        assert_eq!(common.used(), 0);
    }
}
