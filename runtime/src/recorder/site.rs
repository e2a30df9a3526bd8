//! What is known of an annotated function at compile time.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::trace::SpanKind;

use crate::attribute::Key;

/// The attribute that names a handler.
pub(crate) const FUNCTION: Key<'_> = Key::new("code.function.name");

/// An annotated function: its span's name and kind, its path, and the route that it was seen to serve.
#[derive(Debug)]
pub struct Site {
    pub(crate) name: &'static str,
    pub(crate) function: &'static str,
    pub(crate) kind: SpanKind,
    route: OnceLock<Box<str>>,
    several_routes: AtomicBool,
}

impl Site {
    /// A function at the path `function`, whose span is called `name`.
    #[must_use]
    pub const fn new(name: &'static str, function: &'static str) -> Self {
        Self {
            name,
            function,
            kind: SpanKind::Internal,
            route: OnceLock::new(),
            several_routes: AtomicBool::new(false),
        }
    }

    /// The same with a span of another kind than internal.
    #[must_use]
    pub const fn kind(mut self, kind: SpanKind) -> Self {
        self.kind = kind;
        self
    }

    /// The route of this handler, if every response so far came from the same one. It may serve others all the same: for a
    /// request that tells no route itself this is the best guess.
    pub(crate) fn route(&self) -> Option<&str> {
        let route = self.route.get()?;
        (!self.several_routes.load(Ordering::Relaxed)).then_some(route)
    }

    /// Remembers the route of a response: a request that is cancelled or panics has none to tell.
    pub(crate) fn learn_route(&self, route: &str) {
        if **self.route.get_or_init(|| route.into()) != *route {
            self.several_routes.store(true, Ordering::Relaxed);
        }
    }
}
