//! The content of a cell: the open spans of a trace, and ended spans that wait for them, sealed, or unsealed until the verdict.
//!
//! The lock around it is uncontended unless threads share the trace, and is held for a few copies, and for actix-web's look-up of a
//! route: user code never runs under it (see `docs/adr/001-one-lock-a-trace.md`).

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::{SpanContext, SpanId};

use super::clock::{Clock, TraceClock};
use super::encoded_spans::EncodedSpans;
use super::head_copy::HeadCopy;
use super::heads::Copies;
use super::inherited::InheritedStore;
use super::memory::Reservation;
use super::open::OpenSpan;
use super::seal;
use super::sink::{Refusal, Waiting};
use super::verdict::Verdict;
use crate::config::Limits;
use crate::sampling::{Decision, TierId};

#[derive(Debug)]
pub(super) struct State {
    pub(super) slots: Vec<OpenSpan>,
    free: Vec<u32>,
    /// Slots of ended spans that wait, unsealed, for the verdict on the trace.
    pub(super) unsealed: Vec<u32>,
    ended: EncodedSpans,
    /// Set if the head's decision is not final.
    pub(super) verdict: Option<Arc<Verdict>>,
    clock: Option<TraceClock>,
    /// When the oldest waiting span ended: by the trace's clock, not by the end time that a caller gave.
    waiting_since: u64,
    /// Bytes in the open spans.
    bytes: usize,
    /// Bytes in the unsealed spans.
    pub(super) unsealed_bytes: usize,
    /// Bytes of all slots: the slots themselves, their spans, and the copies of requests' heads.
    pub(super) slot_bytes: usize,
    /// What its spans hand down, which has a budget of bytes of its own.
    pub(super) inherited: InheritedStore,
    /// The copies of requests' heads.
    heads: Copies,
    reservation: Reservation,
}

/// Buffers that a finished trace keeps for the next one: about what a busy request needs.
const MAX_POOLED_SLOTS: usize = 8;
const MAX_POOLED_SLOT_BYTES: usize = 4 * 1024;
const MAX_POOLED_ENDED_BYTES: usize = 16 * 1024;
const MAX_POOLED_BYTES: usize =
    MAX_POOLED_SLOTS * (size_of::<OpenSpan>() + MAX_POOLED_SLOT_BYTES) + MAX_POOLED_ENDED_BYTES;

impl State {
    pub(super) fn new(reservation: Reservation, heads: Copies) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            unsealed: Vec::new(),
            ended: EncodedSpans::default(),
            verdict: None,
            clock: None,
            waiting_since: 0,
            bytes: 0,
            unsealed_bytes: 0,
            slot_bytes: 0,
            inherited: InheritedStore::default(),
            heads,
            reservation,
        }
    }

    /// Begins another trace, of that tier as far as its head tells.
    pub(super) fn begin(&mut self, clock: TraceClock, verdict: Option<Arc<Verdict>>, tier: TierId) {
        self.reservation.serve(tier);
        self.clock = Some(clock);
        self.verdict = verdict;
    }

    /// Trims the buffers for the next trace. Returns `false` if memory is short: then the caller frees them.
    pub(super) fn trim(&mut self) -> bool {
        debug_assert!(self.unsealed.is_empty() && self.unsealed_bytes == 0);
        self.slots.truncate(MAX_POOLED_SLOTS);
        self.slots.shrink_to(MAX_POOLED_SLOTS);
        self.slot_bytes = self.slots.len() * size_of::<OpenSpan>();
        self.verdict = None;
        self.free.clear();
        self.free.shrink_to(MAX_POOLED_SLOTS);
        self.free.extend((0..self.slots.len() as u32).rev());
        self.ended.reset(MAX_POOLED_ENDED_BYTES);
        self.heads.trim();
        self.reservation.shrink_to(MAX_POOLED_BYTES);
        self.reservation.leave_tier();
        self.reservation.may_pool()
    }

    /// Gives all memory back.
    pub(super) fn free(&mut self) {
        self.slots = Vec::new();
        self.slot_bytes = 0;
        self.free = Vec::new();
        self.verdict = None;
        self.unsealed = Vec::new();
        self.ended = EncodedSpans::default();
        self.heads.free();
        self.reservation.shrink_to(0);
    }

    /// The bytes that the trace has in use.
    #[inline]
    fn in_use(&self) -> usize {
        self.slot_bytes + self.ended.len() + self.inherited.bytes()
    }

    /// Accounts for what is in use.
    #[inline]
    pub(super) fn account(&mut self) {
        self.reservation.account(self.in_use());
    }

    /// How many spans have ended and wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.ended.spans() + self.unsealed.len()
    }

    /// How many spans are open.
    #[inline]
    pub(super) fn open_spans(&self) -> usize {
        self.slots.len() - self.free.len() - self.unsealed.len()
    }

    /// A slot for a new span, unless the open spans of the trace have had its share of spans or bytes, or there is no memory for it.
    pub(super) fn open(
        &mut self,
        name: &str,
        limits: &Limits,
    ) -> Result<(u32, &mut OpenSpan), Refusal> {
        if self.open_spans() >= limits.spans_per_trace || self.bytes > limits.bytes_per_trace {
            return Err(Refusal::Trace);
        }
        if !self
            .reservation
            .try_grow(self.in_use() + size_of::<OpenSpan>())
        {
            return Err(Refusal::Memory);
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(OpenSpan::default());
            self.slot_bytes += size_of::<OpenSpan>();
            self.slots.len() as u32 - 1
        });
        let span = &mut self.slots[slot as usize];
        span.set_name(name);
        self.bytes += span.size();
        self.slot_bytes += span.size();
        self.account();
        Ok((slot, &mut self.slots[slot as usize]))
    }

    /// The span in `slot`, if it is still that one and open.
    #[inline]
    pub(super) fn get(&mut self, slot: u32, id: SpanId) -> Option<&mut OpenSpan> {
        self.slots
            .get_mut(slot as usize)
            .filter(|span| span.id == id)
    }

    /// Runs `f` on an open span, with the bytes that the trace may still take, and accounts for what it adds. Has the verdict note what it
    /// sets.
    #[inline]
    pub(super) fn update<R>(
        &mut self,
        slot: u32,
        id: SpanId,
        limit: usize,
        f: impl FnOnce(&mut OpenSpan, usize) -> R,
    ) -> Option<R> {
        let mut written = 0;
        let result = self.preset(slot, id, limit, |span, room| {
            written = span.tags.bytes.len();
            f(span, room)
        });
        if result.is_some()
            && let Some(verdict) = &self.verdict
        {
            verdict.note_change(&mut self.slots[slot as usize], written);
        }
        result
    }

    /// As [`update`](Self::update), for what others have said and a span only starts with: the verdict does not note it.
    #[inline]
    pub(super) fn preset<R>(
        &mut self,
        slot: u32,
        id: SpanId,
        limit: usize,
        f: impl FnOnce(&mut OpenSpan, usize) -> R,
    ) -> Option<R> {
        let memory = self.reservation.limit().saturating_sub(self.in_use());
        let room = limit.saturating_sub(self.bytes).min(memory);
        let span = self.get(slot, id)?;
        let before = span.size();
        let result = f(span, room);
        let after = span.size();
        self.bytes = self.bytes + after - before;
        self.slot_bytes = self.slot_bytes + after - before;
        self.account();
        Some(result)
    }

    /// Copies the head of a request for a SERVER span, and counts the copy until the span ends. Returns whether it is whole. Past the
    /// limits of memory there is no copy: tags are missing then, and no span.
    pub(super) fn copy_head(&mut self, slot: u32, copy: impl FnOnce(&mut HeadCopy)) -> bool {
        let span = &mut self.slots[slot as usize];
        if self.reservation.limit() < usize::MAX {
            span.head.get_or_insert_default();
            return false;
        }
        let is_whole = span.copy_head(copy);
        if !self.heads.add(span.head_bytes) {
            span.drop_head();
            return false;
        }
        self.slot_bytes += span.head_bytes;
        self.account();
        is_whole
    }

    /// Ends an open span. `head` is what the sampler decided on the trace at its start.
    #[inline]
    pub(super) fn end(
        &mut self,
        slot: u32,
        id: SpanId,
        context: &SpanContext,
        head: &Decision,
        times: Times,
        limits: &Limits,
    ) -> Option<Ended> {
        if self.get(slot, id)?.is_incomplete() {
            self.update(slot, id, limits.bytes_per_trace, |span, room| {
                span.complete(limits, room);
            });
        }
        let span = self.slots.get_mut(slot as usize)?;
        if self.ended.is_empty() && self.unsealed.is_empty() {
            self.waiting_since = times.now;
        }
        let size = span.size();
        self.bytes -= size;
        self.slot_bytes -= size + span.head_bytes;
        self.heads.remove(span.head_bytes);
        span.end(times.end);
        let inherited = std::mem::take(&mut span.inherited);
        if !inherited.is_empty() {
            self.inherited.keep(id, inherited, limits);
        }
        if self.verdict.is_some() {
            return self.end_undecided(slot, size, times, limits);
        }
        self.seal(slot, context, Some(head));
        self.account();
        Some(match self.is_due(times.now, limits) {
            true => Ended::Kept,
            false => Ended::Waits,
        })
    }

    /// Whether ended spans wait no longer: no span is open, they have waited for long, or they take half as much as open spans may.
    #[inline]
    pub(super) fn is_due(&self, now: u64, limits: &Limits) -> bool {
        self.open_spans() == 0 || self.is_overdue(now, limits) || self.is_half_full(limits)
    }

    /// Whether ended spans have waited for open ones for too long.
    fn is_overdue(&self, now: u64, limits: &Limits) -> bool {
        let waited = Duration::from_nanos(now.saturating_sub(self.waiting_since));
        waited >= limits.hold
    }

    /// Whether the ended spans take half as much as open spans may.
    fn is_half_full(&self, limits: &Limits) -> bool {
        self.ended.spans() + self.unsealed.len() > limits.spans_per_trace / 2
            || self.ended.len() + self.unsealed_bytes > limits.bytes_per_trace / 2
    }

    /// The sealed spans.
    pub(super) fn ended(&self) -> &EncodedSpans {
        &self.ended
    }

    /// Takes the spans that have ended and wait for open ones, and gives back what these do not need: they may stay open for hours.
    pub(super) fn take_waiting(
        &mut self,
        which: Waiting,
        clock: &dyn Clock,
        limits: &Limits,
    ) -> Option<Taken> {
        // Without an open span, the thread that ended the last one is about to hand over.
        if self.open_spans() == 0 || (self.ended.is_empty() && self.unsealed.is_empty()) {
            return None;
        }
        let now = self.clock?.now(clock);
        let is_overdue = self.is_overdue(now, limits);
        if let Some(verdict) = self.verdict.clone()
            && !self.unsealed.is_empty()
            && (is_overdue
                || which == Waiting::All
                || (which == Waiting::Decided && verdict.is_decided()))
        {
            self.note_open(&verdict, now);
            return Some(Taken::Undecided(verdict));
        }
        if self.ended.is_empty() || (which == Waiting::Overdue && !is_overdue) {
            return None;
        }
        let ended = std::mem::take(&mut self.ended);
        self.release_unused();
        Some(Taken::Sealed(ended))
    }

    /// Seals an ended span that is kept by that decision, if there is one, and frees its slot.
    // Not inlined: two callers would double the code of a span's end.
    #[inline(never)]
    pub(super) fn seal(&mut self, slot: u32, context: &SpanContext, kept: Option<&Decision>) {
        let span = &mut self.slots[slot as usize];
        if let Some(verdict) = kept {
            seal::seal(span, context, verdict, &mut self.ended);
        }
        span.reset(MAX_POOLED_SLOT_BYTES);
        self.free.push(slot);
    }

    /// Frees memory that open and unsealed spans do not use.
    fn release_unused(&mut self) {
        for slot in &self.free {
            self.slots[*slot as usize] = OpenSpan::default();
        }
        self.heads.free();
        self.reservation.shrink_to(self.in_use());
    }

    /// Forgets the sealed spans, which were handed over.
    #[inline]
    pub(super) fn handed_over(&mut self) {
        if self.slots.len() == self.free.len() {
            // The cell is about to be trimmed.
            debug_assert_eq!(self.bytes + self.unsealed_bytes + self.heads.bytes(), 0);
            debug_assert_eq!(self.slot_bytes, self.slots.len() * size_of::<OpenSpan>());
            self.ended.clear();
            return;
        }
        self.ended.reset(MAX_POOLED_ENDED_BYTES);
        let in_use = self.in_use();
        self.reservation.shrink_to(in_use.max(MAX_POOLED_BYTES));
    }
}

/// When a span ends, and when the call was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) end: u64,
    pub(super) now: u64,
}

/// What the end of a span leaves.
pub(super) enum Ended {
    /// The span waits for others of its trace.
    Waits,
    /// The sealed spans are to be handed over: no span is open, or they have waited for long.
    Kept,
    /// The verdict on the trace is due, or there is one: its spans are to be settled.
    Due(Arc<Verdict>),
}

/// What waits in a trace.
pub(super) enum Taken {
    Sealed(EncodedSpans),
    /// Unsealed spans of a trace that is to be decided and settled.
    Undecided(Arc<Verdict>),
}
