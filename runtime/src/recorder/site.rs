//! What is known of an annotated function at compile time.

use opentelemetry::trace::SpanKind;

/// An annotated function: its span's name and kind, and its path.
#[derive(Debug)]
pub struct Site {
    pub(crate) name: &'static str,
    pub(crate) function: &'static str,
    pub(crate) kind: SpanKind,
}

impl Site {
    /// A function at the path `function`, whose span is called `name`.
    #[must_use]
    pub const fn new(name: &'static str, function: &'static str) -> Self {
        Self {
            name,
            function,
            kind: SpanKind::Internal,
        }
    }

    /// The same with a span of another kind than internal.
    #[must_use]
    pub const fn kind(mut self, kind: SpanKind) -> Self {
        self.kind = kind;
        self
    }
}
