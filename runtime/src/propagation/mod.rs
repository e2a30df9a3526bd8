//! Carries a trace between processes in the headers of [W3C Trace Context Level 2][w3c], which it
//! implements with its own parsers: what a caller sends is untrusted, and opentelemetry's are too
//! lenient. Knows nothing of spans being recorded. The middleware reads requests with `extract`,
//! clients write them with the globally registered [`TraceContext`].
//!
//! [w3c]: https://www.w3.org/TR/trace-context-2/

mod traceparent;
mod tracestate;

use std::sync::LazyLock;

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
    trace::{SpanContext, TraceContextExt},
};

#[cfg(test)]
mod tests;

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// The headers of an inbound request. A header may have several lines; they come in order.
pub(crate) trait Carrier {
    /// The lines of the header `name`, which is in lower case.
    fn lines<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a [u8]> + 'a;
}

/// The caller's span, marked as remote, or `None` if there is none or it is malformed: a new trace
/// begins then. A malformed `tracestate` counts as absent. Allocates only for a `tracestate`.
pub(crate) fn extract(carrier: &impl Carrier) -> Option<SpanContext> {
    let mut lines = carrier.lines(TRACEPARENT);
    let (trace_id, span_id, flags) = traceparent::parse(lines.next()?)?;
    if lines.next().is_some() {
        return None;
    }
    let state = tracestate::parse(carrier.lines(TRACESTATE)).unwrap_or_default();
    Some(SpanContext::new(trace_id, span_id, flags, true, state))
}

/// The propagator for [W3C Trace Context][w3c]: the headers `traceparent` and `tracestate`.
///
/// Of the flags, sampled and random are passed on. A malformed `traceparent` leaves the context as
/// it was, a malformed `tracestate` is dropped; neither is an error. `tracestate` is held in
/// opentelemetry's type, whose keys have at most one `@` with at most 13 characters after it:
/// a `tracestate` with another key is dropped as well.
///
/// ```
/// use std::collections::HashMap;
///
/// use biztrace::propagation::TraceContext;
/// use opentelemetry::{Context, propagation::TextMapPropagator, trace::TraceContextExt};
///
/// let inbound = HashMap::from([(
///     "traceparent".to_owned(),
///     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
/// )]);
/// let cx = TraceContext.extract_with_context(&Context::new(), &inbound);
/// assert!(cx.span().span_context().is_sampled());
///
/// let mut outbound = HashMap::new();
/// TraceContext.inject_context(&cx, &mut outbound);
/// assert_eq!(outbound, inbound);
/// ```
///
/// [w3c]: https://www.w3.org/TR/trace-context-2/
#[derive(Debug, Clone, Copy, Default)]
pub struct TraceContext;

impl TextMapPropagator for TraceContext {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let span = cx.span();
        let span_context = span.span_context();
        if !span_context.is_valid() {
            return;
        }
        injector.set(TRACEPARENT, traceparent::format(span_context));
        let state = span_context.trace_state().header();
        if !state.is_empty() {
            injector.set(TRACESTATE, state);
        }
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        match extract(&Lines(extractor)) {
            Some(caller) => cx.with_remote_span_context(caller),
            None => cx.clone(),
        }
    }

    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: LazyLock<[String; 2]> =
            LazyLock::new(|| [TRACEPARENT, TRACESTATE].map(String::from));
        FieldIter::new(&*FIELDS)
    }
}

struct Lines<'e>(&'e dyn Extractor);

impl Carrier for Lines<'_> {
    fn lines<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a [u8]> + 'a {
        let lines = self.0.get_all(name).unwrap_or_default();
        lines.into_iter().map(str::as_bytes)
    }
}
