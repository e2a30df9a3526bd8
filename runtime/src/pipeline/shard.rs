//! What application threads touch of the pipeline: each its own shard, with the chunks that it fills.
//!
//! ```text
//! thread 1 ─► shard: for each tier a chunk (filling), full chunks ─┐
//! thread 2 ─► shard: for each tier a chunk (filling), full chunks ─┼─► export thread
//! ```
//! A kept trace is copied into its thread's chunk under the shard's lock, which only the export thread contends for, once
//! a batch. The export thread is woken when full chunks hold a batch; the others it takes after the schedule delay.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;

use super::chunks::Chunks;
use super::report::{DropReason, Dropped};
use super::tier::{Tier, TierCounts};
use crate::recorder::{EncodedSpans, Refusal, Sink};
use crate::sampling::TierId;

#[cfg(test)]
mod tests;

/// All shards of a pipeline.
#[derive(Debug)]
pub(super) struct Shards {
    this: Weak<Self>,
    /// Tells pipelines apart in a thread's cache of its shards.
    id: u64,
    all: Mutex<Vec<Arc<Shard>>>,
    /// For spans that end while their thread does, when it has no shard any more.
    fallback: Arc<Shard>,
    pub(super) tiers: Vec<Tier>,
    /// Queued spans of all tiers that are worth a request.
    enough: usize,
    pub(super) wake: Notify,
}

#[derive(Debug)]
pub(super) struct Shard {
    /// For the thread's end, which hands on what it leaves.
    of: Weak<Shards>,
    counters: Mutex<ShardCounters>,
}

/// A thread's chunks, and the count of what passed through it.
#[derive(Debug)]
pub(super) struct ShardCounters {
    /// Why nothing is taken any more.
    end: Option<End>,
    /// For each tier.
    pub(super) chunks: Vec<Chunks>,
    /// Spans that have ended on this thread.
    pub(super) recorded: u64,
    /// Spans that were dropped before their traces were handed over.
    pub(super) dropped: Dropped,
}

/// Why a pipeline takes no more spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Shutdown,
    /// The export thread has panicked: what still ends is counted, as lost.
    Died,
}

impl Shard {
    fn new(of: &Weak<Shards>, tiers: usize) -> Arc<Self> {
        Arc::new(Self {
            of: Weak::clone(of),
            counters: Mutex::new(ShardCounters {
                end: None,
                chunks: (0..tiers).map(|_| Chunks::default()).collect(),
                recorded: 0,
                dropped: Dropped::default(),
            }),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, ShardCounters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ShardCounters {
    /// Spans of traces that were handed over on this thread or not kept, and spans that were refused.
    pub(super) fn settled(&self) -> u64 {
        let handed_over: u64 = self.chunks.iter().map(Chunks::settled).sum();
        handed_over + self.dropped.total()
    }

    /// Counts spans that are dropped.
    fn lose(&mut self, why: DropReason, spans: u64) {
        self.recorded += spans;
        self.dropped.add(why, spans);
    }
}

thread_local! {
    static MINE: RefCell<Mine> = const { RefCell::new(Mine(Vec::new())) };
}

/// A thread's shard of each pipeline that it has handed spans to, by the pipeline's id.
struct Mine(Vec<(u64, Arc<Shard>)>);

impl Drop for Mine {
    fn drop(&mut self) {
        for (_, shard) in &self.0 {
            if let Some(shards) = shard.of.upgrade() {
                shards.take_over(shard);
            }
        }
    }
}

impl Shards {
    /// A request is worth its while with `enough` queued spans.
    pub(super) fn new(tiers: Vec<Tier>, enough: usize) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Arc::new_cyclic(|this| {
            let fallback = Shard::new(this, tiers.len());
            Self {
                this: Weak::clone(this),
                id: NEXT.fetch_add(1, Ordering::Relaxed),
                all: Mutex::new(vec![Arc::clone(&fallback)]),
                fallback,
                tiers,
                enough,
                wake: Notify::new(),
            }
        })
    }

    /// The position of a trace's tier. The last stands in for none, and for one that the pipeline does not have.
    #[inline]
    fn position(&self, tier: Option<TierId>) -> usize {
        let last = self.tiers.len() - 1;
        tier.map_or(last, |tier| last.min(tier.0.into()))
    }

    /// Wakes the export thread if the queue, to which `tier` has added, is worth a request.
    fn wake_for(&self, tier: &Tier) {
        let queued = || self.tiers.iter().map(Tier::queued).sum::<usize>();
        if tier.queued() >= tier.enough || queued() >= self.enough {
            self.wake.notify_one();
        }
    }

    /// Takes a request's spans out of the queues.
    pub(super) fn unqueue(&self, spans: &TierCounts) {
        for (tier, spans) in spans.iter() {
            self.tiers[tier].unqueue(spans as usize);
        }
    }

    /// Spans that are handed over at once at most when waiting spans are looked for: half of what the smallest queue takes.
    pub(super) fn at_once(&self) -> usize {
        let limits = self.tiers.iter().map(Tier::limit);
        limits.min().map_or(1, |limit| (limit / 2).max(1))
    }

    fn with_mine(&self, mut f: impl FnMut(&mut ShardCounters)) {
        let done = MINE.try_with(|mine| {
            let mine = &mut mine.borrow_mut().0;
            let at = mine
                .iter()
                .position(|(id, _)| *id == self.id)
                .unwrap_or_else(|| {
                    // Where the other end is gone too, the pipeline of that shard is.
                    mine.retain(|(_, shard)| Arc::strong_count(shard) > 1);
                    let shard = self.new_shard();
                    mine.push((self.id, shard));
                    mine.len() - 1
                });
            f(&mut mine[at].1.lock());
        });
        if done.is_err() {
            f(&mut self.fallback.lock());
        }
    }

    fn new_shard(&self) -> Arc<Shard> {
        let mut all = self.lock();
        // `close` holds this lock too: a shard is closed by it, or not made any more.
        if self.fallback.lock().end.is_some() {
            return Arc::clone(&self.fallback);
        }
        let shard = Shard::new(&self.this, self.tiers.len());
        all.push(Arc::clone(&shard));
        shard
    }

    /// Takes over the spans and the counters of a thread that ends. There may be thousands of such threads.
    fn take_over(&self, shard: &Arc<Shard>) {
        let mut all = self.lock();
        if Arc::ptr_eq(shard, &self.fallback) {
            return;
        }
        all.retain(|other| !Arc::ptr_eq(other, shard));
        let (mut fallback, mut counters) = (self.fallback.lock(), shard.lock());
        fallback.recorded += counters.recorded;
        fallback.dropped.merge(&counters.dropped);
        let chunks = fallback.chunks.iter_mut().zip(&mut counters.chunks);
        for ((chunks, left), tier) in chunks.zip(&self.tiers) {
            if chunks.take_over(left, tier) {
                self.wake_for(tier);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Shard>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `f` on the counters of all threads at one instant: no span moves between them meanwhile.
    pub(super) fn at_rest<R>(
        &self,
        f: impl FnOnce(&mut [MutexGuard<'_, ShardCounters>]) -> R,
    ) -> R {
        let all = self.lock();
        let mut counters: Vec<_> = all.iter().map(|shard| shard.lock()).collect();
        f(&mut counters)
    }

    /// Takes the full chunks, and with `partial` the others too; leaves `spares` for the next. `f` is told the position of the chunk's
    /// tier. The chunk's bytes are counted, for `f` to give back.
    pub(super) fn take(
        &self,
        partial: bool,
        spares: &mut Vec<EncodedSpans>,
        mut f: impl FnMut(usize, EncodedSpans),
    ) {
        let all = self.lock();
        for shard in all.iter() {
            let mut counters = shard.lock();
            let chunks = counters.chunks.iter_mut().zip(&self.tiers);
            for (position, (chunks, tier)) in chunks.enumerate() {
                chunks.take(tier, partial, spares, &mut |chunk| f(position, chunk));
            }
        }
    }

    /// Stops taking spans. Those that wait in traces with open spans are dropped now.
    pub(super) fn close(&self, why: End) {
        self.at_rest(|all| {
            let recorded: u64 = all.iter().map(|counters| counters.recorded).sum();
            let settled: u64 = all.iter().map(|counters| counters.settled()).sum();
            for counters in all.iter_mut() {
                counters.end = Some(why);
            }
            let unfinished = recorded - settled;
            all[0].dropped.add(DropReason::Unfinished, unfinished);
        });
    }
}

impl Sink for Shards {
    fn ended(&self) {
        self.with_mine(|counters| match counters.end {
            None => counters.recorded += 1,
            Some(End::Died) => counters.lose(DropReason::Shutdown, 1),
            Some(End::Shutdown) => {}
        });
    }

    fn kept(&self, spans: &EncodedSpans, new: u64, tier: Option<TierId>) {
        let position = self.position(tier);
        self.with_mine(|counters| match counters.end {
            None => {
                counters.recorded += new;
                let tier = &self.tiers[position];
                if counters.chunks[position].add(spans, tier) {
                    self.wake_for(tier);
                }
            }
            Some(End::Died) => counters.lose(DropReason::Shutdown, new),
            Some(End::Shutdown) => {}
        });
    }

    fn dropped(&self, spans: u64, tier: Option<TierId>) {
        let position = self.position(tier);
        self.with_mine(|counters| {
            if counters.end.is_none() {
                let chunks = &mut counters.chunks[position];
                chunks.dropped.add(DropReason::SampledOut, spans);
            }
        });
    }

    fn refused(&self, why: Refusal) {
        self.with_mine(|counters| {
            if counters.end != Some(End::Shutdown) {
                counters.lose(why.into(), 1);
            }
        });
    }
}

impl From<Refusal> for DropReason {
    fn from(why: Refusal) -> Self {
        match why {
            Refusal::Trace => Self::TraceLimit,
            Refusal::Memory => Self::MemoryLimit,
        }
    }
}
