//! [W3C Trace Context Level 2][w3c]: the headers `traceparent` and `tracestate`.
//!
//! [w3c]: https://www.w3.org/TR/trace-context-2/

use opentelemetry::propagation::Injector;
use opentelemetry::trace::SpanContext;

use super::carrier::{Carrier, only};
use super::{traceparent, tracestate};

pub(super) const TRACEPARENT: &str = "traceparent";
pub(super) const TRACESTATE: &str = "tracestate";

/// A malformed `tracestate` counts as absent. Allocates only for a `tracestate`.
pub(super) fn extract(carrier: &impl Carrier) -> Option<SpanContext> {
    let (trace_id, span_id, flags) = traceparent::parse(only(carrier, TRACEPARENT)?)?;
    let state = tracestate::parse(carrier.lines(TRACESTATE)).unwrap_or_default();
    Some(SpanContext::new(trace_id, span_id, flags, true, state))
}

pub(super) fn inject(span: &SpanContext, injector: &mut dyn Injector) {
    injector.set(TRACEPARENT, traceparent::format(span));
    let state = span.trace_state().header();
    if !state.is_empty() {
        injector.set(TRACESTATE, state);
    }
}
