//! A span of ours that code runs under.

use std::sync::atomic::{AtomicBool, Ordering};

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
    panicked: AtomicBool,
    ended: bool,
}

/// The scope of a span, or of a context without one, until this is dropped.
#[derive(Debug)]
pub(crate) struct Entered<'a> {
    span: Option<&'a ActiveSpan>,
    _context: ContextGuard,
}

impl Entered<'_> {
    /// The scope of a context in which nothing is recorded.
    pub(crate) fn silent(cx: &Context) -> Self {
        Self {
            span: None,
            _context: cx.clone().attach(),
        }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        // A panic may be caught above, and what runs under the span be dropped only after that.
        if let Some(span) = self.span
            && std::thread::panicking()
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
            panicked: AtomicBool::new(false),
            ended: false,
        }
    }

    pub(crate) fn span(&self) -> &LocalSpan {
        &self.span
    }

    /// Makes the span current on this thread until the guard goes. For a synchronous stretch only: a call, one poll.
    pub(crate) fn enter(&self) -> Entered<'_> {
        Entered {
            span: Some(self),
            _context: self.cx.clone().attach(),
        }
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
        let panicked = *self.panicked.get_mut() || std::thread::panicking();
        self.end_once(if panicked {
            Outcome::Panicked
        } else {
            Outcome::Cancelled
        });
    }
}
