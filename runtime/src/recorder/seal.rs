//! The end of a span: its OTLP `Span` message, whole.
//!
//! What is known only now is appended to the attributes, events and links in its buffer, and the live bytes are copied out.

use std::ops::Range;

use opentelemetry::trace::{SpanContext, SpanKind, Status};

use super::open::OpenSpan;
use super::runs::Runs;
use crate::attribute::wire::{self, fixed64_field, len_field, varint_field};

/// Tag of field 6 of a `Link`, four fixed bytes.
pub(super) const LINK_FLAGS: [u8; 1] = [6 << 3 | 5];
/// Tag of field 16 of a `Span`, four fixed bytes: too large for one byte.
const SPAN_FLAGS: [u8; 2] = [0x85, 0x01];

impl OpenSpan {
    /// Writes the whole message to `out`. What this span still holds is of no use then.
    pub(super) fn seal(&mut self, context: &SpanContext, end: u64, out: &mut Runs) {
        let buf = &mut self.tags.bytes;
        wire::array(buf, len_field(1), context.trace_id().to_bytes());
        wire::array(buf, len_field(2), self.id.to_bytes());
        // TraceState tells whether it is empty only by its header, which is a String: ask the iterator.
        if context.trace_state().into_iter().len() > 0 {
            wire::bytes(buf, len_field(3), context.trace_state().header().as_bytes());
        }
        if let Some(parent) = self.parent {
            wire::array(buf, len_field(4), parent.id.to_bytes());
        }
        wire::bytes(buf, len_field(5), self.name.as_bytes());
        wire::uint(buf, varint_field(6), kind_number(&self.kind));
        wire::fixed64(buf, fixed64_field(7), self.start);
        wire::fixed64(buf, fixed64_field(8), end.max(self.start));
        nonzero(buf, varint_field(10), self.tags.dropped);
        nonzero(buf, varint_field(12), self.dropped_events);
        nonzero(buf, varint_field(14), self.dropped_links);
        wire::message(buf, len_field(15), |buf| match &self.status {
            Status::Unset => {}
            Status::Ok => wire::uint(buf, varint_field(3), 1),
            Status::Error { description } => {
                if !description.is_empty() {
                    wire::bytes(buf, len_field(2), description.as_bytes());
                }
                wire::uint(buf, varint_field(3), 2);
            }
        });
        let is_remote = self.parent.is_some_and(|parent| parent.is_remote);
        flags(buf, SPAN_FLAGS, context.trace_flags().to_u8(), is_remote);

        let len = self.len();
        self.dead.sort_unstable_by_key(|dead| dead.start);
        out.push(&self.scope, |out| {
            wire::prefix(out, len_field(2), len);
            let bytes = &self.tags.bytes;
            live(&self.dead, bytes.len(), |live| {
                out.extend_from_slice(&bytes[live])
            });
        });
    }
}

/// Calls `f` on what lies between the `dead` ranges, which are sorted.
pub(super) fn live(dead: &[Range<u32>], len: usize, mut f: impl FnMut(Range<usize>)) {
    let mut start = 0;
    for dead in dead {
        f(start..dead.start as usize);
        start = dead.end as usize;
    }
    f(start..len);
}

/// A count, left out where it is zero.
pub(super) fn nonzero(buf: &mut Vec<u8>, tag: u8, value: u32) {
    if value > 0 {
        wire::uint(buf, tag, value.into());
    }
}

/// The `flags` of a span or a link: the W3C flags, and whether the parent or the linked span is of another process.
pub(super) fn flags<const N: usize>(buf: &mut Vec<u8>, tag: [u8; N], flags: u8, is_remote: bool) {
    const HAS_IS_REMOTE: u32 = 0x100;
    const IS_REMOTE: u32 = 0x200;
    let flags = u32::from(flags) | HAS_IS_REMOTE | if is_remote { IS_REMOTE } else { 0 };
    buf.extend_from_slice(&tag);
    buf.extend_from_slice(&flags.to_le_bytes());
}

fn kind_number(kind: &SpanKind) -> u64 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}
