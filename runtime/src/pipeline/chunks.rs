//! A thread's chunks of one tier: the chunk that it fills, and full ones for the export thread.

use super::report::{DropReason, Dropped};
use super::tier::Tier;
use crate::recorder::EncodedSpans;

/// A chunk leaves when it has grown to this.
pub(super) const CHUNK_BYTES: usize = 64 * 1024;

/// The chunks, and the count of what passed through them.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    filling: EncodedSpans,
    full: Vec<EncodedSpans>,
    /// An empty chunk, so that the thread need not allocate when it hands over a full one.
    spare: Option<EncodedSpans>,
    /// Bytes of the chunk being filled and of the spare one that the tier's memory knows of.
    counted: usize,
    /// Spans that were handed over here.
    pub(super) kept: u64,
    pub(super) dropped: Dropped,
}

impl Chunks {
    /// Spans that wait here to be taken.
    pub(super) fn waiting(&self) -> u64 {
        let full: usize = self.full.iter().map(EncodedSpans::spans).sum();
        (full + self.filling.spans()) as u64
    }

    /// Spans whose traces are settled: they were handed over, or not kept.
    pub(super) fn settled(&self) -> u64 {
        self.kept + self.dropped.get(DropReason::SampledOut)
    }

    /// Adds the spans of a kept trace. Returns whether a full chunk has joined the queue.
    pub(super) fn add(&mut self, trace: &EncodedSpans, tier: &Tier) -> bool {
        let spans = trace.spans();
        self.kept += spans as u64;
        let mut is_queued = false;
        if self.filling.spans() + spans > tier.chunk_spans
            || self.filling.len() + trace.len() > CHUNK_BYTES
        {
            is_queued = self.queue_chunk(tier);
        }
        self.filling.append(trace);
        if self.filling.spans() >= tier.chunk_spans || self.filling.len() >= CHUNK_BYTES {
            is_queued |= self.queue_chunk(tier);
        }
        self.count(tier);
        is_queued
    }

    /// Counts what the chunk being filled and the spare one hold.
    #[inline]
    fn count(&mut self, tier: &Tier) {
        let spare = self.spare.as_ref().map_or(0, EncodedSpans::capacity);
        let held = self.filling.capacity() + spare;
        if held > self.counted {
            tier.memory.count(held - self.counted);
        } else if held < self.counted {
            tier.memory.give_back(self.counted - held);
        }
        self.counted = held;
    }

    fn queue_chunk(&mut self, tier: &Tier) -> bool {
        let spans = self.filling.spans();
        if spans == 0 {
            return false;
        }
        // What a chunk takes past its usual size is a single large trace.
        let bytes = self.filling.len();
        if !tier.memory.take(bytes) {
            self.drop_chunk(DropReason::MemoryLimit);
            return false;
        }
        if !tier.try_queue(spans) {
            tier.memory.give_back(bytes);
            self.drop_chunk(DropReason::QueueFull);
            return false;
        }
        // A chunk that grows step by step is copied at each step. After a chunk that bytes have filled the next one begins whole.
        // Where batches fill first it would hold far more than it counts.
        let was_full = bytes > CHUNK_BYTES / 2 && spans < tier.chunk_spans;
        let capacity = if was_full { CHUNK_BYTES } else { 0 };
        let spare = self.spare.take();
        let next = spare.unwrap_or_else(|| EncodedSpans::with_capacity(capacity));
        self.full.push(std::mem::replace(&mut self.filling, next));
        true
    }

    fn drop_chunk(&mut self, why: DropReason) {
        self.dropped.add(why, self.filling.spans() as u64);
        self.filling.reset(CHUNK_BYTES);
    }

    /// Takes the full chunks, and with `partial` the other one too; leaves `spares` for the next. Their bytes are counted, for `f` to give
    /// back.
    pub(super) fn take(
        &mut self,
        tier: &Tier,
        partial: bool,
        spares: &mut Vec<EncodedSpans>,
        f: &mut impl FnMut(EncodedSpans),
    ) {
        self.full.drain(..).for_each(&mut *f);
        if partial && !self.filling.is_empty() {
            tier.queue(self.filling.spans());
            tier.memory.count(self.filling.len());
            let spare = self.spare.take();
            let next = spare.or_else(|| spares.pop()).unwrap_or_default();
            f(std::mem::replace(&mut self.filling, next));
        }
        // A tier that the thread has not served needs no chunk.
        if self.spare.is_none() && self.kept > 0 {
            self.spare = spares.pop();
        }
        self.count(tier);
    }

    /// Takes over the spans and the counters of a thread that ends. Returns whether a full chunk has joined the queue.
    pub(super) fn take_over(&mut self, other: &mut Self, tier: &Tier) -> bool {
        self.kept += other.kept;
        self.dropped.merge(&other.dropped);
        self.full.append(&mut other.full);
        let filling = std::mem::take(&mut other.filling);
        other.spare = None;
        other.count(tier);
        if filling.is_empty() {
            return false;
        }
        self.kept -= filling.spans() as u64;
        self.add(&filling, tier)
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.filling.capacity()
    }
}
