//! The end of a span: its OTLP `Span` message, whole.
//!
//! What is known only now is appended to the attributes, events and links in its buffer, and the live bytes are copied out.

use opentelemetry::trace::{SpanContext, SpanKind, Status, TraceFlags};

use super::attributes::live;
use super::encoded_spans::EncodedSpans;
use super::open::OpenSpan;
use super::span_fields::{flags_of, nonzero};
use crate::attribute::Key;
use crate::attribute::wire::{self, fixed64_field, len_field, varint_field};
use crate::sampling::Decision;

/// Tag of field 16 of a `Span`, four fixed bytes: too large for one byte.
const SPAN_FLAGS: [u8; 2] = [0x85, 0x01];

const REASON: Key<'_> = Key::new("sampling.reason");
const ADJUSTED_COUNT: Key<'_> = Key::new("sampling.adjusted_count");

/// Says why the trace is kept, beside the attributes that its limits allow.
pub(super) fn give_reason(span: &mut OpenSpan, verdict: &Decision) {
    if let Some(reason) = verdict.reason {
        span.replace(&REASON, |tags| tags.set(REASON, reason));
    }
    if let Some(count) = verdict.adjusted_count {
        span.replace(&ADJUSTED_COUNT, |tags| tags.set(ADJUSTED_COUNT, &count));
    }
    for attribute in verdict.added.iter().flat_map(|added| &added.attributes) {
        let key = attribute.key.as_str();
        span.replace(&Key::new(key), |tags| tags.set_any(key, &attribute.value));
    }
}

/// Writes the whole message to `out`. What this span still holds is of no use then. `verdict` is on its trace, which is kept.
pub(super) fn seal(
    span: &mut OpenSpan,
    context: &SpanContext,
    verdict: &Decision,
    out: &mut EncodedSpans,
) {
    let (id, end) = span.ended;
    if span.is_first && (verdict.reason.is_some() || verdict.added.is_some()) {
        give_reason(span, verdict);
    }
    let buf = &mut span.tags.bytes;
    let state = match verdict.added.as_deref() {
        None => context.trace_state(),
        Some(added) => added.trace_state.as_ref().unwrap_or(context.trace_state()),
    };
    // TraceState tells whether it is empty only by its header, which is a String: ask the iterator.
    if state.into_iter().len() > 0 {
        wire::bytes(buf, len_field(3), state.header().as_bytes());
    }
    wire::bytes(buf, len_field(5), span.name.as_bytes());
    nonzero(buf, varint_field(10), span.tags.dropped);
    nonzero(buf, varint_field(12), span.dropped_events);
    nonzero(buf, varint_field(14), span.dropped_links);
    write_status(buf, &span.status);
    let fixed = Fixed {
        trace_id: context.trace_id().to_bytes(),
        id: id.to_bytes(),
        kind: kind_number(&span.kind),
        start: span.start,
        end: end.max(span.start),
        flags: flags_of(
            (context.trace_flags() | TraceFlags::SAMPLED).to_u8(),
            span.parent.is_some_and(|parent| parent.is_remote),
        ),
    };
    buf.extend_from_slice(&fixed.encode());
    if let Some(parent) = span.parent {
        wire::array(buf, len_field(4), parent.id.to_bytes());
    }

    let len = span.len();
    span.dead.sort_unstable_by_key(|dead| dead.start);
    out.push(&span.scope, |out| {
        wire::prefix(out, len_field(2), len);
        let bytes = &span.tags.bytes;
        live(&span.dead, bytes.len(), |live| {
            out.extend_from_slice(&bytes[live])
        });
    });
}

/// The fields of a span that have a fixed length, which are written at once.
struct Fixed {
    trace_id: [u8; 16],
    id: [u8; 8],
    kind: u8,
    start: u64,
    end: u64,
    flags: u32,
}

const FIXED_BYTES: usize = 54;

impl Fixed {
    #[inline]
    fn encode(&self) -> [u8; FIXED_BYTES] {
        let mut to = [0; FIXED_BYTES];
        to[..2].copy_from_slice(&[len_field(1), 16]);
        to[2..18].copy_from_slice(&self.trace_id);
        to[18..20].copy_from_slice(&[len_field(2), 8]);
        to[20..28].copy_from_slice(&self.id);
        to[28..30].copy_from_slice(&[varint_field(6), self.kind]);
        to[30] = fixed64_field(7);
        to[31..39].copy_from_slice(&self.start.to_le_bytes());
        to[39] = fixed64_field(8);
        to[40..48].copy_from_slice(&self.end.to_le_bytes());
        to[48..50].copy_from_slice(&SPAN_FLAGS);
        to[50..].copy_from_slice(&self.flags.to_le_bytes());
        to
    }
}

/// The status, as other encoders write it: an empty message if there is none.
#[inline]
fn write_status(buf: &mut Vec<u8>, status: &Status) {
    const STATUS: u8 = len_field(15);
    match status {
        Status::Unset => buf.extend_from_slice(&[STATUS, 0]),
        Status::Ok => buf.extend_from_slice(&[STATUS, 2, varint_field(3), 1]),
        Status::Error { description } => wire::message(buf, STATUS, |buf| {
            if !description.is_empty() {
                wire::bytes(buf, len_field(2), description.as_bytes());
            }
            wire::uint(buf, varint_field(3), 2);
        }),
    }
}

fn kind_number(kind: &SpanKind) -> u8 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}
