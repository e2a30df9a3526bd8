//! The spans that a `Context` may hold, by their ids.
//!
//! The API hides a span behind its own type and a lock. To ask the span itself would take that lock. Code that runs under the lock
//! would wait for itself: an iterator that is given to `set_attributes`, or the `Display` of an error that is recorded. So spans are
//! found by their ids, which a context has without a lock.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use opentelemetry::trace::{SpanContext, SpanId};

use super::local::LocalSpan;

/// By the random bits of their ids: threads seldom meet, and a shard has few spans unless very many are kept.
static SHARDS: LazyLock<Vec<Mutex<Vec<LocalSpan>>>> = LazyLock::new(|| {
    let shard = || Mutex::new(Vec::with_capacity(SHARD_CAPACITY));
    std::iter::repeat_with(shard).take(SHARD_NUMBER).collect()
});

/// One for each value of an id's last byte.
const SHARD_NUMBER: usize = 1 << u8::BITS;
/// Room for the spans of a busy service, so that recording does not allocate here.
const SHARD_CAPACITY: usize = 8;

/// Lists a span until this is dropped.
#[derive(Debug)]
pub(super) struct Listed(SpanId);

impl Listed {
    pub(super) fn new(span: &LocalSpan) -> Self {
        shard(span.id()).push(span.clone());
        Self(span.id())
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut shard = shard(self.0);
        let at = shard.iter().position(|span| span.id() == self.0);
        let span = at.map(|at| shard.swap_remove(at));
        drop(shard);
        // Without the lock: this may be the last reference to the trace.
        drop(span);
    }
}

/// The span of that context, if a `Context` of this process holds it.
pub(super) fn find(context: &SpanContext) -> Option<LocalSpan> {
    let is_it =
        |span: &&LocalSpan| span.id() == context.span_id() && span.trace_id() == context.trace_id();
    let shard = shard(context.span_id());
    shard
        .iter()
        .find(is_it)
        .filter(|_| !context.is_remote())
        .cloned()
}

fn shard(id: SpanId) -> MutexGuard<'static, Vec<LocalSpan>> {
    let [.., last] = id.to_bytes();
    SHARDS[usize::from(last)]
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}
