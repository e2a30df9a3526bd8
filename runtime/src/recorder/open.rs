//! A span being recorded: its OTLP `Span` message in the making.
//!
//! ```text
//! bytes  │ attribute │ event │ attribute │ (dead) │ attribute │ link │ …
//! index  │ hash, range ─┘        │ hash, range ┘      hash, range ┘
//! ```
//! Attributes, events and links are appended in the order in which they come, since protobuf does not care. An attribute
//! set again marks its earlier bytes dead; sealing leaves those out when it writes the ended span.

use std::ops::Range;
use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status};

use super::exception::{EXCEPTION, Exception};
use super::head_copy::HeadCopy;
use super::inherited::Inherited;
use super::key_index::KeyIndex;
use super::scope::Scope;
use super::span_fields::{LINK_FLAGS, flags_of, nonzero};
use crate::attribute::wire::{self, fixed64_field, len_field, varint_field};
use crate::attribute::{Encoded, Encoder, PrivateUrl, Tags, Value, ValueLimits, truncate};
use crate::config::Limits;

#[derive(Debug)]
pub(crate) struct OpenSpan {
    pub(super) id: SpanId,
    /// Its id and its end, once it has ended and is to be sealed: handles do not find it any more.
    pub(super) ended: (SpanId, u64),
    /// Whether it is the trace's first span here.
    pub(super) is_first: bool,
    pub(super) parent: Option<Parent>,
    pub(super) scope: Scope,
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(super) start: u64,
    /// Of a request whose verdict is open: when the response's head was sent.
    pub(super) answered: Option<u64>,
    pub(super) status: Status,
    /// The attributes, with the bytes of events and links between theirs.
    pub(super) tags: Tags,
    pub(super) keys: KeyIndex,
    pub(super) dead: Vec<Range<u32>>,
    pub(super) dead_bytes: usize,
    events: usize,
    pub(super) dropped_events: u32,
    links: usize,
    pub(super) dropped_links: u32,
    /// The error that its body ended with and when: it becomes an event with the end, unless the response makes it the client's.
    pub(super) exception: Option<(u64, Exception)>,
    /// The attributes of the spans below.
    pub(super) inherited: Inherited,
    /// The SERVER span around this span, itself included, as its slot and id.
    pub(super) request: Option<(u32, SpanId)>,
    /// Of a SERVER span: the request's head, and whether a handler has claimed the span.
    pub(super) head: Option<Arc<HeadCopy>>,
    /// Bytes of that copy.
    pub(super) head_bytes: usize,
    pub(super) is_claimed: bool,
    /// What its URL must not show.
    pub(super) private_url: Vec<PrivateUrl>,
}

/// The parent of a span: another process's where it came with the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parent {
    pub(crate) id: SpanId,
    pub(crate) is_remote: bool,
}

/// Entries of attributes that a slot keeps room for.
const MAX_POOLED_ENTRIES: usize = 128;

/// Longer names and descriptions are cut.
const TEXT_CHARS: usize = 1024;

impl Default for OpenSpan {
    fn default() -> Self {
        Self {
            id: SpanId::INVALID,
            ended: (SpanId::INVALID, 0),
            is_first: false,
            parent: None,
            scope: Scope::Biztrace,
            name: String::new(),
            kind: SpanKind::Internal,
            start: 0,
            answered: None,
            status: Status::Unset,
            tags: Tags::new(),
            keys: KeyIndex::default(),
            dead: Vec::new(),
            dead_bytes: 0,
            events: 0,
            dropped_events: 0,
            links: 0,
            dropped_links: 0,
            exception: None,
            inherited: Inherited::default(),
            request: None,
            head: None,
            head_bytes: 0,
            is_claimed: false,
            private_url: Vec::new(),
        }
    }
}

impl OpenSpan {
    /// Bytes recorded so far, without the dead ones.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.tags.bytes.len() - self.dead_bytes
    }

    /// That, with its name and the description of its status.
    #[inline]
    pub(super) fn size(&self) -> usize {
        let description = match &self.status {
            Status::Error { description } => description.len(),
            Status::Ok | Status::Unset => 0,
        };
        self.len() + self.name.len() + description
    }

    pub(super) fn set_name(&mut self, name: &str) {
        self.name.clear();
        self.name.push_str(truncate(name, TEXT_CHARS));
    }

    pub(super) fn extend_name(&mut self, suffix: &str) {
        self.name.push(' ');
        self.name.push_str(truncate(suffix, TEXT_CHARS));
    }

    pub(super) fn add_event(
        &mut self,
        name: &str,
        time: u64,
        attributes: Attributes<'_>,
        limits: &Limits,
        room: usize,
    ) {
        let (kept, dropped) = attributes.kept(limits.event_attributes);
        let fits = self.events < limits.events
            && self.add(
                len_field(11),
                attributes.limits(limits, room),
                |buf, values| {
                    wire::fixed64(buf, fixed64_field(1), time);
                    wire::bytes(buf, len_field(2), truncate(name, TEXT_CHARS).as_bytes());
                    values.extend(buf, len_field(3), kept);
                    nonzero(buf, varint_field(4), dropped);
                },
            );
        if fits {
            self.events += 1
        } else {
            self.dropped_events += 1
        }
    }

    /// Adds an error as an event. A message that does not fit is cut: the error's type is worth more than its end.
    pub(super) fn add_exception(
        &mut self,
        exception: &Exception,
        time: u64,
        limits: &Limits,
        room: usize,
    ) {
        let attributes = Attributes::Own(&exception.attributes(room));
        self.add_event(EXCEPTION, time, attributes, limits, room);
    }

    pub(super) fn add_link(
        &mut self,
        context: &SpanContext,
        attributes: Attributes<'_>,
        limits: &Limits,
        room: usize,
    ) {
        let (kept, dropped) = attributes.kept(limits.link_attributes);
        let fits = self.links < limits.links
            && self.add(
                len_field(13),
                attributes.limits(limits, room),
                |buf, values| {
                    wire::array(buf, len_field(1), context.trace_id().to_bytes());
                    wire::array(buf, len_field(2), context.span_id().to_bytes());
                    let state = context.trace_state().header();
                    if !state.is_empty() {
                        wire::bytes(buf, len_field(3), state.as_bytes());
                    }
                    values.extend(buf, len_field(4), kept);
                    nonzero(buf, varint_field(5), dropped);
                    let flags = flags_of(context.trace_flags().to_u8(), context.is_remote());
                    buf.push(LINK_FLAGS);
                    buf.extend_from_slice(&flags.to_le_bytes());
                },
            );
        if fits {
            self.links += 1
        } else {
            self.dropped_links += 1
        }
    }

    /// Adds an event or a link, unless it takes more than the bytes that one value may.
    fn add(
        &mut self,
        tag: u8,
        limits: ValueLimits,
        write: impl FnOnce(&mut Vec<u8>, &mut LimitedAttributes),
    ) -> bool {
        let start = self.tags.bytes.len();
        let mut values = LimitedAttributes {
            limits,
            full_at: start.saturating_add(limits.bytes),
            outcome: Encoded::Written,
        };
        wire::message(&mut self.tags.bytes, tag, |buf| write(buf, &mut values));
        let fits =
            values.outcome != Encoded::TooLarge && self.tags.bytes.len() - start <= limits.bytes;
        if !fits {
            self.tags.bytes.truncate(start);
            self.tags.bytes.shrink_to(start);
        }
        fits
    }

    /// The last status counts, but Ok is final and Unset changes nothing (API specification, "Set Status").
    pub(super) fn set_status(&mut self, status: Status) {
        if self.status == Status::Ok {
            return;
        }
        match status {
            Status::Unset => {}
            Status::Error { description } if description.len() > TEXT_CHARS => {
                self.status = Status::error(truncate(&description, TEXT_CHARS).to_owned());
            }
            status => self.status = status,
        }
    }

    pub(crate) fn has_status(&self) -> bool {
        self.status != Status::Unset
    }

    /// Takes a copy of a request's head, and returns whether it is whole.
    pub(super) fn copy_head(&mut self, copy: impl FnOnce(&mut HeadCopy)) -> bool {
        // A slot keeps no head that somebody else still reads.
        Arc::get_mut(self.head.get_or_insert_default()).is_some_and(|head| {
            copy(head);
            self.head_bytes = head.len();
            !head.is_cut()
        })
    }

    /// Gives the copy up. What reads it finds that there is a request, and nothing of it.
    #[cold]
    pub(super) fn drop_head(&mut self) {
        (self.head, self.head_bytes) = (Some(Arc::default()), 0);
    }

    /// Whether something is to be done before it ends.
    #[inline]
    pub(super) fn is_incomplete(&self) -> bool {
        self.exception.is_some() || !self.private_url.is_empty()
    }

    /// Records the error that its body ended with, and hides what is private in its URL.
    pub(super) fn complete(&mut self, limits: &Limits, room: usize) {
        if let Some((time, exception)) = self.exception.take() {
            self.add_exception(&exception, time, limits, room);
        }
        if !self.private_url.is_empty() {
            self.hide_private();
        }
    }

    /// Ends the span, for it to be sealed.
    pub(super) fn end(&mut self, end: u64) {
        self.ended = (self.id, end);
        self.id = SpanId::INVALID;
    }

    /// Forgets the request's head: nothing reads it after the span's end.
    pub(super) fn forget_head(&mut self) {
        // A head that somebody still reads is theirs.
        match self.head.as_mut().and_then(Arc::get_mut) {
            Some(head) => head.clear(),
            None => self.head = None,
        }
        self.head_bytes = 0;
    }

    /// Makes this slot ready for the next span, keeping its buffers unless they have grown past `keep` bytes.
    pub(super) fn reset(&mut self, keep: usize) {
        self.id = SpanId::INVALID;
        self.forget_head();
        self.tags.clear();
        self.tags.bytes.shrink_to(keep);
        self.tags.entries.shrink_to(MAX_POOLED_ENTRIES);
        self.keys.clear();
        self.dead.clear();
        self.dead.shrink_to(keep / size_of::<Range<u32>>());
        self.name.clear();
        self.status = Status::Unset;
        self.scope = Scope::Biztrace;
        self.is_claimed = false;
        self.answered = None;
        self.request = None;
        self.exception = None;
        self.private_url.clear();
        (self.dead_bytes, self.events, self.links) = (0, 0, 0);
        (self.dropped_events, self.dropped_links) = (0, 0);
    }
}

/// The attributes of an event or a link, by their author.
#[derive(Clone, Copy)]
pub(super) enum Attributes<'a> {
    Own(&'a [KeyValue]),
    /// By OpenTelemetry's API, which has dropped so many already.
    Api(&'a [KeyValue], u32),
}

impl<'a> Attributes<'a> {
    /// As many as there may be, and the number of dropped ones.
    fn kept(self, most: usize) -> (&'a [KeyValue], u32) {
        let (all, dropped) = match self {
            Self::Own(all) => (all, 0),
            Self::Api(all, dropped) => (all, dropped),
        };
        let kept = &all[..all.len().min(most)];
        (
            kept,
            dropped.saturating_add((all.len() - kept.len()) as u32),
        )
    }

    fn limits(self, limits: &Limits, room: usize) -> ValueLimits {
        let limits = value_limits(limits);
        let limits = match self {
            Self::Own(_) => limits,
            Self::Api(..) => limits.of_api(),
        };
        ValueLimits {
            bytes: limits.bytes.min(room),
            ..limits
        }
    }
}

/// Attributes on their way into an event or a link.
struct LimitedAttributes {
    limits: ValueLimits,
    /// Past this many bytes in the buffer nothing more is written: it does not fit.
    full_at: usize,
    outcome: Encoded,
}

impl LimitedAttributes {
    fn extend(&mut self, buf: &mut Vec<u8>, tag: u8, attributes: &[KeyValue]) {
        for KeyValue { key, value, .. } in attributes {
            if buf.len() > self.full_at {
                self.outcome = Encoded::TooLarge;
                return;
            }
            value.encode(Encoder::attribute(
                buf,
                tag,
                key.as_str(),
                &self.limits,
                &mut self.outcome,
            ));
        }
    }
}

/// A value larger than all that a trace may hold is not worth encoding.
pub(super) fn value_limits(limits: &Limits) -> ValueLimits {
    ValueLimits {
        chars: limits.text_length(),
        long_chars: limits.attribute_value_length.unwrap_or(usize::MAX),
        bytes: limits.bytes_per_trace,
    }
}
