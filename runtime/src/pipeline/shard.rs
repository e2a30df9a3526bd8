//! What application threads touch of the pipeline: each its own shard, with the chunk that it fills.
//!
//! ```text
//! thread 1 ─► shard: chunk (filling), full chunks ─┐
//! thread 2 ─► shard: chunk (filling), full chunks ─┼─► export thread
//! ```
//! A kept trace is copied into its thread's chunk under the shard's lock, which only the export thread contends for, once
//! a batch. The export thread is woken when full chunks hold a batch; the others it takes after the schedule delay.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;

use super::report::{DropReason, Dropped};
use crate::config::Batch;
use crate::recorder::{EncodedSpans, MemoryBudget, Refusal, Sink};

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
    /// Spans in full chunks, here and with the export thread.
    pub(super) queued: AtomicUsize,
    pub(super) wake: Notify,
    batch: Batch,
    pub(super) memory: Arc<MemoryBudget>,
}

#[derive(Debug)]
pub(super) struct Shard {
    /// For the thread's end, which hands on what it leaves.
    of: Weak<Shards>,
    counters: Mutex<ShardCounters>,
}

/// A thread's chunks, and the count of what passed through them.
#[derive(Debug, Default)]
pub(super) struct ShardCounters {
    /// Why nothing is taken any more.
    end: Option<End>,
    chunk: EncodedSpans,
    full: Vec<EncodedSpans>,
    /// An empty chunk, so that the thread need not allocate when it hands over a full one.
    spare: Option<EncodedSpans>,
    /// Bytes of both that the memory knows of.
    counted: usize,
    /// Spans that have ended on this thread.
    pub(super) recorded: u64,
    /// Spans of traces that were handed over on this thread, and of those that were refused.
    pub(super) settled: u64,
    pub(super) dropped: Dropped,
}

/// Why a pipeline takes no more spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Shutdown,
    /// The export thread has panicked: what still ends is counted, as lost.
    Died,
}

/// A chunk leaves when it has grown to this.
pub(super) const CHUNK_BYTES: usize = 64 * 1024;

impl Shard {
    fn new(of: &Weak<Shards>) -> Arc<Self> {
        Arc::new(Self {
            of: Weak::clone(of),
            counters: Mutex::default(),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, ShardCounters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ShardCounters {
    /// Spans that wait here to be taken.
    pub(super) fn waiting(&self) -> u64 {
        let full: usize = self.full.iter().map(EncodedSpans::spans).sum();
        (full + self.chunk.spans()) as u64
    }

    /// Counts spans that are dropped.
    fn lose(&mut self, why: DropReason, spans: u64) {
        self.recorded += spans;
        self.settled += spans;
        self.dropped.add(why, spans);
    }

    fn add(&mut self, trace: &EncodedSpans, shards: &Shards) {
        let spans = trace.spans();
        self.settled += spans as u64;
        let batch = shards.batch.max_export_batch_size;
        if self.chunk.spans() + spans > batch || self.chunk.len() + trace.len() > CHUNK_BYTES {
            self.send_chunk(shards);
        }
        self.chunk.append(trace);
        if self.chunk.spans() >= batch || self.chunk.len() >= CHUNK_BYTES {
            self.send_chunk(shards);
        }
        self.count(&shards.memory);
    }

    /// Counts what the chunk being filled and the spare one hold.
    #[inline]
    fn count(&mut self, memory: &MemoryBudget) {
        let spare = self.spare.as_ref().map_or(0, EncodedSpans::capacity);
        let held = self.chunk.capacity() + spare;
        if held > self.counted {
            memory.count(held - self.counted);
        } else if held < self.counted {
            memory.give_back(self.counted - held);
        }
        self.counted = held;
    }

    fn send_chunk(&mut self, shards: &Shards) {
        let spans = self.chunk.spans();
        if spans == 0 {
            return;
        }
        // What a chunk takes past its usual size is a single large trace.
        let bytes = self.chunk.len();
        if !shards.memory.take(bytes) {
            self.drop_chunk(DropReason::MemoryLimit);
            return;
        }
        let limit = shards.batch.max_queue_size;
        // An empty queue takes a chunk of any size: a trace may be larger than the queue.
        let room = |queued: usize| Some(queued + spans).filter(|sum| queued == 0 || *sum <= limit);
        let queued = shards
            .queued
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, room);
        let Ok(queued) = queued else {
            shards.memory.give_back(bytes);
            self.drop_chunk(DropReason::QueueFull);
            return;
        };
        // A chunk that grows step by step is copied at each step. After a chunk that bytes have filled the next one begins whole.
        // Where batches fill first it would hold far more than it counts.
        let was_full = bytes > CHUNK_BYTES / 2 && spans < shards.batch.max_export_batch_size;
        let capacity = if was_full { CHUNK_BYTES } else { 0 };
        let spare = self.spare.take();
        let next = spare.unwrap_or_else(|| EncodedSpans::with_capacity(capacity));
        self.full.push(std::mem::replace(&mut self.chunk, next));
        if queued + spans >= shards.enough() {
            shards.wake.notify_one();
        }
    }

    fn drop_chunk(&mut self, why: DropReason) {
        self.dropped.add(why, self.chunk.spans() as u64);
        self.chunk.reset(CHUNK_BYTES);
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
    pub(super) fn new(batch: Batch, memory: Arc<MemoryBudget>) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Arc::new_cyclic(|this| {
            let fallback = Shard::new(this);
            Self {
                this: Weak::clone(this),
                id: NEXT.fetch_add(1, Ordering::Relaxed),
                all: Mutex::new(vec![Arc::clone(&fallback)]),
                fallback,
                queued: AtomicUsize::new(0),
                wake: Notify::new(),
                batch,
                memory,
            }
        })
    }

    /// Spans in full chunks that are worth a request: a batch, unless the queue would be full before there is one.
    pub(super) fn enough(&self) -> usize {
        let batch = &self.batch;
        batch.max_export_batch_size.min(batch.max_queue_size / 2)
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
        let shard = Shard::new(&self.this);
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
        fallback.settled += counters.settled;
        fallback.dropped.merge(&counters.dropped);
        fallback.full.append(&mut counters.full);
        if !counters.chunk.is_empty() {
            let chunk = std::mem::take(&mut counters.chunk);
            fallback.settled -= chunk.spans() as u64;
            fallback.add(&chunk, self);
        }
        counters.spare = None;
        counters.count(&self.memory);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Shard>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// EncodedSpans `f` on the counters of all threads at one instant: no span moves between them meanwhile.
    pub(super) fn at_rest<R>(
        &self,
        f: impl FnOnce(&mut [MutexGuard<'_, ShardCounters>]) -> R,
    ) -> R {
        let all = self.lock();
        let mut counters: Vec<_> = all.iter().map(|shard| shard.lock()).collect();
        f(&mut counters)
    }

    /// Takes the full chunks, and with `partial` the others too; leaves `spares` for the next. Their bytes are counted, for `f` to
    /// give back.
    pub(super) fn take(
        &self,
        partial: bool,
        spares: &mut Vec<EncodedSpans>,
        mut f: impl FnMut(EncodedSpans),
    ) {
        let all = self.lock();
        for shard in all.iter() {
            let mut counters = shard.lock();
            counters.full.drain(..).for_each(&mut f);
            if partial && !counters.chunk.is_empty() {
                self.queued
                    .fetch_add(counters.chunk.spans(), Ordering::Relaxed);
                self.memory.count(counters.chunk.len());
                let next = counters
                    .spare
                    .take()
                    .or_else(|| spares.pop())
                    .unwrap_or_default();
                f(std::mem::replace(&mut counters.chunk, next));
            }
            if counters.spare.is_none() {
                counters.spare = spares.pop();
            }
            counters.count(&self.memory);
        }
    }

    /// Stops taking spans. Those that wait in traces with open spans are dropped now.
    pub(super) fn close(&self, why: End) {
        self.at_rest(|all| {
            let recorded: u64 = all.iter().map(|counters| counters.recorded).sum();
            let settled: u64 = all.iter().map(|counters| counters.settled).sum();
            for counters in all.iter_mut() {
                counters.end = Some(why);
            }
            let unfinished = recorded - settled;
            all[0].dropped.add(DropReason::Unfinished, unfinished);
            all[0].settled += unfinished;
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

    fn kept(&self, spans: &EncodedSpans, new: u64) {
        self.with_mine(|counters| match counters.end {
            None => {
                counters.recorded += new;
                counters.add(spans, self);
            }
            Some(End::Died) => counters.lose(DropReason::Shutdown, new),
            Some(End::Shutdown) => {}
        });
    }

    fn dropped(&self, spans: u64) {
        self.with_mine(|counters| {
            if counters.end.is_none() {
                counters.settled += spans;
                counters.dropped.add(DropReason::SampledOut, spans);
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
