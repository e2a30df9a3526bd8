//! The budget of all memory that telemetry holds.
//!
//! Traces, chunks and requests take what they hold in blocks and give it back, so that the hot path asks for none: a trace keeps its
//! blocks while its buffers wait to be used again, unless half of the memory is taken.
//!
//! With several tiers of tenants a part is set aside for the open traces of each tier. A trace takes of it what it finds nowhere else, so
//! that open traces of one tier never keep those of another from being recorded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::sampling::TierId;

/// The bytes that all telemetry of an instance holds.
#[derive(Debug)]
pub(crate) struct MemoryBudget {
    limit: usize,
    /// Bytes beside the limit that each exporter has for its tiers of tenants.
    reserve: usize,
    /// What a holder takes at once.
    block: usize,
    used: AtomicUsize,
    /// Beside the limit, for the open traces of each tier. None without tiers.
    traces: Box<[TraceReserve]>,
}

/// What only the open traces of a tier can take.
#[derive(Debug)]
struct TraceReserve {
    limit: usize,
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

    /// Sets `bytes` aside for open traces: a part for each tier, by its weight.
    pub(crate) fn with_traces(mut self, bytes: usize, weights: &[u32]) -> Self {
        let sum: u128 = weights.iter().copied().map(u128::from).sum();
        let part = |weight: u32| (bytes as u128 * u128::from(weight) / sum.max(1)) as usize;
        let reserve = |weight: &u32| TraceReserve {
            limit: part(*weight),
            used: AtomicUsize::new(0),
        };
        self.limit = self.limit.saturating_sub(bytes);
        self.traces = weights.iter().map(reserve).collect();
        self
    }

    /// A budget of which a holder takes `block` bytes at once.
    pub(super) fn in_blocks(limit: usize, block: usize) -> Self {
        Self {
            limit,
            reserve: 0,
            block,
            used: AtomicUsize::new(0),
            traces: Box::default(),
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(crate) fn reserve(&self) -> usize {
        self.reserve
    }

    /// Takes `bytes`, if the limit allows.
    #[inline]
    pub(crate) fn take(&self, bytes: usize) -> bool {
        take_within(self.limit, &self.used, bytes)
    }

    fn traces_of(&self, tier: TierId) -> Option<&TraceReserve> {
        self.traces.get(usize::from(tier.0))
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

fn take_within(limit: usize, used: &AtomicUsize, bytes: usize) -> bool {
    let fits = used.fetch_add(bytes, Ordering::Relaxed) + bytes <= limit;
    if !fits {
        used.fetch_sub(bytes, Ordering::Relaxed);
    }
    fits
}

impl TraceReserve {
    fn take(&self, bytes: usize) -> bool {
        take_within(self.limit, &self.used, bytes)
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn is_full(&self) -> bool {
        self.used.load(Ordering::Relaxed) >= self.limit
    }
}

/// A holder's part of the budget. It goes back when this is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    memory: Arc<MemoryBudget>,
    bytes: usize,
    /// Those of them that are of the reserve of `tier`.
    reserved: usize,
    /// Of the trace that holds it.
    tier: Option<TierId>,
}

/// What most holders take at once.
const BLOCK: usize = 4 * 1024;

impl Reservation {
    pub(crate) fn new(memory: &Arc<MemoryBudget>) -> Self {
        Self {
            memory: Arc::clone(memory),
            bytes: 0,
            reserved: 0,
            tier: None,
        }
    }

    /// Holds what it holds for a trace of that tier from now on.
    #[inline]
    pub(super) fn serve(&mut self, tier: TierId) {
        debug_assert_eq!(self.reserved, 0, "what is pooled is common");
        self.tier = Some(tier);
    }

    /// Holds `bytes` in all, if the limit allows.
    #[inline]
    pub(crate) fn try_grow(&mut self, bytes: usize) -> bool {
        bytes <= self.bytes || self.grow(bytes, false)
    }

    /// Counts `bytes` in all that are already in use, even past the limit.
    #[inline]
    pub(crate) fn account(&mut self, bytes: usize) {
        if bytes > self.bytes {
            self.grow(bytes, true);
        }
    }

    #[cold]
    fn grow(&mut self, bytes: usize, is_in_use: bool) -> bool {
        let more = (bytes - self.bytes).next_multiple_of(self.memory.block);
        if !self.memory.take(more) {
            if self.reserve().is_some_and(|reserve| reserve.take(more)) {
                self.reserved += more;
            } else if is_in_use {
                self.memory.count(more);
            } else {
                return false;
            }
        }
        self.bytes += more;
        true
    }

    fn reserve(&self) -> Option<&TraceReserve> {
        self.memory.traces_of(self.tier?)
    }

    /// The bytes that this holder may use now: no limit until the memory is full, then what it holds.
    #[inline]
    pub(crate) fn limit(&self) -> usize {
        if self.memory.is_full() && self.reserve().is_none_or(TraceReserve::is_full) {
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

    /// Gives back what is beyond `bytes`: of the common memory first, since others may want it.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        if self.bytes > bytes {
            let common = (self.bytes - bytes).min(self.bytes - self.reserved);
            self.memory.give_back(common);
            self.bytes -= common;
            self.release_reserved(self.bytes - bytes);
            self.bytes = bytes;
        }
    }

    /// Holds nothing of a tier's reserve any more: what it has of it is common memory from now on.
    #[inline]
    pub(super) fn leave_tier(&mut self) {
        if self.reserved > 0 {
            self.memory.count(self.reserved);
            self.release_reserved(self.reserved);
        }
    }

    fn release_reserved(&mut self, bytes: usize) {
        if let Some(reserve) = self.reserve() {
            reserve.give_back(bytes);
            self.reserved -= bytes;
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
    #[test]
    fn open_traces_of_a_tier_leave_what_is_set_aside_for_another() {
        const VIP: TierId = TierId(0);
        const REST: TierId = TierId(1);
        let memory = MemoryBudget::new(20 * BLOCK).with_traces(8 * BLOCK, &[3, 1]);
        let memory = Arc::new(memory);
        let trace = |tier| {
            let mut trace = Reservation::new(&memory);
            trace.serve(tier);
            trace
        };
        let mut flood = Vec::new();
        loop {
            let mut trace = trace(REST);
            if !trace.try_grow(BLOCK) {
                break;
            }
            flood.push(trace);
        }
        assert_eq!(flood.len(), 14, "12 that are common, and 2 of its own");
        assert!(!memory.take(1) && !Reservation::new(&memory).try_grow(1));
        assert_eq!(flood[13].limit(), BLOCK, "what is open has what it has");
        flood[13].account(BLOCK + 1);

        let mut vip = trace(VIP);
        assert!(vip.try_grow(BLOCK) && vip.limit() == usize::MAX);
        vip.account(6 * BLOCK);
        assert!(!vip.try_grow(7 * BLOCK) && vip.limit() == 6 * BLOCK);
        vip.shrink_to(2 * BLOCK);
        // It is pooled while others still hold all that is common.
        vip.leave_tier();
        assert!(trace(VIP).try_grow(6 * BLOCK));
        vip.serve(REST);
        drop((vip, flood));
        let used = memory.traces.iter().map(|reserve| &reserve.used);
        let mut used = used.chain([&memory.used]);
        assert!(used.all(|used| used.load(Ordering::Relaxed) == 0));
    }
}
