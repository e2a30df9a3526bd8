//! A span of ours that code runs under.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::panicking;

use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry::{Context, ContextGuard};

use super::current;
use super::local::LocalSpan;
use super::outcome::Outcome;
use super::span::Span;

/// What code runs under.
#[derive(Debug)]
pub(crate) enum Under {
    /// What is there already.
    Nothing,
    /// The context of a span that was dropped by its sampler, or skipped: nothing below it is recorded either.
    Silent(Context),
    Span(ActiveSpan),
}

/// A recording span that is current wherever it is entered, and that ends once: with the outcome it is told, or as
/// unfinished work when this is dropped.
#[derive(Debug)]
pub(crate) struct ActiveSpan {
    span: LocalSpan,
    cx: Context,
    entered: AtomicBool,
    panicked: AtomicBool,
    ended: bool,
}

/// The scope of what code runs under, until this is dropped.
#[derive(Debug)]
pub(crate) struct Entered<'a> {
    span: Option<&'a ActiveSpan>,
    /// The span whose scope this thread was in before.
    around: Option<LocalSpan>,
    was_panicking: bool,
    _context: ContextGuard,
}

impl Under {
    /// Under a span that would have that context, and is not recorded.
    pub(crate) fn silent(context: SpanContext) -> Self {
        if context.is_valid() {
            Self::Silent(Context::map_current(|cx| {
                cx.with_remote_span_context(context)
            }))
        } else {
            Self::Nothing
        }
    }

    /// The span, if there is one to record on.
    pub(crate) fn span(&self) -> Option<&LocalSpan> {
        match self {
            Self::Span(active) => Some(&active.span),
            Self::Nothing | Self::Silent(_) => None,
        }
    }

    /// Makes it current on this thread until the guard goes. For a synchronous stretch only: a call, one poll.
    pub(crate) fn enter(&self) -> Option<Entered<'_>> {
        let (cx, span) = match self {
            Self::Nothing => return None,
            Self::Silent(cx) => (cx, None),
            Self::Span(active) => (&active.cx, Some(active)),
        };
        // A future may be dropped by a thread that is ending and has no context any more.
        let around = current::set_entered(span.map(|active| active.span.clone()))?;
        if let Some(active) = span {
            active.entered.store(true, Ordering::Relaxed);
        }
        Some(Entered {
            span,
            around,
            was_panicking: panicking(),
            _context: cx.clone().attach(),
        })
    }

    /// Ends the span. From then on there is nothing to run under.
    pub(crate) fn end(&mut self, outcome: impl FnOnce() -> Outcome) {
        if let Self::Span(mut active) = std::mem::replace(self, Self::Nothing) {
            active.end(outcome());
        }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        current::set_entered(self.around.take());
        // A panic may be caught above, and what runs under the span be dropped only after that.
        if let Some(span) = self.span
            && !self.was_panicking
            && panicking()
        {
            span.panicked.store(true, Ordering::Relaxed);
        }
    }
}

impl ActiveSpan {
    pub(crate) fn new(span: LocalSpan) -> Self {
        let cx = Context::current_with_span(Span::handle(span.clone()));
        Self {
            span,
            cx,
            entered: AtomicBool::new(false),
            panicked: AtomicBool::new(false),
            ended: false,
        }
    }

    pub(crate) fn span(&self) -> &LocalSpan {
        &self.span
    }

    fn end(&mut self, outcome: Outcome) {
        if !std::mem::replace(&mut self.ended, true) {
            // The context's reference goes first, so that ours is the last and the trace's buffers are reused.
            self.cx = Context::new();
            self.span.end(outcome);
        }
    }
}

impl Drop for ActiveSpan {
    fn drop(&mut self) {
        // Once entered, its own scope tells a panic below it from one that merely drops it. Before, its tags are evaluated.
        let panicked = *self.panicked.get_mut() || (!*self.entered.get_mut() && panicking());
        self.end(if panicked {
            Outcome::Panicked
        } else {
            Outcome::Cancelled
        });
    }
}
