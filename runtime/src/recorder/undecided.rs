//! The ended spans of a trace that has no verdict yet: they wait in their slots, unsealed.

use std::sync::Arc;

use opentelemetry::trace::SpanId;

use super::seal;
use super::state::{Ended, State, Times};
use super::verdict::{Decided, Fate, Verdict};
use crate::config::Limits;

impl State {
    /// Ends a span of that size, of a trace whose head was not the last word.
    #[cold]
    pub(super) fn end_undecided(
        &mut self,
        slot: u32,
        size: usize,
        times: Times,
        limits: &Limits,
    ) -> Option<Ended> {
        let verdict = self.verdict.as_ref()?;
        let span = self.slots.get_mut(slot as usize)?;
        verdict.note_ended(span, times.end);
        let is_decided = verdict.is_decided();
        span.forget_head();
        self.unsealed_bytes += size;
        self.slot_bytes += size;
        self.unsealed.push(slot);
        self.account();
        // Another thread may be settling spans of a decided trace, in turns: only who settles to the end knows that nothing is left.
        if !is_decided && !self.is_due(times.now, limits) {
            return Some(Ended::Waits);
        }
        let verdict = Arc::clone(self.verdict.as_ref()?);
        self.note_open(&verdict, times.now);
        Some(Ended::Due(verdict))
    }

    /// Has a verdict that is due take account of the spans that are open.
    pub(super) fn note_open(&mut self, verdict: &Verdict, now: u64) {
        if verdict.is_decided() || self.open_spans() == 0 {
            return;
        }
        let slots = self.slots.iter_mut();
        let open = slots.filter(|span| span.id != SpanId::INVALID);
        verdict.note_open(open, now);
    }

    /// Seals the ended spans of a decided trace, or drops those that are not kept: at most 16, so that a handler never waits long for the
    /// lock. Returns the number, or `None` if none was left.
    pub(super) fn settle(&mut self, verdict: &Arc<Verdict>, decided: &Decided) -> Option<usize> {
        const AT_ONCE: usize = 16;
        // The cell may have become another trace's.
        let is_of = |other| Arc::ptr_eq(other, verdict);
        if !self.verdict.as_ref().is_some_and(is_of) || self.unsealed.is_empty() {
            return None;
        }
        let number = self.unsealed.len().min(AT_ONCE);
        for at in 0..number {
            let slot = self.unsealed[at];
            let span = &mut self.slots[slot as usize];
            let size = span.size();
            self.unsealed_bytes -= size;
            self.slot_bytes -= size;
            let kept = match verdict.fate(span, decided) {
                Fate::Dropped => None,
                Fate::Kept(decision) => Some(decision),
                Fate::Upgrades(decision) => {
                    // The trace's first span may have gone.
                    seal::give_reason(span, decision);
                    Some(decision)
                }
            };
            if kept.is_some() {
                verdict.tag(span, decided.decision.tier);
            }
            self.seal(slot, &verdict.context, kept);
        }
        self.unsealed.drain(..number);
        Some(number)
    }
}
