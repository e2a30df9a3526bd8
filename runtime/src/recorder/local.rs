//! A span of this process that is, or was, being recorded.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceId};

use super::descendants::append_inherited;
use super::exception::Exception;
use super::head_copy::HeadCopy;
use super::instance::Recorder;
use super::locked_span::LockedSpan;
use super::open::{Attributes, OpenSpan, value_limits};
use super::state::{Ended, Times};
use super::trace::TraceRef;
use crate::attribute::{Key, Scratch, Tags};
use crate::semconv::Outcome;

/// A handle of a span: its trace, its slot there and its id. It keeps the trace's identity, not its buffers. Once the span has ended,
/// only its children still find their trace by it.
#[derive(Clone)]
pub(crate) struct LocalSpan {
    trace: TraceRef,
    slot: u32,
    id: SpanId,
}

/// The answer to a handler that asks for its request's SERVER span.
#[derive(Debug)]
pub(super) enum Claim {
    Granted(LocalSpan),
    /// Another handler has it.
    Taken,
    /// There is no such span around.
    NoRequest,
}

const OUTCOME: Key<'_> = Key::new("biztrace.outcome");

/// The ids alone: what the span holds is not for whatever log a handle of it ends in.
impl fmt::Debug for LocalSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSpan")
            .field("trace_id", &self.trace_id())
            .field("span_id", &self.id)
            .finish_non_exhaustive()
    }
}

impl LocalSpan {
    pub(super) fn new(trace: TraceRef, slot: u32, id: SpanId) -> Self {
        Self { trace, slot, id }
    }

    /// What a child of this span is opened by: its trace, with the slot and the id of this span.
    pub(super) fn into_parts(self) -> (TraceRef, u32, SpanId) {
        (self.trace, self.slot, self.id)
    }

    pub(crate) fn context(&self) -> SpanContext {
        let trace = &self.trace.context;
        let state = trace.trace_state().clone();
        SpanContext::new(trace.trace_id(), self.id, trace.trace_flags(), false, state)
    }

    pub(super) fn trace_id(&self) -> TraceId {
        self.trace.context.trace_id()
    }

    pub(super) fn id(&self) -> SpanId {
        self.id
    }

    pub(crate) fn is_of(&self, recorder: &Arc<Recorder>) -> bool {
        Arc::ptr_eq(&self.trace.recorder, recorder)
    }

    pub(crate) fn recorder(&self) -> &Arc<Recorder> {
        &self.trace.recorder
    }

    #[cfg(test)]
    pub(super) fn buffer_capacity(&self) -> usize {
        self.update(|span, _| span.tags.bytes.capacity())
            .unwrap_or(0)
    }

    pub(crate) fn is_recording(&self) -> bool {
        !self.recorder().is_closed() && self.trace.lock().get(self.slot, self.id).is_some()
    }

    /// An empty set of tags within this span's limits.
    pub(crate) fn tags(&self) -> Scratch {
        let recorder = &self.trace.recorder;
        Scratch::new(value_limits(&recorder.limits), &recorder.privacy)
    }

    pub(crate) fn append(&self, tags: &Tags) {
        let limits = &self.trace.recorder.limits;
        let mut state = self.trace.lock();
        if !tags.inherited.is_empty() {
            append_inherited(&mut state, self.slot, self.id, tags, limits);
            return;
        }
        state.update(self.slot, self.id, limits.bytes_per_trace, |span, room| {
            span.append(tags, limits, room);
        });
    }

    /// Sets attributes where they belong: no user's code may run in `write`, which holds the trace's lock.
    pub(crate) fn tag(&self, write: impl FnOnce(&mut Tags)) {
        self.with_locked(|span| span.tag(write));
    }

    pub(crate) fn set_name(&self, name: &str) {
        self.update(|span, _| span.set_name(name));
    }

    pub(crate) fn set_status(&self, status: Status) {
        self.update(|span, _| span.set_status(status));
    }

    pub(super) fn add_event(&self, name: &str, time: SystemTime, attributes: Attributes<'_>) {
        let Recorder { limits, clock, .. } = &*self.trace.recorder;
        let time = self.trace.clock.given(time, &**clock);
        self.update(|span, room| span.add_event(name, time, attributes, limits, room));
    }

    /// Adds a link without attributes.
    pub(crate) fn link(&self, context: &SpanContext) {
        self.add_link(context, Attributes::Own(&[]));
    }

    pub(super) fn add_link(&self, context: &SpanContext, attributes: Attributes<'_>) {
        let limits = &self.trace.recorder.limits;
        self.update(|span, room| span.add_link(context, attributes, limits, room));
    }

    /// Adds an error as an event.
    pub(super) fn add_exception_event(&self, exception: &Exception) {
        let Recorder { limits, clock, .. } = &*self.trace.recorder;
        let now = self.trace.clock.now(&**clock);
        self.update(|span, room| span.add_exception(exception, now, limits, room));
    }

    /// The kind of the span, if it is open.
    pub(super) fn kind(&self) -> Option<SpanKind> {
        self.update(|span, _| span.kind.clone())
    }

    /// Takes the error that the body ended with, for the end of the span to make it an event.
    pub(super) fn set_exception(&self, exception: Exception) {
        let now = self.trace.clock.now(&*self.trace.recorder.clock);
        self.update(|span, _| span.exception = Some((now, exception)));
    }

    /// The kind of the span, and the error that its body ended with.
    pub(super) fn exception(&self) -> Option<(SpanKind, Exception)> {
        self.update(|span, _| Some((span.kind.clone(), span.exception.as_ref()?.1.clone())))?
    }

    /// The same; the end of the span does not make it an event then.
    pub(super) fn take_exception(&self) -> Option<(SpanKind, Exception)> {
        self.update(|span, _| Some((span.kind.clone(), span.exception.take()?.1)))?
    }

    /// Marks the span as an error. What the application has said of it stands: it knows more.
    pub(crate) fn fail(&self, error_type: &str) {
        self.with_locked(|span| span.fail(error_type));
    }

    /// Gives the trace's cell back, when its last span has ended.
    pub(super) fn give_cell_back(&self) {
        self.trace.give_cell_back();
    }

    /// Gives back what the trace has in use, when its last span has ended and this handle is about to go.
    pub(super) fn recycle(&mut self) {
        self.trace.recycle();
    }

    /// Ends the span, and returns whether no span of the trace is open any more. Only the first end of a span counts.
    pub(super) fn end_with(&self, outcome: Outcome) -> bool {
        match outcome {
            // A response's status has been recorded with its head.
            Outcome::Ok | Outcome::ClientError | Outcome::ServerError => {}
            Outcome::Failed(error_type) => self.fail(error_type),
            Outcome::TimedOut => self.tag(|tags| tags.set(OUTCOME, "timed_out")),
            Outcome::Cancelled => self.tag(|tags| tags.set(OUTCOME, "cancelled")),
            Outcome::Panicked => {
                self.with_locked(|span| {
                    span.fail("panic");
                    span.tag(|tags| tags.set(OUTCOME, "panicked"));
                });
            }
        }
        let now = self.trace.clock.now(&*self.trace.recorder.clock);
        self.end_at(now, now)
    }

    pub(super) fn end_with_timestamp(&self, time: SystemTime) {
        let (clock, trace) = (&*self.trace.recorder.clock, &self.trace);
        if self.end_at(trace.clock.given(time, clock), trace.clock.now(clock)) {
            self.trace.give_cell_back();
        }
    }

    /// Ends the span at `end`, which may be any time, and returns whether no span of the trace is open any more.
    fn end_at(&self, end: u64, now: u64) -> bool {
        let Recorder { sink, limits, .. } = &*self.trace.recorder;
        let mut state = self.trace.lock();
        let (context, head, times) = (&self.trace.context, &self.trace.head, Times { end, now });
        let Some(ended) = state.end(self.slot, self.id, context, head, times, limits) else {
            return false;
        };
        let is_last = state.open_spans() == 0;
        if is_last {
            self.trace.set_done(&mut state);
        }
        match ended {
            Ended::Waits => sink.ended(),
            Ended::Kept => {
                sink.kept(state.ended(), 1, None);
                state.handed_over();
            }
            Ended::Due(verdict) => {
                sink.ended();
                drop(state);
                self.trace.recorder.decide(self.trace.cell(), &verdict);
            }
        }
        is_last
    }

    /// The time, if the trace waits for a verdict that counts a request until its response's head: that of a response that `goes_on` by
    /// design, or any.
    #[inline]
    pub(crate) fn now_if_counted(&self, goes_on: impl FnOnce() -> bool) -> Option<u64> {
        self.trace.verdict.as_ref()?;
        let recorder = &self.trace.recorder;
        let counts_head = !recorder.counts_bodies || goes_on();
        counts_head.then(|| self.trace.clock.now(&*recorder.clock))
    }

    /// Whether a SERVER span of a request is this span or around it.
    pub(crate) fn in_request(&self) -> bool {
        self.with_request(|_, _, _| ()).is_some()
    }

    /// Claims the request's SERVER span for a handler.
    pub(super) fn claim(&self) -> Claim {
        let granted = self.with_request(|server, slot, id| {
            let is_taken = std::mem::replace(&mut server.is_claimed, true);
            (!is_taken).then_some((slot, id))
        });
        match granted {
            Some(Some((slot, id))) => Claim::Granted(self.of_trace(slot, id)),
            Some(None) => Claim::Taken,
            None => Claim::NoRequest,
        }
    }

    /// The open SERVER span that is this span or around it.
    pub(super) fn server(&self) -> Option<Self> {
        let (slot, id) = self.with_request(|_, slot, id| (slot, id))?;
        Some(self.of_trace(slot, id))
    }

    /// Another span of the trace.
    fn of_trace(&self, slot: u32, id: SpanId) -> Self {
        Self {
            trace: self.trace.clone(),
            slot,
            id,
        }
    }

    /// The copy of the request's head, if there is a request.
    pub(super) fn head(&self) -> Option<Arc<HeadCopy>> {
        self.with_request(|server, _, _| server.head.clone())
            .flatten()
    }

    /// Runs `f` on the open SERVER span that is this span or around it, with its slot and id.
    pub(super) fn with_request<R>(
        &self,
        f: impl FnOnce(&mut OpenSpan, u32, SpanId) -> R,
    ) -> Option<R> {
        let mut state = self.trace.lock();
        let (slot, id) = state.get(self.slot, self.id)?.request?;
        Some(f(state.get(slot, id)?, slot, id))
    }

    /// Runs `f` on the span while the trace's lock is held, unless the span has ended. `f` must not call user code.
    #[inline]
    pub(crate) fn with_locked<R>(&self, f: impl FnOnce(&mut LockedSpan<'_>) -> R) -> Option<R> {
        let limits = &self.trace.recorder.limits;
        self.update(|span, room| f(&mut LockedSpan::new(span, limits, room)))
    }

    #[inline]
    fn update<R>(&self, f: impl FnOnce(&mut OpenSpan, usize) -> R) -> Option<R> {
        let limit = self.trace.recorder.limits.bytes_per_trace;
        self.trace.lock().update(self.slot, self.id, limit, f)
    }
}
