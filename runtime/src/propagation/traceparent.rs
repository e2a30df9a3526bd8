//! The `traceparent` header: the caller's ids and flags ([Trace Context Level 2, §3.2][w3c]).
//!
//! ```text
//! 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
//! │  │                                │                └ 53 flags
//! │  │                                └ 36 parent id, the caller's span
//! │  └ 3 trace id
//! └ 0 version
//! ```
//!
//! [w3c]: https://www.w3.org/TR/trace-context-2/#traceparent-header

use opentelemetry::{
    TraceFlags,
    trace::{SpanContext, SpanId, TraceId},
};

use super::carrier::trim;
use crate::hex;

/// The trace id is random in its right-most 56 bits. opentelemetry has no name for this flag.
const RANDOM: TraceFlags = TraceFlags::new(0x02);

/// Reads one line. `None` if any field is malformed or an id is zero.
pub(super) fn parse(line: &[u8]) -> Option<(TraceId, SpanId, TraceFlags)> {
    let (fields, rest) = trim(line).split_first_chunk::<55>()?;
    if [fields[2], fields[35], fields[52]] != [b'-'; 3] {
        return None;
    }
    let version = hex::decode_byte([fields[0], fields[1]])?;
    let trace_id = TraceId::from_bytes(hex::decode(&fields[3..35])?);
    let span_id = SpanId::from_bytes(hex::decode(&fields[36..52])?);
    let flags = hex::decode_byte([fields[53], fields[54]])?;

    let complete = match version {
        0xff => false,
        0x00 => rest.is_empty(),
        // A later version may append fields, but keeps these.
        _ => rest.first().is_none_or(|byte| *byte == b'-'),
    };
    let valid = complete && trace_id != TraceId::INVALID && span_id != SpanId::INVALID;
    valid.then(|| (trace_id, span_id, known(TraceFlags::new(flags))))
}

/// Writes version 00, the one this crate speaks.
pub(super) fn format(span_context: &SpanContext) -> String {
    let mut line = [b'-'; 55];
    hex::encode_to(&[0], &mut line[..2]);
    hex::encode_to(&span_context.trace_id().to_bytes(), &mut line[3..35]);
    hex::encode_to(&span_context.span_id().to_bytes(), &mut line[36..52]);
    let flags = known(span_context.trace_flags()).to_u8();
    hex::encode_to(&[flags], &mut line[53..]);
    String::from_utf8_lossy(&line).into_owned()
}

/// Only flags with a known meaning are passed on.
fn known(flags: TraceFlags) -> TraceFlags {
    flags & (TraceFlags::SAMPLED | RANDOM)
}
