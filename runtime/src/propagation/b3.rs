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

use super::carrier::{Carrier, caller, only, trim};
use super::ids;

pub(super) const SINGLE: &str = "b3";
pub(super) const TRACE_ID: &str = "x-b3-traceid";
pub(super) const SPAN_ID: &str = "x-b3-spanid";
pub(super) const SAMPLED: &str = "x-b3-sampled";
pub(super) const FLAGS: &str = "x-b3-flags";

/// The caller's span, if it names one, and what it has decided.
type Caller = (Option<SpanContext>, SamplingState);

pub(super) fn extract(carrier: &impl Carrier) -> Option<Caller> {
    single(carrier).or_else(|| several(carrier))
}

fn single(carrier: &impl Carrier) -> Option<Caller> {
    let line = trim(only(carrier, SINGLE)?);
    if let Some(alone) = SamplingState::read(line) {
        return Some((None, alone));
    }
    let mut fields = line.split(|byte| *byte == b'-');
    let (trace_id, span_id) = (trace_id(fields.next()?)?, span_id(fields.next()?)?);
    let decision = match fields.next() {
        None => SamplingState::Defer,
        Some(decision) => SamplingState::read(decision)?,
    };
    if let Some(parent) = fields.next() {
        span_id_digits(parent)?;
    }
    let is_complete = fields.next().is_none();
    is_complete.then(|| (Some(decision.of_caller(trace_id, span_id)), decision))
}

fn several(carrier: &impl Carrier) -> Option<Caller> {
    let header = |name| only(carrier, name).map(trim);
    let decision = match (header(FLAGS), header(SAMPLED)) {
        (Some(b"1"), _) => SamplingState::Debug,
        // The words are of older implementations.
        (_, Some(b"1" | b"true")) => SamplingState::Accept,
        (_, Some(b"0" | b"false")) => SamplingState::Deny,
        (_, None) => SamplingState::Defer,
        (_, Some(_)) => return None,
    };
    let caller = match (header(TRACE_ID), header(SPAN_ID)) {
        (Some(trace), Some(span)) => Some(decision.of_caller(trace_id(trace)?, span_id(span)?)),
        (None, None) if decision != SamplingState::Defer => None,
        _ => return None,
    };
    Some((caller, decision))
}

pub(super) fn inject_single(span: &SpanContext, is_debug: bool, injector: &mut dyn Injector) {
    let decision = match SamplingState::of(span, is_debug) {
        SamplingState::Deny | SamplingState::Defer => '0',
        SamplingState::Accept => '1',
        SamplingState::Debug => 'd',
    };
    let value = format!("{}-{}-{decision}", span.trace_id(), span.span_id());
    injector.set(SINGLE, value);
}

pub(super) fn inject_multi(span: &SpanContext, is_debug: bool, injector: &mut dyn Injector) {
    injector.set(TRACE_ID, span.trace_id().to_string());
    injector.set(SPAN_ID, span.span_id().to_string());
    let (name, value) = match SamplingState::of(span, is_debug) {
        SamplingState::Deny | SamplingState::Defer => (SAMPLED, "0"),
        SamplingState::Accept => (SAMPLED, "1"),
        // It implies the other.
        SamplingState::Debug => (FLAGS, "1"),
    };
    injector.set(name, value.to_owned());
}

/// What the caller has decided of the trace: the sampling state, in the terms of B3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SamplingState {
    Deny,
    Accept,
    /// The caller debugs: all spans of the trace are recorded, here and in the services called.
    Debug,
    /// The caller leaves the decision to this service.
    Defer,
}

impl SamplingState {
    /// Reads the state from the field of the single header.
    fn read(text: &[u8]) -> Option<Self> {
        match text {
            b"0" => Some(Self::Deny),
            b"1" => Some(Self::Accept),
            b"d" => Some(Self::Debug),
            _ => None,
        }
    }

    fn of(span: &SpanContext, is_debug: bool) -> Self {
        match (is_debug, span.is_sampled()) {
            (true, _) => Self::Debug,
            (false, true) => Self::Accept,
            (false, false) => Self::Deny,
        }
    }

    fn of_caller(self, trace_id: TraceId, span_id: SpanId) -> SpanContext {
        let is_sampled = matches!(self, Self::Accept | Self::Debug);
        caller(trace_id, span_id, is_sampled)
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
