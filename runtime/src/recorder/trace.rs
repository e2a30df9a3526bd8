//! The spans of one trace in this process, from the first that starts to the last that ends.
//!
//! All spans of a trace share one lock and one set of buffers. The lock is uncontended unless threads share the trace, and
//! is held for a few copies, and for actix-web's look-up of a route: user code never runs under it (see `docs/adr/001-one-lock-a-trace.md`).

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry::trace::{SpanContext, SpanId};

use super::clock::TraceClock;
use super::exception::EXCEPTION;
use super::inherited::HandedDown;
use super::open::OpenSpan;
use super::runs::Runs;
use super::{Held, Recorder, Refusal};
use crate::config::Limits;

#[derive(Debug)]
pub(crate) struct Trace {
    pub(super) recorder: Arc<Recorder>,
    /// Trace id, flags and tracestate of every span here; its span id is the local root's.
    pub(super) context: SpanContext,
    pub(super) clock: TraceClock,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) slots: Vec<OpenSpan>,
    free: Vec<u32>,
    ended: Runs,
    /// When the first of them has ended.
    held_since: u64,
    /// Spans that are open, or have ended and not been handed over.
    started: usize,
    /// Bytes in the open spans and the ended ones.
    bytes: usize,
    /// What its spans hand down, which has a budget of bytes of its own.
    pub(super) handed_down: HandedDown,
    /// Bytes in the copies of requests' heads.
    heads: usize,
    held: Held,
}

/// Buffers that a finished trace keeps for the next one: about what a busy request needs.
const KEPT_SLOTS: usize = 8;
const KEPT_SLOT_BYTES: usize = 4 * 1024;
const KEPT_ENDED_BYTES: usize = 16 * 1024;
const KEPT_BYTES: usize = KEPT_SLOTS * (size_of::<OpenSpan>() + KEPT_SLOT_BYTES) + KEPT_ENDED_BYTES;

impl Trace {
    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // No user code runs under the lock, so a panic there is a bug here; what is recorded stays whole all the same.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reuse(&mut self, recorder: &Arc<Recorder>, context: SpanContext, clock: TraceClock) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Most traces of a thread have one recorder: comparing spares the shared counters.
        if !Arc::ptr_eq(&self.recorder, recorder) {
            self.recorder = Arc::clone(recorder);
            state.held = Held::new(&recorder.memory);
        }
        self.context = context;
        self.clock = clock;
        (state.started, state.bytes) = (0, 0);
    }

    /// Trims the buffers for the next trace. `false` if they are not to be used again: a span was left open, or others are
    /// short of memory.
    fn trim(&mut self) -> bool {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let is_done = state.free.len() == state.slots.len();
        state.slots.truncate(KEPT_SLOTS);
        state.slots.shrink_to(KEPT_SLOTS);
        state.free.clear();
        state.free.shrink_to(KEPT_SLOTS);
        state.free.extend((0..state.slots.len() as u32).rev());
        state.ended.reset(KEPT_ENDED_BYTES);
        state.handed_down.clear();
        state.heads = 0;
        state.held.shrink_to(KEPT_BYTES);
        is_done && state.held.may_idle()
    }
}

impl State {
    pub(super) fn new(held: Held) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            ended: Runs::default(),
            held_since: 0,
            started: 0,
            bytes: 0,
            handed_down: HandedDown::default(),
            heads: 0,
            held,
        }
    }

    /// The bytes that the trace has in use.
    #[inline]
    fn in_use(&self) -> usize {
        let slots = self.slots.len() * size_of::<OpenSpan>();
        self.bytes + slots + self.heads + self.handed_down.bytes()
    }

    /// Holds what is in use.
    #[inline]
    pub(super) fn cover(&mut self) {
        self.held.cover(self.in_use());
    }

    /// A slot for a new span, unless the trace has had its share of spans or bytes, or there is no memory for it.
    pub(super) fn open(
        &mut self,
        name: &str,
        limits: &Limits,
    ) -> Result<(u32, &mut OpenSpan), Refusal> {
        if self.started >= limits.spans_per_trace || self.bytes > limits.bytes_per_trace {
            return Err(Refusal::Trace);
        }
        if !self.held.reach(self.in_use() + size_of::<OpenSpan>()) {
            return Err(Refusal::Memory);
        }
        self.started += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(OpenSpan::default());
            self.slots.len() as u32 - 1
        });
        let span = &mut self.slots[slot as usize];
        span.set_name(name);
        self.bytes += span.size();
        self.cover();
        Ok((slot, &mut self.slots[slot as usize]))
    }

    /// Counts the copy of a request's head.
    pub(super) fn count_head(&mut self, bytes: usize) {
        self.heads += bytes;
        self.cover();
    }

    /// The span in `slot`, if it is still that one and open.
    #[inline]
    pub(super) fn get(&mut self, slot: u32, id: SpanId) -> Option<&mut OpenSpan> {
        self.slots
            .get_mut(slot as usize)
            .filter(|span| span.id == id)
    }

    /// Runs `f` on an open span, with the bytes that the trace may still take, and accounts for what it adds.
    #[inline]
    pub(super) fn update<R>(
        &mut self,
        slot: u32,
        id: SpanId,
        limit: usize,
        f: impl FnOnce(&mut OpenSpan, usize) -> R,
    ) -> Option<R> {
        let memory = self.held.limit().saturating_sub(self.in_use());
        let room = limit.saturating_sub(self.bytes).min(memory);
        let span = self.get(slot, id)?;
        let before = span.size();
        let result = f(span, room);
        let after = span.size();
        self.bytes = self.bytes + after - before;
        self.cover();
        Some(result)
    }

    /// Seals an open span. Returns the trace's ended spans if no span of it is open any more, or they have waited for the others for
    /// long.
    #[inline]
    pub(super) fn end(
        &mut self,
        slot: u32,
        id: SpanId,
        context: &SpanContext,
        end: u64,
        limits: &Limits,
    ) -> Option<Ended<'_>> {
        if let Some((time, exception)) = self.get(slot, id)?.exception.take() {
            let attributes = exception.attributes();
            self.update(slot, id, limits.bytes_per_trace, |span, room| {
                span.add_event(EXCEPTION, time, &attributes, 0, limits, room);
            });
        }
        let span = self.slots.get_mut(slot as usize)?;
        let (open, ended) = (span.size(), self.ended.len());
        if ended == 0 {
            self.held_since = end;
        }
        span.seal(context, end, &mut self.ended);
        // The end adds what is not counted while the span is open: ids and times.
        self.bytes = self.bytes + (self.ended.len() - ended) - open;
        let inherited = std::mem::take(&mut span.inherited);
        span.reset(KEPT_SLOT_BYTES);
        self.free.push(slot);
        if !inherited.is_empty() {
            self.handed_down.keep(id, inherited, limits);
        }
        self.cover();
        if self.free.len() == self.slots.len() {
            (self.started, self.bytes, self.heads) = (0, 0, 0);
            return Some(Ended::HandOver(&self.ended));
        }
        Some(match self.overdue(end, limits) {
            Some(spans) => Ended::HandOver(spans),
            None => Ended::OthersOpen,
        })
    }

    /// The ended spans, if they have waited for the open ones for too long.
    pub(super) fn overdue(&mut self, now: u64, limits: &Limits) -> Option<&Runs> {
        let held = Duration::from_nanos(now.saturating_sub(self.held_since));
        if self.ended.is_empty() || held < limits.hold {
            return None;
        }
        self.started = self.slots.len() - self.free.len();
        self.bytes -= self.ended.len();
        Some(&self.ended)
    }

    /// Forgets the ended spans, which were handed over.
    pub(super) fn handed_over(&mut self) {
        if self.free.len() == self.slots.len() {
            // The whole trace is done, and trimmed by the handle that has ended it.
            return self.ended.clear();
        }
        self.ended.reset(KEPT_ENDED_BYTES);
        let in_use = self.in_use();
        self.held.shrink_to(in_use.max(KEPT_BYTES));
    }
}

/// What the end of a span leaves.
pub(super) enum Ended<'a> {
    OthersOpen,
    /// Nobody waits any more for these, which have ended.
    HandOver(&'a Runs),
}

/// A reference to a trace. The handle that ends the trace's last span gives its buffers back to the thread.
#[derive(Debug, Clone)]
pub(crate) struct TraceRef(Arc<Trace>);

thread_local! {
    static POOL: RefCell<Vec<Arc<Trace>>> = const { RefCell::new(Vec::new()) };
}

/// Traces that a thread keeps for reuse.
const POOLED: usize = 128;

impl TraceRef {
    pub(super) fn new(recorder: &Arc<Recorder>, context: SpanContext, clock: TraceClock) -> Self {
        let pooled = POOL.try_with(|pool| pool.borrow_mut().pop()).ok().flatten();
        if let Some(mut trace) = pooled
            && let Some(unshared) = Arc::get_mut(&mut trace)
        {
            unshared.reuse(recorder, context, clock);
            return Self(trace);
        }
        let state = State::new(Held::new(&recorder.memory));
        Self(Arc::new(Trace {
            recorder: Arc::clone(recorder),
            context,
            clock,
            state: Mutex::new(state),
        }))
    }

    /// Gives the trace's buffers back to the thread, if this is its only reference, when the reference is about to be dropped. A trace
    /// that has other references is freed with the last of them.
    pub(super) fn recycle(&mut self) {
        // The count is read first: that is cheaper than to ask for the trace alone.
        if Arc::strong_count(&self.0) > 1 || !Arc::get_mut(&mut self.0).is_some_and(Trace::trim) {
            return;
        }
        // A thread that is ending has no pool any more: then the trace is simply freed.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < POOLED {
                pool.push(Arc::clone(&self.0));
            }
        });
    }
}

impl Deref for TraceRef {
    type Target = Trace;

    fn deref(&self) -> &Trace {
        &self.0
    }
}
