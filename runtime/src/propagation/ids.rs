//! Ids in headers, as hex digits.

use opentelemetry::trace::{SpanId, TraceId};

use crate::hex;

/// An id that may be written short, without its leading zeros or with half of its digits; `None` if it is malformed or zero.
pub(super) fn trace_id(digits: &[u8]) -> Option<TraceId> {
    let id = TraceId::from_bytes(padded(digits)?);
    (id != TraceId::INVALID).then_some(id)
}

/// A span id, written in the same ways.
pub(super) fn span_id(digits: &[u8]) -> Option<SpanId> {
    let id = SpanId::from_bytes(padded(digits)?);
    (id != SpanId::INVALID).then_some(id)
}

fn padded<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    // The longest id has 32 digits.
    let mut all = [b'0'; 32];
    let all = &mut all[..2 * N];
    if digits.is_empty() {
        return None;
    }
    let start = all.len().checked_sub(digits.len())?;
    all[start..].copy_from_slice(digits);
    hex::decode(all)
}
