//! A trace in this process, from the first span that starts to the last handle that goes.
//!
//! ```text
//! handle ─► trace: ids, clock ─► cell: slots, buffers, accounting (behind one lock)
//! handle ─┘                        │ given back when no span is open, and taken by the next trace
//! ```
//! A trace is small and lives as long as a handle of it. Its cell is large. It goes back to the thread when no span is open, even if
//! a Context, a session or a WebSocket keeps a handle. A child that starts later continues the trace in another cell. A trace has
//! one continuation at a time: the children that start while it has an open span share it, and with it all that is handed down.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use opentelemetry::trace::SpanContext;

use super::cells::Cell;
use super::clock::TraceClock;
use super::inherited::InheritedStore;
use super::instance::Recorder;
use super::memory::Reservation;
use super::noted_tenant::NotedTenant;
use super::pool::Pool;
use super::state::State;
use super::verdict::Verdict;
use crate::sampling::Decision;

#[derive(Debug)]
pub(crate) struct Trace {
    pub(super) recorder: Arc<Recorder>,
    /// Trace id, flags and tracestate of every span here; its span id is the local root's.
    pub(super) context: SpanContext,
    pub(super) clock: TraceClock,
    /// The head sampler's decision.
    pub(super) head: Decision,
    /// The verdict, if the head's decision is not final.
    pub(super) verdict: Option<Arc<Verdict>>,
    /// The cell of its spans, until no span is open.
    cell: Arc<Cell>,
    /// Whether no span is open any more. Set under the cell's lock.
    is_done: AtomicBool,
    continuation: Mutex<Continuation>,
    /// The trace that this one continues.
    origin: Option<TraceRef>,
}

/// A trace's continuation, for children that start when no span is open any more.
#[derive(Debug, Default)]
struct Continuation {
    trace: Weak<Trace>,
    /// What its spans have handed down, while it has no cell.
    inherited: InheritedStore,
    /// Memory held for `inherited`.
    reservation: Option<Reservation>,
}

/// A reference to a trace.
#[derive(Debug, Clone)]
pub(crate) struct TraceRef(Arc<Trace>);

thread_local! {
    /// Traces that nothing else refers to, with their cells.
    static TRACES: RefCell<Pool<Trace>> = const { RefCell::new(Pool::new()) };
    /// Cells of traces that a handle still refers to.
    static CELLS: RefCell<Pool<Cell>> = const { RefCell::new(Pool::new()) };
}

impl TraceRef {
    /// `tenant` is noted until the verdict, if traces have tenants.
    pub(super) fn new(
        recorder: &Arc<Recorder>,
        context: SpanContext,
        head: Decision,
        tenant: Option<NotedTenant>,
    ) -> Self {
        let clock = TraceClock::start(&*recorder.clock);
        let verdict = |context: &_, head: &Decision, earlier: Option<Arc<Verdict>>| {
            let watch = recorder.watch.as_ref();
            (head.waits()).then(|| Verdict::for_trace(context, head, tenant, watch, earlier))
        };
        if let Some(mut trace) = Pool::take(&TRACES) {
            if let Some(unshared) = Arc::get_mut(&mut trace)
                && Arc::ptr_eq(&unshared.recorder, recorder)
            {
                let verdict = verdict(&context, &head, unshared.verdict.take());
                let mut state = unshared.cell.lock();
                state.begin(clock, verdict.clone(), head.tier);
                drop(state);
                (unshared.context, unshared.clock) = (context, clock);
                (unshared.head, unshared.verdict) = (head, verdict);
                *unshared.is_done.get_mut() = false;
                return Self(trace);
            }
            // Another recorder's trace, or one that has a handle again: its cell is freed, even if handles still refer to it.
            trace.lock().free();
        }
        let verdict = verdict(&context, &head, None);
        let cell = cell_for(recorder);
        Self::in_cell(Trace {
            recorder: Arc::clone(recorder),
            context,
            clock,
            head,
            verdict,
            cell,
            is_done: AtomicBool::new(false),
            continuation: Mutex::default(),
            origin: None,
        })
    }

    fn in_cell(trace: Trace) -> Self {
        let verdict = trace.verdict.clone();
        let tier = trace.head.tier;
        trace.lock().begin(trace.clock, verdict, tier);
        Self(Arc::new(trace))
    }

    /// The trace for a child that starts: this one while a span is open, or else its continuation. It may be done again before its
    /// lock is taken: ask [`Trace::is_done`] then.
    pub(super) fn for_child(self) -> Self {
        if !self.is_done() {
            return self;
        }
        let origin = self.origin.clone().unwrap_or(self);
        let mut continuation = origin.continuation();
        if let Some(trace) = continuation.trace.upgrade()
            && !trace.is_done()
        {
            return Self(trace);
        }
        // The lock is kept: each child is to find what has been handed down.
        let trace = Self::in_cell(Trace {
            recorder: Arc::clone(&origin.recorder),
            context: origin.context.clone(),
            clock: origin.clock,
            head: origin.head.clone(),
            verdict: origin.verdict.clone(),
            cell: cell_for(&origin.recorder),
            is_done: AtomicBool::new(false),
            continuation: Mutex::default(),
            origin: Some(origin.clone()),
        });
        trace.lock().inherited = std::mem::take(&mut continuation.inherited);
        continuation.trace = Arc::downgrade(&trace.0);
        drop(continuation);
        trace
    }

    /// Gives the cell back when the trace's last span has ended. The trace itself is given back with it, if nothing else refers to
    /// it: this handle is about to go.
    pub(super) fn recycle(&mut self) {
        // The count is read first: that is cheaper than to ask for the trace alone.
        if Arc::strong_count(&self.0) > 1 {
            return self.give_cell_back();
        }
        let Some(unshared) = Arc::get_mut(&mut self.0) else {
            return self.give_cell_back();
        };
        unshared.origin = None;
        *unshared
            .continuation
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner) = Continuation::default();
        Pool::keep(&TRACES, &self.0);
    }

    /// Gives the cell back when the trace's last span has ended. Handles of the trace may stay for long.
    pub(super) fn give_cell_back(&self) {
        Pool::keep(&CELLS, &self.cell);
    }
}

/// A cell that no trace is in.
fn cell_for(recorder: &Recorder) -> Arc<Cell> {
    match Pool::take(&CELLS) {
        Some(cell) if cell.is_of(&recorder.cells) => cell,
        other => {
            // A cell of another recorder: handles may still refer to it.
            if let Some(cell) = other {
                cell.lock().free();
            }
            recorder.cells.new_cell()
        }
    }
}

/// What a thread has pooled. A test plays several threads on one: each has its pools, and dropping them ends it.
#[cfg(test)]
pub(super) struct Pools {
    traces: Pool<Trace>,
    cells: Pool<Cell>,
}

#[cfg(test)]
impl Pools {
    pub(super) const fn new() -> Self {
        Self {
            traces: Pool::new(),
            cells: Pool::new(),
        }
    }

    /// Changes places with what this thread has pooled.
    pub(super) fn swap(&mut self) {
        TRACES.with_borrow_mut(|mine| std::mem::swap(mine, &mut self.traces));
        CELLS.with_borrow_mut(|mine| std::mem::swap(mine, &mut self.cells));
    }
}

impl Trace {
    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.cell.lock()
    }

    /// The cell of its spans. It may be another trace's once this one is done.
    pub(super) fn cell(&self) -> &Cell {
        &self.cell
    }

    /// Whether no span is open any more. Then the cell may be used by another trace.
    #[inline]
    pub(super) fn is_done(&self) -> bool {
        self.is_done.load(Ordering::Acquire)
    }

    /// Notes, under the cell's lock, that no span is open any more.
    #[inline]
    pub(super) fn set_done(&self, state: &mut State) {
        if !state.inherited.is_empty() {
            self.keep_inherited(std::mem::take(&mut state.inherited));
        }
        // Last: a child that reads it without the lock finds what has been handed down.
        self.is_done.store(true, Ordering::Release);
    }

    /// Keeps what late children inherit, unless others are short of memory: it is kept as long as a handle of the trace.
    #[cold]
    fn keep_inherited(&self, inherited: InheritedStore) {
        let mut continuation = self.origin.as_deref().unwrap_or(self).continuation();
        let reservation = continuation.reservation.take().or_else(|| {
            Some(Reservation::new(&self.recorder.cells.memory)).filter(Reservation::may_pool)
        });
        if let Some(mut reservation) = reservation
            && reservation.try_grow(inherited.bytes())
        {
            continuation.inherited = inherited;
            continuation.reservation = Some(reservation);
        }
    }

    /// Taken under the lock of the trace's cell, or before the lock of a cell that no trace has.
    fn continuation(&self) -> MutexGuard<'_, Continuation> {
        self.continuation
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsRef<Cell> for Trace {
    fn as_ref(&self) -> &Cell {
        &self.cell
    }
}

impl Deref for TraceRef {
    type Target = Trace;

    fn deref(&self) -> &Trace {
        &self.0
    }
}
