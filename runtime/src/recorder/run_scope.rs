//! A span of ours that code runs under.

use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::baggage::{Baggage, BaggageExt};
use opentelemetry::trace::{SpanContext, TraceContextExt};

use super::baggage::baggage;
use super::current::{EnteredSpan, entered};
use super::exception_policy;
use super::instance::Recorder;
use super::local::LocalSpan;
use super::span::Span;
use super::thread_scope::{ScopeGuard, ThreadScope, Watch};
use crate::attribute::Tags;
use crate::semconv::Outcome;

/// What code runs under.
#[derive(Debug)]
pub(crate) enum RunScope {
    /// What is there already.
    Nothing,
    /// A span that was dropped by its sampler, or skipped: nothing below it is recorded either.
    Silent(ThreadScope),
    Span(ActiveSpan),
    /// A span that something else enters and ends.
    Around(LocalSpan),
    /// The same, below which more travels than around it.
    Carrying(LocalSpan, ThreadScope),
}

/// A recording span that is current wherever it is entered, and that ends once: with the outcome it is told, or as
/// unfinished work when this is dropped.
#[derive(Debug)]
pub(crate) struct ActiveSpan {
    span: LocalSpan,
    scope: ThreadScope,
    has_ended: bool,
    /// Whether no span of the trace was open after the end.
    was_last: bool,
}

impl RunScope {
    /// The scope of a span that would have that context, and that `recorder` does not record.
    pub(crate) fn silent(context: SpanContext, recorder: Option<Arc<Recorder>>) -> Self {
        if context.is_valid() {
            // A recorder that is disabled passes the id of another span on.
            let is_own = recorder.as_ref().is_some_and(|it| !it.is_disabled());
            let id = is_own.then(|| context.span_id());
            let cx = Context::map_current(|cx| cx.with_remote_span_context(context));
            let noted = recorder.map(|recorder| EnteredSpan::Silent(recorder, id));
            Self::Silent(ThreadScope::new(cx, noted))
        } else {
            Self::Nothing
        }
    }

    /// The scope that is here already, which `recorder` does not record: what a request brings is passed on, though no span is.
    pub(crate) fn silent_here(recorder: Arc<Recorder>) -> Self {
        Self::Silent(ThreadScope::new(
            Context::current(),
            Some(EnteredSpan::Silent(recorder, None)),
        ))
    }

    /// The scope of a span that something else enters and ends, with that baggage if it is another than around it.
    pub(crate) fn around(span: LocalSpan, baggage: Option<Baggage>) -> Self {
        match baggage {
            Some(baggage) => {
                let cx = Context::current_with_baggage(baggage);
                Self::Carrying(span, ThreadScope::new(cx, entered()))
            }
            None => Self::Around(span),
        }
    }

    /// The span, if there is one to record on.
    pub(crate) fn span(&self) -> Option<&LocalSpan> {
        match self {
            Self::Span(active) => Some(&active.span),
            Self::Around(span) | Self::Carrying(span, _) => Some(span),
            Self::Nothing | Self::Silent(_) => None,
        }
    }

    /// The context of the span, recorded or not.
    pub(crate) fn context(&self) -> Option<SpanContext> {
        match self {
            Self::Silent(scope) => Some(scope.cx.span().span_context().clone()),
            _ => self.span().map(LocalSpan::context),
        }
    }

    /// Adds tags of the application's, whose code runs under the span and outside any lock. What travels of them does so from the
    /// next time that this is entered.
    pub(crate) fn tag(&mut self, tags: impl FnOnce(&mut Tags)) {
        let Some(span) = self.span().cloned() else {
            return;
        };
        let entered = self.enter();
        let mut set = span.tags();
        tags(&mut set);
        let baggage = baggage(&set);
        drop(entered);
        span.append(&set);
        if let (Self::Span(active), Some(baggage)) = (self, baggage) {
            active.carry(baggage);
        }
    }

    /// Runs code of the application's that looks at a result: outside of the span's scope, but a panic there is the span's.
    pub(crate) fn watch<R>(&mut self, look: impl FnOnce(&LocalSpan) -> R) -> Option<R> {
        match self {
            Self::Span(active) => {
                let _watch = Watch::new(&mut active.scope.panicked);
                Some(look(&active.span))
            }
            Self::Around(span) | Self::Carrying(span, _) => Some(look(span)),
            Self::Nothing | Self::Silent(_) => None,
        }
    }

    /// Makes it current on this thread until the guard goes. For a synchronous stretch only: a call, one poll.
    #[inline]
    pub(crate) fn enter(&mut self) -> Option<ScopeGuard<'_>> {
        match self {
            Self::Nothing | Self::Around(_) => None,
            Self::Silent(scope) | Self::Carrying(_, scope) => scope.enter(),
            Self::Span(active) => active.scope.enter(),
        }
    }

    /// Whether a panic has been noted in what ran under the span.
    pub(crate) fn has_panicked(&self) -> bool {
        matches!(self, Self::Span(active) if active.scope.panicked)
    }

    /// How it ends if it is dropped now.
    pub(crate) fn unfinished(&self) -> Outcome {
        match self {
            Self::Span(active) => active.scope.unfinished(),
            Self::Silent(scope) | Self::Carrying(_, scope) => scope.unfinished(),
            Self::Nothing | Self::Around(_) => Outcome::Cancelled,
        }
    }

    /// Ends the span. From then on there is nothing to run under, unless nothing is recorded anyway.
    pub(crate) fn end(&mut self, outcome: Outcome) {
        match self {
            Self::Silent(_) => return,
            Self::Span(active) => active.end(outcome),
            Self::Nothing | Self::Around(_) | Self::Carrying(..) => {}
        }
        *self = Self::Nothing;
    }
}

impl ActiveSpan {
    pub(crate) fn new(span: LocalSpan) -> Self {
        let cx = Context::current_with_span(Span::handle(span.clone()));
        Self {
            scope: ThreadScope::new(cx, Some(EnteredSpan::Span(span.clone()))),
            span,
            has_ended: false,
            was_last: false,
        }
    }

    pub(crate) fn span(&self) -> &LocalSpan {
        &self.span
    }

    /// Has that baggage in place of what is around, wherever it is entered.
    pub(crate) fn carry(&mut self, baggage: Baggage) {
        self.scope.cx = self.scope.cx.with_baggage(baggage);
    }

    fn end(&mut self, outcome: Outcome) {
        if !std::mem::replace(&mut self.has_ended, true) {
            // The scope's references go first, so that ours is the last and the trace's buffers are reused.
            self.scope.clear();
            self.was_last = exception_policy::end(&self.span, outcome);
        }
    }
}

impl Drop for ActiveSpan {
    fn drop(&mut self) {
        self.end(self.scope.unfinished());
        if self.was_last {
            self.span.recycle();
        }
    }
}
