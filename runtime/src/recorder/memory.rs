//! The budget of all memory that telemetry holds.
//!
//! Traces, chunks and requests take what they hold in blocks and give it back, so that the hot path asks for none: a trace keeps its
//! blocks while its buffers wait to be used again, unless half of the memory is taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes that all telemetry of an instance holds.
#[derive(Debug)]
pub(crate) struct MemoryBudget {
    limit: usize,
    /// Bytes beside the limit that each exporter has for its tiers of tenants.
    reserve: usize,
    /// What a holder takes at once.
    block: usize,
    used: AtomicUsize,
}

impl MemoryBudget {
    pub(crate) fn new(limit: usize) -> Self {
        Self::in_blocks(limit, BLOCK)
    }

    /// A budget of `limit` bytes in all. Each of the `exporters` has `reserve` of them for its tiers, where nothing else can take them.
    pub(crate) fn with_reserves(limit: usize, exporters: usize, reserve: usize) -> Self {
        Self {
            reserve,
            ..Self::new(limit.saturating_sub(exporters * reserve))
        }
    }

    /// A budget of which a holder takes `block` bytes at once.
    pub(super) fn in_blocks(limit: usize, block: usize) -> Self {
        Self {
            limit,
            reserve: 0,
            block,
            used: AtomicUsize::new(0),
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(crate) fn reserve(&self) -> usize {
        self.reserve
    }

    /// Takes `bytes`, if the limit allows.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        self.take_within(self.limit, bytes)
    }

    /// Takes `bytes`, if three quarters of the limit allow: the rest is for open traces.
    pub(crate) fn take_beside_traces(&self, bytes: usize) -> bool {
        self.take_within(self.limit - self.limit / 4, bytes)
    }

    #[inline]
    fn take_within(&self, limit: usize, bytes: usize) -> bool {
        let fits = self.used.fetch_add(bytes, Ordering::Relaxed) + bytes <= limit;
        if !fits {
            self.give_back(bytes);
        }
        fits
    }

    /// Counts `bytes` that are in use already.
    pub(crate) fn count(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn is_full(&self) -> bool {
        self.used.load(Ordering::Relaxed) >= self.limit
    }

    /// Whether more than half of it is left. Only then is anything kept for later, so that what is kept never takes it all.
    fn is_ample(&self) -> bool {
        self.used.load(Ordering::Relaxed) <= self.limit / 2
    }
}

/// A holder's part of the budget. It goes back when this is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    memory: Arc<MemoryBudget>,
    bytes: usize,
}

/// What most holders take at once.
const BLOCK: usize = 4 * 1024;

impl Reservation {
    pub(crate) fn new(memory: &Arc<MemoryBudget>) -> Self {
        Self {
            memory: Arc::clone(memory),
            bytes: 0,
        }
    }

    /// Holds `bytes` in all, if the limit allows.
    #[inline]
    pub(crate) fn try_grow(&mut self, bytes: usize) -> bool {
        bytes <= self.bytes || self.grow(bytes, MemoryBudget::take)
    }

    /// Counts `bytes` in all that are already in use, even past the limit.
    #[inline]
    pub(crate) fn account(&mut self, bytes: usize) {
        if bytes > self.bytes {
            self.grow(bytes, |memory, more| {
                memory.count(more);
                true
            });
        }
    }

    #[cold]
    fn grow(&mut self, bytes: usize, take: impl FnOnce(&MemoryBudget, usize) -> bool) -> bool {
        let more = (bytes - self.bytes).next_multiple_of(self.memory.block);
        let taken = take(&self.memory, more);
        if taken {
            self.bytes += more;
        }
        taken
    }

    /// The bytes that this holder may use now: no limit until the memory is full, then what it holds.
    #[inline]
    pub(crate) fn limit(&self) -> usize {
        if self.memory.is_full() {
            self.bytes
        } else {
            usize::MAX
        }
    }

    /// Whether unused memory may be kept for later.
    pub(crate) fn may_pool(&self) -> bool {
        self.memory.is_ample()
    }

    /// Keeps at most `bytes` for later, and nothing if others are short of memory.
    #[inline]
    pub(super) fn pool_at_most(&mut self, bytes: usize) {
        if self.bytes > bytes || !self.may_pool() {
            self.shrink_to_pool(bytes);
        }
    }

    #[cold]
    fn shrink_to_pool(&mut self, bytes: usize) {
        self.shrink_to(if self.may_pool() { bytes } else { 0 });
    }

    /// Gives back what is beyond `bytes`.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        if self.bytes > bytes {
            self.memory.give_back(self.bytes - bytes);
            self.bytes = bytes;
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_goes_back() {
        let memory = Arc::new(MemoryBudget::new(10 * BLOCK));
        let used = || memory.used.load(Ordering::Relaxed);
        let mut trace = Reservation::new(&memory);
        assert!(trace.try_grow(1) && trace.try_grow(BLOCK));
        assert_eq!(used(), BLOCK, "in blocks");
        assert!(!trace.try_grow(11 * BLOCK), "past the limit");
        assert_eq!((used(), trace.limit()), (BLOCK, usize::MAX));
        trace.account(11 * BLOCK);
        assert_eq!((used(), trace.limit()), (11 * BLOCK, 11 * BLOCK));
        assert!(!Reservation::new(&memory).try_grow(1) && !memory.take(1));
        trace.shrink_to(BLOCK);
        assert!(trace.may_pool());
        assert!(memory.take(5 * BLOCK) && !trace.may_pool());
        memory.give_back(5 * BLOCK);
        drop(trace);
        assert_eq!(used(), 0);
    }
}
