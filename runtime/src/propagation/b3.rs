//! [B3][b3], in one header or in several. Both are read, the single one first, whichever is written.
//!
//! ```text
//! b3: 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1-05e3ac9a4f6e3b90
//!     │                                │                │ └ the caller's parent, which is of no use
//!     │                                │                └ 0: not sampled, 1: sampled, d: debug
//!     │                                └ the caller's span
//!     └ trace id, of 16 digits or 32
//! ```
//!
//! [b3]: https://github.com/openzipkin/b3-propagation

use opentelemetry::propagation::Injector;
use opentelemetry::trace::{SpanContext, SpanId, TraceId};

use super::{Carrier, caller, ids, only, trim};

pub(super) const SINGLE: &str = "b3";
pub(super) const TRACE_ID: &str = "x-b3-traceid";
pub(super) const SPAN_ID: &str = "x-b3-spanid";
pub(super) const SAMPLED: &str = "x-b3-sampled";
pub(super) const FLAGS: &str = "x-b3-flags";

/// The caller's span, and whether it debugs: whoever does wants all spans of the trace, here and further on.
pub(super) fn extract(carrier: &impl Carrier) -> Option<(SpanContext, bool)> {
    single(carrier).or_else(|| multi(carrier))
}

/// What a caller decides that names no span: `b3: 0`.
pub(super) fn decision(carrier: &impl Carrier) -> Option<Decision> {
    let Some(single) = only(carrier, SINGLE) else {
        let names_a_span = [TRACE_ID, SPAN_ID].map(|name| carrier.lines(name).next().is_some());
        return several(carrier)
            .flatten()
            .filter(|_| names_a_span == [false; 2]);
    };
    match trim(single) {
        b"0" => Some(Decision::Drop),
        b"1" => Some(Decision::Keep),
        b"d" => Some(Decision::Debug),
        _ => None,
    }
}

fn single(carrier: &impl Carrier) -> Option<(SpanContext, bool)> {
    let mut fields = trim(only(carrier, SINGLE)?).split(|byte| *byte == b'-');
    let (trace_id, span_id) = (trace_id(fields.next()?)?, span_id(fields.next()?)?);
    let decision = match fields.next() {
        None | Some(b"0") => Decision::Drop,
        Some(b"1") => Decision::Keep,
        Some(b"d") => Decision::Debug,
        Some(_) => return None,
    };
    if let Some(parent) = fields.next() {
        span_id_digits(parent)?;
    }
    let is_complete = fields.next().is_none();
    is_complete.then(|| decision.caller(trace_id, span_id))
}

fn multi(carrier: &impl Carrier) -> Option<(SpanContext, bool)> {
    let header = |name| only(carrier, name).map(trim);
    let (trace_id, span_id) = (trace_id(header(TRACE_ID)?)?, span_id(header(SPAN_ID)?)?);
    let decision = several(carrier)?.unwrap_or(Decision::Drop);
    Some(decision.caller(trace_id, span_id))
}

/// What several headers decide, if anything; `None` if that is malformed.
fn several(carrier: &impl Carrier) -> Option<Option<Decision>> {
    let header = |name| only(carrier, name).map(trim);
    match (header(FLAGS), header(SAMPLED)) {
        (Some(b"1"), _) => Some(Some(Decision::Debug)),
        // The words are of older implementations.
        (_, Some(b"1" | b"true")) => Some(Some(Decision::Keep)),
        (_, Some(b"0" | b"false")) => Some(Some(Decision::Drop)),
        (_, None) => Some(None),
        (_, Some(_)) => None,
    }
}

pub(super) fn inject_single(span: &SpanContext, is_debug: bool, injector: &mut dyn Injector) {
    let decision = match Decision::of(span, is_debug) {
        Decision::Drop => '0',
        Decision::Keep => '1',
        Decision::Debug => 'd',
    };
    let value = format!("{}-{}-{decision}", span.trace_id(), span.span_id());
    injector.set(SINGLE, value);
}

pub(super) fn inject_multi(span: &SpanContext, is_debug: bool, injector: &mut dyn Injector) {
    injector.set(TRACE_ID, span.trace_id().to_string());
    injector.set(SPAN_ID, span.span_id().to_string());
    let (name, value) = match Decision::of(span, is_debug) {
        Decision::Drop => (SAMPLED, "0"),
        Decision::Keep => (SAMPLED, "1"),
        // It implies the other.
        Decision::Debug => (FLAGS, "1"),
    };
    injector.set(name, value.to_owned());
}

/// What the caller has decided of the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Or it leaves the decision to others, who cannot know that it did.
    Drop,
    Keep,
    Debug,
}

impl Decision {
    fn of(span: &SpanContext, is_debug: bool) -> Self {
        match (is_debug, span.is_sampled()) {
            (true, _) => Self::Debug,
            (false, true) => Self::Keep,
            (false, false) => Self::Drop,
        }
    }

    fn caller(self, trace_id: TraceId, span_id: SpanId) -> (SpanContext, bool) {
        let caller = caller(trace_id, span_id, !matches!(self, Self::Drop));
        (caller, matches!(self, Self::Debug))
    }
}

fn trace_id(digits: &[u8]) -> Option<TraceId> {
    matches!(digits.len(), 16 | 32).then(|| ids::trace_id(digits))?
}

fn span_id(digits: &[u8]) -> Option<SpanId> {
    span_id_digits(digits).and_then(ids::span_id)
}

fn span_id_digits(digits: &[u8]) -> Option<&[u8]> {
    (digits.len() == 16).then_some(digits)
}
