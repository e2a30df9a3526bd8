//! Ids in headers of their own, as gateways and older services write them: `X-Trace-ID`, and `X-Span-ID` for the caller's span,
//! or `X-Parent-ID` where that is what it calls the span that its callee stands below.

use opentelemetry::propagation::Injector;
use opentelemetry::trace::SpanContext;

use super::carrier::{Carrier, caller, trim};
use super::ids;

pub(super) const TRACE_ID: &str = "x-trace-id";
pub(super) const SPAN_ID: &str = "x-span-id";
pub(super) const PARENT_ID: &str = "x-parent-id";

/// The caller's span. The headers tell nothing of sampling: who names a trace is taken to record it.
pub(super) fn extract(carrier: &impl Carrier) -> Option<SpanContext> {
    let first = |name| carrier.lines(name).next().map(trim);
    let trace_id = ids::trace_id(first(TRACE_ID)?)?;
    let span_id = ids::span_id(first(SPAN_ID).or_else(|| first(PARENT_ID))?)?;
    Some(caller(trace_id, span_id, true))
}

pub(super) fn inject(span: &SpanContext, injector: &mut dyn Injector) {
    injector.set(TRACE_ID, span.trace_id().to_string());
    injector.set(SPAN_ID, span.span_id().to_string());
}
