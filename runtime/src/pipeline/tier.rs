//! Tiers of tenants in a pipeline: each has its own queue, memory and part of each request, so that a flood of one costs another nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::tier_memory::TierMemory;
use crate::config::Batch;
use crate::recorder::MemoryBudget;
use crate::sampling::MAX_TIERS;

/// What a tier of tenants gets of a pipeline.
#[derive(Debug, Clone)]
pub(crate) struct TierSetup {
    /// Nothing without tenants: then there is one tier.
    pub(crate) name: Option<Arc<str>>,
    /// Spans that may wait; more are dropped.
    pub(crate) queue: usize,
    /// Its part of requests and of the reserved memory, in relation to the other tiers.
    pub(crate) weight: u32,
}

impl TierSetup {
    /// The tier of an instance without tenants.
    pub(crate) fn only(queue: usize) -> Vec<Self> {
        vec![Self {
            name: None,
            queue,
            weight: 1,
        }]
    }
}

/// What the threads share of a tier.
#[derive(Debug)]
pub(super) struct Tier {
    pub(super) name: Option<Arc<str>>,
    pub(super) weight: usize,
    /// Spans that may be queued.
    limit: usize,
    /// Spans that fill a chunk.
    pub(super) chunk_spans: usize,
    /// Queued spans that are worth a request: a batch, unless the queue would be full before there is one.
    pub(super) enough: usize,
    /// Spans in full chunks, with the threads and with the export thread.
    queued: AtomicUsize,
    pub(super) memory: TierMemory,
}

impl Tier {
    /// The tiers of a pipeline.
    pub(super) fn all(
        setups: Vec<TierSetup>,
        batch: &Batch,
        memory: &Arc<MemoryBudget>,
    ) -> Vec<Self> {
        debug_assert!((1..=MAX_TIERS).contains(&setups.len()));
        let weight = |setup: &TierSetup| setup.weight.max(1) as usize;
        let weights: usize = setups.iter().map(weight).sum();
        let reserved = memory.reserve();
        let tier = |setup: TierSetup| {
            let weight = weight(&setup);
            let reserve = (reserved as u128 * weight as u128 / weights as u128) as usize;
            Self {
                name: setup.name,
                weight,
                limit: setup.queue,
                chunk_spans: batch.max_export_batch_size.min(setup.queue),
                enough: batch.max_export_batch_size.min(setup.queue / 2).max(1),
                queued: AtomicUsize::new(0),
                memory: TierMemory::new(Arc::clone(memory), reserve),
            }
        };
        setups.into_iter().map(tier).collect()
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }

    /// Queues `spans`, unless the queue is full. An empty queue takes any number: a trace may be larger than the queue.
    pub(super) fn try_queue(&self, spans: usize) -> bool {
        let room = |queued| Some(queued + spans).filter(|sum| queued == 0 || *sum <= self.limit);
        let queued = &self.queued;
        queued
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, room)
            .is_ok()
    }

    /// Queues `spans`, even past the limit.
    pub(super) fn queue(&self, spans: usize) {
        self.queued.fetch_add(spans, Ordering::Relaxed);
    }

    pub(super) fn unqueue(&self, spans: usize) {
        self.queued.fetch_sub(spans, Ordering::Relaxed);
    }
}

/// A number for each tier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TierCounts([u64; MAX_TIERS]);

impl TierCounts {
    pub(super) fn add(&mut self, tier: usize, number: u64) {
        self.0[tier] += number;
    }

    pub(super) fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The tiers that have any, with their number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, u64)> {
        self.0
            .into_iter()
            .enumerate()
            .filter(|(_, number)| *number > 0)
    }

    /// What came after `earlier`.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let mut later = *self;
        let counts = later.0.iter_mut().zip(earlier.0);
        counts.for_each(|(number, before)| *number = number.saturating_sub(before));
        later
    }

    /// Parts of `number`, in proportion: each is rounded down, and those with the largest remainders get one more.
    pub(super) fn parts_of(&self, number: u64) -> Self {
        let total = self.total();
        let number = number.min(total);
        if number == 0 {
            return Self::default();
        }
        let exact = |tier: usize| u128::from(self.0[tier]) * u128::from(number);
        let total = u128::from(total);
        let mut parts = Self(std::array::from_fn(|tier| (exact(tier) / total) as u64));
        let mut by_remainder: [usize; MAX_TIERS] = std::array::from_fn(|tier| tier);
        by_remainder.sort_by_key(|tier| std::cmp::Reverse(exact(*tier) % total));
        let missing = number - parts.total();
        by_remainder
            .into_iter()
            .take(missing as usize)
            .for_each(|tier| parts.add(tier, 1));
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(numbers: &[u64]) -> TierCounts {
        let mut counts = TierCounts::default();
        numbers
            .iter()
            .enumerate()
            .for_each(|(tier, number)| counts.add(tier, *number));
        counts
    }

    #[test]
    fn parts_are_in_proportion_and_add_up() {
        for (whole, number, expected) in [
            (&[100, 300][..], 4, &[1, 3][..]),
            (&[1, 1, 1], 2, &[1, 1, 0]),
            (&[10, 0, 1], 5, &[5, 0, 0]),
            (&[5, 7], 12, &[5, 7]),
            (&[5, 7], 99, &[5, 7]),
            (&[0, 0], 3, &[0, 0]),
            (&[u64::MAX / 2, 1], 2, &[2, 0]),
        ] {
            let parts = counts(whole).parts_of(number);
            assert_eq!(parts, counts(expected), "{number} of {whole:?}");
        }
    }

    #[test]
    fn no_part_is_larger_than_its_whole() {
        for a in 0..8 {
            for b in 0..8 {
                for c in 0..8 {
                    let whole = counts(&[a, b, c]);
                    for number in 0..=a + b + c {
                        let parts = whole.parts_of(number);
                        assert_eq!(parts.total(), number);
                        let fits = parts
                            .0
                            .iter()
                            .zip(&whole.0)
                            .all(|(part, whole)| part <= whole);
                        assert!(fits, "{parts:?} of {whole:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn reserves_are_by_weight() {
        let memory = Arc::new(MemoryBudget::with_reserves(1_000, 1, 400));
        let setup = |weight| TierSetup {
            name: Some("tier".into()),
            queue: 100,
            weight,
        };
        let tiers = Tier::all(vec![setup(3), setup(1)], &Batch::default(), &memory);
        let reserves = |tier: &Tier| tier.memory.reserve();
        assert_eq!(tiers.iter().map(reserves).collect::<Vec<_>>(), [300, 100]);
        assert!(memory.take(600) && !memory.take(1), "the rest is common");
    }
}
