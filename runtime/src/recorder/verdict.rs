//! The verdict on a trace whose spans the sampler wants recorded before it has the last word.
//!
//! Spans of a sampled trace are sealed when they end. Those of an undecided trace wait in their slots, unsealed: a trace that is
//! dropped costs neither the sealing nor a copy, and the verdict has the last word on what a kept trace's spans say.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use opentelemetry::trace::{SpanContext, Status};

use super::clock::Clock;
use super::open::OpenSpan;
use crate::sampling::{Decision, RecordedTrace, Sample, Watch};

/// The verdict on a trace that the head sampler recorded only. The trace's continuations share it.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) context: SpanContext,
    head: Decision,
    /// The tags that the verdict asks for.
    watch: Option<Arc<Watch>>,
    /// Whether a span of the trace has failed.
    has_failed: AtomicBool,
    /// Nanoseconds that the trace's first span here has taken.
    latency: AtomicU64,
    /// Spans that have ended, or are open when the verdict is due.
    spans: AtomicU64,
    /// The tests of the watch that spans have passed.
    hits: AtomicU64,
    decision: OnceLock<Decision>,
}

impl Verdict {
    /// The verdict that a trace waits for, if its head's decision is not final: in the place of `earlier`, that of a trace which is
    /// over, unless somebody still refers to it.
    #[inline]
    pub(super) fn for_trace(
        context: &SpanContext,
        head: &Decision,
        watch: Option<&Arc<Watch>>,
        earlier: Option<Arc<Self>>,
    ) -> Option<Arc<Self>> {
        head.waits().then(|| {
            let verdict = Self::new(context.clone(), head.clone(), watch.cloned());
            if let Some(mut earlier) = earlier
                && let Some(place) = Arc::get_mut(&mut earlier)
            {
                *place = verdict;
                return earlier;
            }
            Arc::new(verdict)
        })
    }

    fn new(context: SpanContext, head: Decision, watch: Option<Arc<Watch>>) -> Self {
        Self {
            context,
            head,
            watch,
            has_failed: AtomicBool::new(false),
            latency: AtomicU64::new(0),
            spans: AtomicU64::new(0),
            hits: AtomicU64::new(0),
            decision: OnceLock::new(),
        }
    }

    /// Notes what the verdict asks of a span that ends at `end`, or is open at that time.
    pub(super) fn note(&self, span: &mut OpenSpan, end: u64) {
        self.spans.fetch_add(1, Ordering::Relaxed);
        if let Some(watch) = &self.watch {
            self.hits.fetch_or(watch.hits(span), Ordering::Relaxed);
        }
        if matches!(span.status, Status::Error { .. }) {
            self.has_failed.store(true, Ordering::Relaxed);
        }
        if span.is_first {
            let end = span.answered.unwrap_or(end);
            let latency = end.saturating_sub(span.start);
            self.latency.store(latency, Ordering::Relaxed);
        }
    }

    pub(super) fn is_decided(&self) -> bool {
        self.decision.get().is_some()
    }

    /// Asks the sampler for the verdict, unless there is one. No lock of a cell may be held. A thread that needs it
    /// meanwhile waits: a sampler with a budget is not to be asked twice.
    pub(super) fn decide(&self, sampler: &dyn Sample, clock: &dyn Clock) -> &Decision {
        self.decision.get_or_init(|| {
            sampler.verdict(&RecordedTrace {
                id: self.context.trace_id(),
                head: &self.head,
                state: self.context.trace_state(),
                has_failed: self.has_failed.load(Ordering::Relaxed),
                latency: Duration::from_nanos(self.latency.load(Ordering::Relaxed)),
                spans: self.spans.load(Ordering::Relaxed),
                hits: self.hits.load(Ordering::Relaxed),
                now: &|| clock.monotonic(),
            })
        })
    }
}

#[cfg(test)]
mod tests;
