//! The bounds on the copies of requests' heads: a budget of memory for all of them, and the count of copies that are incomplete.
//!
//! A server may share the bytes of one header between thousands of lines and requests, and each copy repeats them. So the copies have a
//! budget beside what they count for in all memory. Past it, requests are recorded without a copy.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::memory::{MemoryBudget, Reservation};
use crate::diag;

/// Copies take at most this part of `Limits::memory`.
const PART: usize = 4;

/// What copies take at once. Most heads are small, and a request may stay open for hours.
const BLOCK: usize = 1024;

/// Bytes that an idle cell keeps for its next trace.
const MAX_POOLED_BYTES: usize = 4 * 1024;

/// What the copies of a recorder share.
#[derive(Debug)]
pub(super) struct Heads {
    memory: Arc<MemoryBudget>,
    incomplete: AtomicU64,
}

impl Heads {
    pub(super) fn new(all: &MemoryBudget) -> Self {
        Self {
            memory: Arc::new(MemoryBudget::in_blocks(all.limit() / PART, BLOCK)),
            incomplete: AtomicU64::new(0),
        }
    }

    /// Counts a request whose head was not copied whole.
    #[cold]
    pub(super) fn count_incomplete(&self) {
        static ONCE: diag::Once = diag::Once::new();
        self.incomplete.fetch_add(1, Ordering::Relaxed);
        ONCE.warn(format_args!(
            "the head of a request was not copied whole: it has more than 16 KiB or 100 lines, or the copies have their quarter of \
             `Limits::memory`. Tags do not find what is missing. Name the headers that tags read by `RequestTracing::readable_headers`, \
             raise `Limits::memory`, or give the handler an `HttpRequest` argument. `Report::incomplete_heads` counts such requests"
        ));
    }

    /// Requests whose heads were not copied whole.
    pub(super) fn incomplete(&self) -> u64 {
        self.incomplete.load(Ordering::Relaxed)
    }
}

/// The copies of a cell's open spans.
#[derive(Debug)]
pub(super) struct Copies {
    bytes: usize,
    reservation: Reservation,
}

impl Copies {
    pub(super) fn new(of: &Heads) -> Self {
        Self {
            bytes: 0,
            reservation: Reservation::new(&of.memory),
        }
    }

    #[inline]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Counts a copy, unless there is no memory for it.
    #[inline]
    pub(super) fn add(&mut self, bytes: usize) -> bool {
        let fits = self.reservation.try_grow(self.bytes + bytes);
        if fits {
            self.bytes += bytes;
        }
        fits
    }

    #[inline]
    pub(super) fn remove(&mut self, bytes: usize) {
        self.bytes -= bytes;
    }

    /// Keeps a little for the next trace, unless memory is short. No span may be open.
    #[inline]
    pub(super) fn trim(&mut self) {
        self.reservation.pool_at_most(MAX_POOLED_BYTES);
    }

    /// Gives back what open spans do not need.
    pub(super) fn free(&mut self) {
        self.reservation.shrink_to(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 64 * 1024;

    #[test]
    fn copies_take_a_quarter_of_the_memory_and_give_it_back() {
        let heads = Heads::new(&MemoryBudget::new(LIMIT));
        let mut cells: Vec<_> = (0..4).map(|_| Copies::new(&heads)).collect();
        assert!(cells.iter_mut().all(|copies| copies.add(4000)));
        assert!(!Copies::new(&heads).add(1));
        assert!(!cells[0].add(100) && cells[0].bytes() == 4000);
        assert!(cells[0].add(96), "what its blocks have room for");
        for copies in &mut cells {
            copies.remove(copies.bytes());
            copies.trim();
        }
        // Half of the budget may wait for the next traces.
        assert_eq!(heads.memory.used(), LIMIT / PART / 2);
        assert!(Copies::new(&heads).add(LIMIT / PART / 2));
        cells.iter_mut().for_each(Copies::free);
        assert_eq!(heads.memory.used(), 0);
    }
}
