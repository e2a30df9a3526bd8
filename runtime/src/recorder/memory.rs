//! What telemetry holds of the process's memory, and the limit of it.
//!
//! Traces, chunks and requests take what they hold in blocks and give it back, so that the hot path asks for none: a trace keeps its
//! blocks while its buffers wait to be used again, unless half of the memory is taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes that all telemetry of an instance holds.
#[derive(Debug)]
pub(crate) struct Memory {
    limit: usize,
    /// What a holder takes at once.
    block: usize,
    held: AtomicUsize,
}

impl Memory {
    pub(crate) fn new(limit: usize) -> Self {
        Self::in_blocks(limit, BLOCK)
    }

    /// A memory of which a holder takes `block` bytes at once.
    pub(super) fn in_blocks(limit: usize, block: usize) -> Self {
        Self {
            limit,
            block,
            held: AtomicUsize::new(0),
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Takes `bytes`, if the limit allows.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let fits = self.held.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.limit;
        if !fits {
            self.give_back(bytes);
        }
        fits
    }

    /// Counts `bytes` that are in use already.
    pub(crate) fn count(&self, bytes: usize) {
        self.held.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn give_back(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    fn is_full(&self) -> bool {
        self.held.load(Ordering::Relaxed) >= self.limit
    }

    /// Whether more than half of it is left. Only then is anything kept for later, so that what is kept never takes it all.
    fn is_ample(&self) -> bool {
        self.held.load(Ordering::Relaxed) <= self.limit / 2
    }
}

/// A holder's part of the memory, which goes back with it.
#[derive(Debug)]
pub(crate) struct Held {
    memory: Arc<Memory>,
    bytes: usize,
}

/// What most holders take at once.
const BLOCK: usize = 4 * 1024;

impl Held {
    pub(crate) fn new(memory: &Arc<Memory>) -> Self {
        Self {
            memory: Arc::clone(memory),
            bytes: 0,
        }
    }

    /// Whether it holds `bytes` in all, or may.
    #[inline]
    pub(crate) fn reach(&mut self, bytes: usize) -> bool {
        bytes <= self.bytes || self.grow(bytes, Memory::take)
    }

    /// Holds `bytes` in all, as they are in use already.
    #[inline]
    pub(crate) fn cover(&mut self, bytes: usize) {
        if bytes > self.bytes {
            self.grow(bytes, |memory, more| {
                memory.count(more);
                true
            });
        }
    }

    #[cold]
    fn grow(&mut self, bytes: usize, take: impl FnOnce(&Memory, usize) -> bool) -> bool {
        let more = (bytes - self.bytes).next_multiple_of(self.memory.block);
        let taken = take(&self.memory, more);
        if taken {
            self.bytes += more;
        }
        taken
    }

    /// How many bytes may be in use, of a holder that has them in use by and by.
    #[inline]
    pub(crate) fn limit(&self) -> usize {
        if self.memory.is_full() {
            self.bytes
        } else {
            usize::MAX
        }
    }

    /// Whether it may go on to hold what is not in use.
    pub(crate) fn may_idle(&self) -> bool {
        self.memory.is_ample()
    }

    /// Keeps at most `bytes` for later, and nothing if others are short of memory.
    #[inline]
    pub(super) fn idle_with(&mut self, bytes: usize) {
        if self.bytes > bytes || !self.may_idle() {
            self.shrink_to_idle(bytes);
        }
    }

    #[cold]
    fn shrink_to_idle(&mut self, bytes: usize) {
        self.shrink_to(if self.may_idle() { bytes } else { 0 });
    }

    /// Holds `bytes` that another has taken.
    pub(crate) fn adopt(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    pub(crate) fn release(&mut self, bytes: usize) {
        self.shrink_to(self.bytes.saturating_sub(bytes));
    }

    /// Gives back what is beyond `bytes`.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        if self.bytes > bytes {
            self.memory.give_back(self.bytes - bytes);
            self.bytes = bytes;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_goes_back() {
        let memory = Arc::new(Memory::new(10 * BLOCK));
        let held = || memory.held.load(Ordering::Relaxed);
        let mut trace = Held::new(&memory);
        assert!(trace.reach(1) && trace.reach(BLOCK));
        assert_eq!(held(), BLOCK, "in blocks");
        assert!(!trace.reach(11 * BLOCK), "past the limit");
        assert_eq!((held(), trace.limit()), (BLOCK, usize::MAX));
        trace.cover(11 * BLOCK);
        assert_eq!((held(), trace.limit()), (11 * BLOCK, 11 * BLOCK));
        assert!(!Held::new(&memory).reach(1) && !memory.take(1));
        trace.shrink_to(BLOCK);
        assert!(trace.may_idle());
        assert!(memory.take(5 * BLOCK) && !trace.may_idle());
        memory.give_back(5 * BLOCK);
        assert!(memory.take(5));
        let mut other = Held::new(&memory);
        other.adopt(5);
        drop((trace, other));
        assert_eq!(held(), 0);
    }
}
