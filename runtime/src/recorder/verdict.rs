//! The verdict on a trace whose spans the sampler wants recorded before it has the last word.
//!
//! Spans of a sampled trace are sealed when they end. Those of an undecided trace wait in their slots, unsealed: a trace that is
//! dropped costs neither the sealing nor a copy, and the verdict has the last word on what a kept trace's spans say.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use opentelemetry::trace::{SpanContext, Status};

use super::clock::Clock;
use super::noted_tenant::NotedTenant;
use super::open::OpenSpan;
use crate::sampling::{Decision, Late, RecordedTrace, Sample, TierId, Watch};

/// The verdict on a trace that the head sampler recorded only. The trace's continuations share it.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) context: SpanContext,
    head: Decision,
    /// Set if traces have tenants.
    tenant: Option<NotedTenant>,
    /// The tags that the verdict asks for.
    watch: Option<Arc<Watch>>,
    /// Whether a span of the trace has failed.
    has_failed: AtomicBool,
    /// Nanoseconds that the trace's first span here has taken.
    latency: AtomicU64,
    /// Spans that have ended.
    ended: AtomicU64,
    /// Spans that are open when the verdict is due.
    open: AtomicU64,
    /// The tests of the watch that spans have passed.
    hits: AtomicU64,
    decided: OnceLock<Decided>,
    /// What has become of it since: a span has ended that brings the trace back. Boxed: few traces have one.
    upgrade: OnceLock<Box<Decision>>,
}

/// What the sampler has said.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) decision: Decision,
    late: Late,
}

/// What becomes of a span that has ended.
pub(super) enum Fate<'v> {
    Dropped,
    /// It goes out with its trace.
    Kept(&'v Decision),
    /// It is kept, and with it what ends after it, of a trace that was dropped.
    Upgrades(&'v Decision),
}

impl Verdict {
    /// The verdict that a trace waits for whose head's decision is not final: in the place of `earlier`, that of a trace which is over, unless
    /// somebody still refers to it.
    #[cold]
    pub(super) fn for_trace(
        context: &SpanContext,
        head: &Decision,
        tenant: Option<NotedTenant>,
        watch: Option<&Arc<Watch>>,
        earlier: Option<Arc<Self>>,
    ) -> Arc<Self> {
        let verdict = Self::new(context.clone(), head.clone(), tenant, watch.cloned());
        if let Some(mut earlier) = earlier
            && let Some(place) = Arc::get_mut(&mut earlier)
        {
            *place = verdict;
            return earlier;
        }
        Arc::new(verdict)
    }

    fn new(
        context: SpanContext,
        head: Decision,
        tenant: Option<NotedTenant>,
        watch: Option<Arc<Watch>>,
    ) -> Self {
        Self {
            context,
            head,
            tenant,
            watch,
            has_failed: AtomicBool::new(false),
            latency: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            open: AtomicU64::new(0),
            hits: AtomicU64::new(0),
            decided: OnceLock::new(),
            upgrade: OnceLock::new(),
        }
    }

    /// Notes what the verdict asks of a span that ends at `end`.
    pub(super) fn note_ended(&self, span: &mut OpenSpan, end: u64) {
        self.ended.fetch_add(1, Ordering::Relaxed);
        self.note(span, end);
    }

    /// Notes what it asks of all open spans, in place of what was noted of open ones before.
    pub(super) fn note_open<'s>(&self, open: impl Iterator<Item = &'s mut OpenSpan>, now: u64) {
        let number = open.map(|span| self.note(span, now)).count();
        self.open.store(number as u64, Ordering::Relaxed);
    }

    fn note(&self, span: &mut OpenSpan, end: u64) {
        if let Some(watch) = &self.watch {
            self.hits.fetch_or(watch.hits(span), Ordering::Relaxed);
        }
        if has_failed(span) {
            self.has_failed.store(true, Ordering::Relaxed);
        }
        if span.is_first {
            self.latency.store(latency(span, end), Ordering::Relaxed);
        }
    }

    /// Notes what the verdict asks of a span that has changed: what was set since its buffer had `before` bytes.
    #[inline]
    pub(super) fn note_change(&self, span: &mut OpenSpan, before: usize) {
        if let Some(tenant) = &self.tenant
            && span.tags.bytes.len() != before
        {
            tenant.note(span, before);
        }
    }

    /// Tags a span of the trace, which is kept.
    pub(super) fn tag(&self, span: &mut OpenSpan, tier: TierId) {
        if let Some(tenant) = &self.tenant {
            tenant.tag(span, tier);
        }
    }

    pub(super) fn is_decided(&self) -> bool {
        self.decided.get().is_some()
    }

    /// Asks the sampler for the verdict, unless there is one. No lock of a cell may be held. A thread that needs it
    /// meanwhile waits: a sampler with a budget is not to be asked twice.
    pub(super) fn decide(&self, sampler: &dyn Sample, clock: &dyn Clock) -> &Decided {
        self.decided.get_or_init(|| {
            let tenant = self.tenant.as_ref().and_then(NotedTenant::decide);
            let hits = match (&self.watch, tenant.as_deref()) {
                // The spans get this tag when they are sealed.
                (Some(watch), Some(name)) => watch.hits_of(&NotedTenant::tags(name), true),
                _ => 0,
            };
            let trace = RecordedTrace {
                id: self.context.trace_id(),
                head: &self.head,
                state: self.context.trace_state(),
                tenant: tenant.as_deref(),
                has_failed: self.has_failed.load(Ordering::Relaxed),
                latency: Duration::from_nanos(self.latency.load(Ordering::Relaxed)),
                spans: self.ended.load(Ordering::Relaxed) + self.open.load(Ordering::Relaxed),
                hits: hits | self.hits.load(Ordering::Relaxed),
                now: &|| clock.monotonic(),
            };
            let decision = sampler.verdict(&trace);
            let late = match decision.is_kept() || decision.is_never() {
                true => Late::default(),
                false => sampler.late(&trace),
            };
            Decided { decision, late }
        })
    }

    /// What becomes of a span that has ended. Asked under the lock of its cell, in the order in which the cell's spans have ended. The
    /// verdict knows of those that had failed, so one that is found among the spans of a dropped trace has failed later. What another cell
    /// of the trace is settling at that moment may go out, too.
    pub(super) fn fate<'v>(&'v self, span: &OpenSpan, decided: &'v Decided) -> Fate<'v> {
        if decided.decision.is_kept() {
            return Fate::Kept(&decided.decision);
        }
        if let Some(upgrade) = self.upgrade.get() {
            return Fate::Kept(upgrade);
        }
        let (_, end) = span.ended;
        let latency = (span.is_first).then(|| Duration::from_nanos(latency(span, end)));
        let Some(reason) = decided.late.reason(has_failed(span), latency) else {
            return Fate::Dropped;
        };
        let upgrade = || Box::new(Decision::upgrade(reason, self.context.trace_state()));
        Fate::Upgrades(self.upgrade.get_or_init(upgrade))
    }
}

fn has_failed(span: &OpenSpan) -> bool {
    matches!(span.status, Status::Error { .. })
}

/// The nanoseconds that the trace's first span has taken at `end`.
fn latency(span: &OpenSpan, end: u64) -> u64 {
    span.answered.unwrap_or(end).saturating_sub(span.start)
}

#[cfg(test)]
mod tests;
