//! A span of ours that code runs under.

use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, ContextGuard};

use super::local::LocalSpan;
use super::outcome::Outcome;
use super::span::Span;

/// A recording span that is current wherever its scope is entered, and that ends once: with the outcome it is told, or
/// as unfinished work when this is dropped.
#[derive(Debug)]
pub(crate) struct ActiveSpan {
    span: LocalSpan,
    cx: Context,
    ended: bool,
}

impl ActiveSpan {
    pub(crate) fn new(span: LocalSpan) -> Self {
        let cx = Context::current_with_span(Span::handle(span.clone()));
        Self {
            span,
            cx,
            ended: false,
        }
    }

    pub(crate) fn span(&self) -> &LocalSpan {
        &self.span
    }

    /// Makes the span current on this thread until the guard goes. For a synchronous stretch only: a call, one poll.
    pub(crate) fn enter(&self) -> ContextGuard {
        self.cx.clone().attach()
    }

    pub(crate) fn end(mut self, outcome: Outcome) {
        self.end_once(outcome);
    }

    fn end_once(&mut self, outcome: Outcome) {
        if !std::mem::replace(&mut self.ended, true) {
            // The context's reference goes first, so that ours is the last and the trace's buffers are reused.
            self.cx = Context::new();
            self.span.end(outcome);
        }
    }
}

impl Drop for ActiveSpan {
    fn drop(&mut self) {
        self.end_once(Outcome::of_unfinished());
    }
}
