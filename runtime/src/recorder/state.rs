//! The content of a cell: the open spans of a trace, and ended spans that wait for them.
//!
//! The lock around it is uncontended unless threads share the trace, and is held for a few copies, and for actix-web's look-up of a
//! route: user code never runs under it (see `docs/adr/001-one-lock-a-trace.md`).

use std::time::Duration;

use opentelemetry::trace::{SpanContext, SpanId};

use super::Refusal;
use super::clock::{Clock, TraceClock};
use super::head::Head;
use super::inherited::HandedDown;
use super::memory::Held;
use super::open::OpenSpan;
use super::runs::Runs;
use crate::config::Limits;

#[derive(Debug)]
pub(super) struct State {
    pub(super) slots: Vec<OpenSpan>,
    free: Vec<u32>,
    ended: Runs,
    clock: Option<TraceClock>,
    /// When the first of them has ended, by this clock, whatever time of its end it was given.
    held_since: u64,
    /// Bytes in the open spans.
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

impl State {
    pub(super) fn new(held: Held) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            ended: Runs::default(),
            clock: None,
            held_since: 0,
            bytes: 0,
            handed_down: HandedDown::default(),
            heads: 0,
            held,
        }
    }

    /// Begins another trace.
    pub(super) fn begin(&mut self, clock: TraceClock) {
        self.clock = Some(clock);
    }

    /// Trims the buffers for the next trace. Returns `false` if they are not to be kept, since others are short of memory.
    pub(super) fn trim(&mut self) -> bool {
        self.slots.truncate(KEPT_SLOTS);
        self.slots.shrink_to(KEPT_SLOTS);
        self.free.clear();
        self.free.shrink_to(KEPT_SLOTS);
        self.free.extend((0..self.slots.len() as u32).rev());
        self.ended.reset(KEPT_ENDED_BYTES);
        self.held.shrink_to(KEPT_BYTES);
        self.held.may_idle()
    }

    /// Gives all memory back.
    pub(super) fn free(&mut self) {
        self.slots = Vec::new();
        self.free = Vec::new();
        self.ended = Runs::default();
        self.held.shrink_to(0);
    }

    /// The bytes that the trace has in use.
    #[inline]
    fn in_use(&self) -> usize {
        let slots = self.slots.len() * size_of::<OpenSpan>();
        self.bytes + self.ended.len() + slots + self.heads + self.handed_down.bytes()
    }

    /// Holds what is in use.
    #[inline]
    pub(super) fn cover(&mut self) {
        self.held.cover(self.in_use());
    }

    /// How many spans are open.
    #[inline]
    pub(super) fn open_spans(&self) -> usize {
        self.slots.len() - self.free.len()
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
        if !self.held.reach(self.in_use() + size_of::<OpenSpan>()) {
            return Err(Refusal::Memory);
        }
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

    /// Copies the head of a request for a SERVER span, and counts the copy until the span ends. Returns whether it is whole. Past the
    /// limit of memory nothing is copied: tags are missing then, and no span.
    pub(super) fn copy_head(&mut self, slot: u32, copy: impl FnOnce(&mut Head)) -> bool {
        let span = &mut self.slots[slot as usize];
        if self.held.limit() < usize::MAX {
            span.head.get_or_insert_default();
            return false;
        }
        let is_whole = span.copy_head(copy);
        self.heads += span.head_bytes;
        self.cover();
        is_whole
    }

    /// Seals an open span, which ends at `end` and is told so `now`. Returns which of the trace's ended spans are to be handed over.
    #[inline]
    pub(super) fn end(
        &mut self,
        slot: u32,
        id: SpanId,
        context: &SpanContext,
        end: u64,
        now: u64,
        limits: &Limits,
    ) -> Option<Ended<'_>> {
        if let Some((time, exception)) = self.get(slot, id)?.exception.take() {
            self.update(slot, id, limits.bytes_per_trace, |span, room| {
                span.add_exception(&exception, time, limits, room);
            });
        }
        let span = self.slots.get_mut(slot as usize)?;
        if self.ended.is_empty() {
            self.held_since = now;
        }
        self.bytes -= span.size();
        span.seal(context, end, &mut self.ended);
        self.heads -= span.head_bytes;
        let inherited = std::mem::take(&mut span.inherited);
        span.reset(KEPT_SLOT_BYTES);
        self.free.push(slot);
        if !inherited.is_empty() {
            self.handed_down.keep(id, inherited, limits);
        }
        self.cover();
        Some(if self.open_spans() == 0 {
            Ended::Done(&self.ended)
        } else if self.is_overdue(now, limits) || self.is_half_full(limits) {
            Ended::HandOver(&self.ended)
        } else {
            Ended::OthersOpen
        })
    }

    /// Whether ended spans have waited for open ones for too long.
    fn is_overdue(&self, now: u64, limits: &Limits) -> bool {
        let held = Duration::from_nanos(now.saturating_sub(self.held_since));
        held >= limits.hold
    }

    /// Whether the ended spans take half as much as open spans may: then they wait no longer.
    fn is_half_full(&self, limits: &Limits) -> bool {
        self.ended.spans() > limits.spans_per_trace / 2
            || self.ended.len() > limits.bytes_per_trace / 2
    }

    /// The spans that have ended and wait for others: all of them, or only if they have waited for long by `clock`.
    pub(super) fn waiting(&self, all: bool, clock: &dyn Clock, limits: &Limits) -> Option<&Runs> {
        if self.ended.is_empty() {
            return None;
        }
        let is_due = all || self.is_overdue(self.clock?.now(clock), limits);
        is_due.then_some(&self.ended)
    }

    /// Forgets the trace, whose spans have all been handed over.
    #[inline]
    pub(super) fn clear(&mut self) {
        self.ended.clear();
        self.bytes = 0;
    }

    /// Gives back what open spans do not need: those of a trace that has waited for long may stay open for hours.
    pub(super) fn idle(&mut self) {
        self.ended = Runs::default();
        for slot in &self.free {
            self.slots[*slot as usize] = OpenSpan::default();
        }
        self.held.shrink_to(self.in_use());
    }

    /// Forgets the ended spans, which were handed over.
    pub(super) fn handed_over(&mut self) {
        self.ended.reset(KEPT_ENDED_BYTES);
        let in_use = self.in_use();
        self.held.shrink_to(in_use.max(KEPT_BYTES));
    }
}

/// What the end of a span leaves.
pub(super) enum Ended<'a> {
    OthersOpen,
    /// These have ended and wait no longer, though others are open.
    HandOver(&'a Runs),
    /// These have ended, and no span is open.
    Done(&'a Runs),
}
