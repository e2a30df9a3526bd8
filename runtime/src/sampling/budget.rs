//! Budgets of spans a second, one for each tenant of a tier: what a tenant has offered in one second decides which share of it is kept in
//! the next.
//!
//! ```text
//! hash of the name ─► set of 4 slots ─► slot { hash │ second, spans offered in it │ share }
//!                                       none is its, free or idle ─► one slot that all such tenants share
//! ```
//! A share is decided before the traces that it applies to begin, so that each kept trace stands for a known number. The table
//! has a fixed size and no lock: several threads may write to one slot, and at worst some spans of a second are not counted.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const SETS: usize = 256;
const WAYS: usize = 4;

/// A slot whose tenant has offered nothing for so many seconds goes to another one.
const IDLE: u64 = 60;

pub(super) struct Budget {
    /// Of each tenant.
    spans_per_second: u32,
    /// Nobody outside knows which names share a set.
    seed: RandomState,
    slots: Box<[[Slot; WAYS]]>,
    /// Of the tenants that have no slot of their own.
    others: Slot,
}

#[derive(Default)]
struct Slot {
    /// Of the tenant's name; 0 if it has none.
    hash: AtomicU64,
    /// The last second with spans, from 1 on, and their number: 32 bits each.
    offered: AtomicU64,
    /// The share of this second, as bits of an `f64`.
    share: AtomicU64,
}

impl Budget {
    pub(super) fn new(spans_per_second: u32) -> Self {
        let slots = (0..SETS).map(|_| Default::default());
        Self {
            spans_per_second,
            seed: RandomState::new(),
            slots: slots.collect(),
            others: Slot::default(),
        }
    }

    /// Counts spans of a tenant in that second, and returns the share of its traces that is kept. A trace whose tenant is unknown is of one
    /// that has no name.
    pub(super) fn offer(&self, tenant: Option<&str>, second: u32, spans: u64) -> f64 {
        let hash = self.seed.hash_one(tenant).max(1);
        // A slot that was never used has second 0.
        let second = u64::from(second) + 1;
        let slot = self.slot(hash, second);
        slot.offer(second, spans, self.spans_per_second)
    }

    fn slot(&self, hash: u64, second: u64) -> &Slot {
        let set = &self.slots[hash as usize % SETS];
        if let Some(own) = set.iter().find(|slot| slot.hash.load(Relaxed) == hash) {
            return own;
        }
        for slot in set {
            let (last, _) = parts(slot.offered.load(Relaxed));
            let before = slot.hash.load(Relaxed);
            let is_free = before == 0 || second.saturating_sub(last) >= IDLE;
            if is_free {
                match slot.hash.compare_exchange(before, hash, Relaxed, Relaxed) {
                    Ok(_) => return slot,
                    // Another thread has taken it, for the same tenant.
                    Err(now) if now == hash => return slot,
                    Err(_) => {}
                }
            }
        }
        &self.others
    }
}

impl Slot {
    fn offer(&self, second: u64, spans: u64, budget: u32) -> f64 {
        let add = |offered: u64| {
            let (last, number) = parts(offered);
            let (last, number) = match last < second {
                true => (second, spans),
                // A thread may be late.
                false => (last, number.saturating_add(spans)),
            };
            Some((last << 32) | number.min(u64::from(u32::MAX)))
        };
        let before = self.offered.fetch_update(Relaxed, Relaxed, add);
        let (last, number) = parts(before.unwrap_or_else(|offered| offered));
        if last < second {
            // Of a tenant that comes in pulses, the spans of a pulse are for the seconds up to the next, too.
            let allowed = f64::from(budget) * (second - last) as f64;
            let share = match last {
                0 => 1.0,
                _ => (allowed / number as f64).min(1.0),
            };
            self.share.store(share.to_bits(), Relaxed);
            return share;
        }
        f64::from_bits(self.share.load(Relaxed))
    }
}

/// A second, and the spans offered in it.
fn parts(offered: u64) -> (u64, u64) {
    (offered >> 32, offered & u64::from(u32::MAX))
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Budget");
        shown.field("spans_per_second", &self.spans_per_second);
        shown.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_all(share: f64) -> bool {
        share >= 1.0
    }

    #[test]
    fn share_follows_the_last_second() {
        let budget = Budget::new(100);
        let offer = |second, spans| budget.offer(Some("acme"), second, spans);
        assert!(is_all(offer(0, 600)) && is_all(offer(0, 400)), "the first");
        for _ in 0..3 {
            let tenth = offer(1, 300);
            assert_eq!(tenth, 0.1);
        }
        assert_eq!(offer(0, 100), 0.1, "a thread is late");
        assert_eq!(offer(2, 50), 0.1);
        assert!(is_all(offer(3, 5000)), "less than its budget");
        assert_eq!(
            offer(5, 5000),
            0.04,
            "two seconds of budget for one of spans"
        );
        assert!(is_all(offer(55, 1)), "nothing for long");
        assert!(is_all(offer(56, u64::MAX)));
        assert!(!is_all(offer(57, u64::MAX)), "no overflow");
    }

    #[test]
    fn tenants_do_not_share_their_budgets() {
        let budget = Budget::new(100);
        for second in 0..10 {
            let flood = budget.offer(Some("flood"), second, 10_000);
            assert_eq!(is_all(flood), second == 0);
            assert!(is_all(budget.offer(Some("acme"), second, 100)));
            assert!(is_all(budget.offer(None, second, 100)));
        }
    }

    #[test]
    fn made_up_names_change_nothing_for_a_tenant_that_is_there() {
        let budget = Budget::new(100);
        budget.offer(Some("acme"), 0, 1);
        for second in 1..50 {
            for n in 0..2_000 {
                budget.offer(Some(&format!("{second}-{n}")), second, 100);
            }
            assert!(is_all(budget.offer(Some("acme"), second, 50)));
        }
        let others = budget.offer(Some("one more"), 50, 1);
        assert!(!is_all(others), "they share one budget");
    }

    #[test]
    fn slots_of_idle_tenants_are_given_away() {
        let budget = Budget::new(100);
        for n in 0..100_000 {
            budget.offer(Some(&n.to_string()), 0, 1_000);
        }
        for (second, is_given) in [(59, false), (60, true)] {
            budget.offer(Some("acme"), second, 50);
            let hash = budget.seed.hash_one(Some("acme")).max(1);
            let set = &budget.slots[hash as usize % SETS];
            let own = set.iter().any(|slot| slot.hash.load(Relaxed) == hash);
            assert_eq!(own, is_given, "{second}");
        }
    }

    #[test]
    fn threads_share_a_slot() {
        let budget = Budget::new(1_000);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1_000).for_each(|_| _ = budget.offer(Some("acme"), 0, 1)));
            }
        });
        let quarter = budget.offer(Some("acme"), 1, 1);
        assert_eq!(quarter, 0.25, "no span is lost");
    }
}
