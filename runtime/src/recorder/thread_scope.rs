//! The scope of a thread: the context and the span that code finds as the current ones.

use std::thread::panicking;

use opentelemetry::{Context, ContextGuard};

use super::current::{EnteredSpan, swap_entered};
use crate::semconv::Outcome;

/// Where code finds what it runs under.
#[derive(Debug)]
pub(crate) struct ThreadScope {
    pub(super) cx: Context,
    /// What the thread notes as entered: it changes places with what the thread had noted before, and back.
    entered: Option<EnteredSpan>,
    was_entered: bool,
    pub(super) panicked: bool,
}

/// The scope of what code runs under, until this is dropped.
#[derive(Debug)]
pub(crate) struct ScopeGuard<'a> {
    scope: &'a mut ThreadScope,
    was_panicking: bool,
    _context: ContextGuard,
}

impl ThreadScope {
    pub(super) fn new(cx: Context, entered: Option<EnteredSpan>) -> Self {
        Self {
            cx,
            entered,
            was_entered: false,
            panicked: false,
        }
    }

    /// How what runs in it ends if it is dropped now.
    pub(super) fn unfinished(&self) -> Outcome {
        // Once entered, it tells a panic within it from one that merely drops it. Before, its tags are evaluated.
        if self.panicked || (!self.was_entered && panicking()) {
            Outcome::Panicked
        } else {
            Outcome::Cancelled
        }
    }

    /// Lets go of the span.
    pub(super) fn clear(&mut self) {
        self.cx = Context::new();
        self.entered = None;
    }

    /// `None` on a thread that is ending, which has no context any more: it may drop futures.
    pub(super) fn enter(&mut self) -> Option<ScopeGuard<'_>> {
        swap_entered(&mut self.entered)?;
        self.was_entered = true;
        Some(ScopeGuard {
            was_panicking: panicking(),
            _context: self.cx.clone().attach(),
            scope: self,
        })
    }
}

impl Drop for ScopeGuard<'_> {
    fn drop(&mut self) {
        swap_entered(&mut self.scope.entered);
        self.scope.panicked |= panicked_since(self.was_panicking);
    }
}

/// A panic may be caught above, and what runs under the span be dropped only after that: it is noted at once.
fn panicked_since(was_panicking: bool) -> bool {
    !was_panicking && panicking()
}

/// Notes a panic, until this is dropped.
pub(super) struct Watch<'a> {
    panicked: &'a mut bool,
    was_panicking: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(panicked: &'a mut bool) -> Self {
        Self {
            panicked,
            was_panicking: panicking(),
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        *self.panicked |= panicked_since(self.was_panicking);
    }
}
