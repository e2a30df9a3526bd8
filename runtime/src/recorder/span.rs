//! A span as the OpenTelemetry API has it. `api_span` has the methods of the API.

use opentelemetry::trace::SpanContext;

use super::known_spans::Listed;
use super::local::LocalSpan;

/// A span made through the OpenTelemetry API. It ends when it is ended or dropped.
///
/// One that is not recorded, because its trace is not sampled, only carries its context.
#[derive(Debug)]
pub struct Span {
    pub(super) context: SpanContext,
    pub(super) local: Option<LocalSpan>,
    /// Has a context that holds this span find it.
    pub(super) listed: Option<Listed>,
    pub(super) ends_on_drop: bool,
}

impl Span {
    /// A span that ends when this is ended or dropped.
    pub(super) fn recording(local: LocalSpan) -> Self {
        let mut span = Self::handle(local);
        span.ends_on_drop = true;
        span
    }

    pub(super) fn silent(context: SpanContext) -> Self {
        Self {
            context,
            local: None,
            listed: None,
            ends_on_drop: false,
        }
    }

    #[cfg(test)]
    pub(super) fn buffer_capacity(&self) -> usize {
        self.local.as_ref().map_or(0, LocalSpan::buffer_capacity)
    }

    /// The span as a context holds it, while something else ends it.
    pub(super) fn handle(local: LocalSpan) -> Self {
        let mut span = Self::unlisted(local);
        span.listed = span.local.as_ref().map(Listed::new);
        span
    }

    /// The same for a context that is only entered where the thread notes the span.
    pub(super) fn unlisted(local: LocalSpan) -> Self {
        Self {
            context: local.context(),
            local: Some(local),
            listed: None,
            ends_on_drop: false,
        }
    }
}
