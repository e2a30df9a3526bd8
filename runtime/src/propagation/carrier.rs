//! The headers of a request, and what the formats read of them.

use opentelemetry::propagation::Extractor;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// The headers of an inbound request. A header may have several lines; they come in order.
pub(crate) trait Carrier {
    /// The lines of the header `name`, which is in lower case.
    fn lines<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a [u8]> + 'a;
}

/// The headers of an extractor of OpenTelemetry's API.
pub(super) struct Lines<'e>(pub(super) &'e dyn Extractor);

impl Carrier for Lines<'_> {
    fn lines<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a [u8]> + 'a {
        let lines = self.0.get_all(name).unwrap_or_default();
        lines.into_iter().map(str::as_bytes)
    }
}

/// The only line of the header `name`: of several none is taken.
pub(super) fn only<'a>(carrier: &'a impl Carrier, name: &'static str) -> Option<&'a [u8]> {
    let mut lines = carrier.lines(name);
    let line = lines.next()?;
    lines.next().is_none().then_some(line)
}

/// The span of a caller in a format that tells no more of its trace than whether it is sampled.
pub(super) fn caller(trace_id: TraceId, span_id: SpanId, is_sampled: bool) -> SpanContext {
    let flags = TraceFlags::default().with_sampled(is_sampled);
    SpanContext::new(trace_id, span_id, flags, true, TraceState::NONE)
}

/// A line without the white space around it.
pub(super) fn trim(mut line: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = line {
        line = rest;
    }
    line
}
