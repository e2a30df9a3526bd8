//! The general way of a value into a buffer: as an OTLP `AnyValue` at any place, within limits, and treated as an option says.

use std::fmt;

use super::key::{self, KEY, VALUE};
use super::policy::Privacy;
use super::wire::{self, field_len, len_field, varint_len};

/// Writes one value at its place in a buffer, within its limits.
pub(super) struct ValueWriter<'a> {
    buf: &'a mut Vec<u8>,
    /// Arrays around it.
    depth: u8,
    place: Place<'a>,
    limits: &'a ValueLimits,
    outcome: &'a mut Encoded,
    privacy: Option<&'a Privacy>,
    treatment: Option<&'a Treatment<'a>>,
}

/// What an option says of one value. Of two that rewrite it, only the inner one would: the macros let one protect a value.
#[derive(Clone, Copy)]
pub(super) struct Treatment<'a> {
    /// Characters that the value is cut to, in place of the limit.
    pub(super) chars: usize,
    pub(super) rewrite: Option<&'a Rewrite<'a>>,
}

/// Makes another text of a value's; nothing, if it is to be dropped.
pub(super) type Rewrite<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// What bounds a value: its characters, and the bytes it may take at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ValueLimits {
    /// Characters of a string.
    pub(crate) chars: usize,
    /// Characters of a string that comes by OpenTelemetry's API, or whose key [is for long texts](is_for_long_text).
    pub(crate) long_chars: usize,
    pub(crate) bytes: usize,
}

impl ValueLimits {
    /// For a resource or an instrumentation scope, which no request can make large.
    pub(crate) const NONE: Self = Self {
        chars: usize::MAX,
        long_chars: usize::MAX,
        bytes: usize::MAX,
    };

    /// For what comes by OpenTelemetry's API.
    pub(crate) fn of_api(self) -> Self {
        Self {
            chars: self.long_chars,
            ..self
        }
    }
}

/// Whether texts of that key are of use only as a whole: those of errors, and queries.
fn is_for_long_text(key: &str) -> bool {
    key.starts_with("exception.") || key == "db.query.text"
}

/// What the value is part of.
#[derive(Debug, Clone, Copy)]
enum Place<'a> {
    /// A `KeyValue` in a field of that tag.
    Attribute { tag: u8, key: &'a str },
    /// A value in an `ArrayValue`.
    Element,
}

/// Arrays within arrays. Receivers refuse a whole request for one value that is nested more deeply than they decode, and a caller may
/// have made it.
const MAX_DEPTH: u8 = 8;

/// The outcome of writing a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoded {
    /// It stands in the buffer, or there is none.
    Written,
    /// It does not fit its limits. The buffer has a part of it, which is not an attribute.
    TooLarge,
    /// Its protection leaves it out, and an earlier value of its key as well: that one may be what is to be protected.
    Withheld,
}

pub(super) const STRING: u8 = len_field(1);
pub(super) const BOOL: u8 = wire::varint_field(2);
pub(super) const INT: u8 = wire::varint_field(3);
pub(super) const DOUBLE: u8 = wire::fixed64_field(4);
const ARRAY: u8 = len_field(5);
const ELEMENT: u8 = len_field(1);

impl<'a> ValueWriter<'a> {
    pub(super) fn attribute(
        buf: &'a mut Vec<u8>,
        tag: u8,
        key: &'a str,
        limits: &'a ValueLimits,
        outcome: &'a mut Encoded,
        privacy: Option<&'a Privacy>,
    ) -> Self {
        Self {
            buf,
            place: Place::Attribute { tag, key },
            limits,
            outcome,
            depth: 0,
            privacy,
            treatment: None,
        }
    }

    /// How values that say so are protected.
    pub(super) fn privacy(&self) -> Option<&'a Privacy> {
        self.privacy
    }

    /// The key of the attribute whose value this is.
    pub(super) fn key(&self) -> Option<&'a str> {
        match self.place {
            Place::Attribute { key, .. } => Some(key),
            Place::Element => None,
        }
    }

    /// This writer, with an option's treatment.
    pub(super) fn with_treatment<'b>(self, treatment: &'b Treatment<'b>) -> ValueWriter<'b>
    where
        'a: 'b,
    {
        ValueWriter {
            treatment: Some(treatment),
            ..self
        }
    }

    /// Bytes that the value may take.
    pub(super) fn max_bytes(&self) -> usize {
        self.limits.bytes
    }

    /// Leaves the value out, and counts it as dropped, since it takes more.
    pub(super) fn refuse(self) {
        *self.outcome = Encoded::TooLarge;
    }

    /// Leaves the value out for its protection; an element only itself.
    pub(super) fn withhold(self) {
        if let Place::Attribute { .. } = self.place {
            *self.outcome = Encoded::Withheld;
        }
    }

    /// What has been said of the value so far.
    pub(super) fn treatment(&self) -> Treatment<'a> {
        self.treatment.copied().unwrap_or(Treatment {
            chars: self.chars(),
            rewrite: None,
        })
    }

    /// Characters that the value is cut to by its limits.
    fn chars(&self) -> usize {
        let ValueLimits {
            chars, long_chars, ..
        } = *self.limits;
        match self.place {
            Place::Attribute { key, .. } if chars != long_chars && is_for_long_text(key) => {
                long_chars
            }
            Place::Attribute { .. } | Place::Element => chars,
        }
    }

    pub(super) fn string(self, value: &str) {
        if self.treatment.is_some() {
            return self.treated(value);
        }
        if value.len() > self.limits.chars {
            let chars = self.chars();
            return self.text(truncate(value, chars));
        }
        self.text(value);
    }

    #[cold]
    fn treated(self, value: &str) {
        let chars = self.treatment().chars;
        self.whole(truncate(value, chars));
    }

    /// Writes the text of a number or a bool: a part of it would be another one.
    #[cold]
    pub(super) fn whole(self, value: &str) {
        match self.treatment().rewrite.map(|rewrite| rewrite(value)) {
            None => self.text(value),
            Some(Some(value)) => self.text(&value),
            Some(None) => {}
        }
    }

    fn text(self, value: &str) {
        if value.len() > self.limits.bytes {
            return self.refuse();
        }
        let buf = self.any_value(field_len(value.len()));
        wire::bytes(buf, STRING, value.as_bytes());
    }

    /// Whether the option needs the value as text.
    pub(super) fn wants_text(&self) -> bool {
        self.treatment.is_some_and(|it| it.rewrite.is_some())
    }

    pub(super) fn bool(self, value: bool) {
        if self.wants_text() {
            return self.whole(if value { "true" } else { "false" });
        }
        let buf = self.any_value(2);
        buf.extend_from_slice(&[BOOL, u8::from(value)]);
    }

    pub(super) fn i64(self, value: i64) {
        if self.wants_text() {
            return self.whole(&value.to_string());
        }
        // OTLP's int_value is an int64: a negative one takes ten bytes, as two's complement.
        let value = value as u64;
        let buf = self.any_value(1 + varint_len(value));
        wire::uint(buf, INT, value);
    }

    pub(super) fn f64(self, value: f64) {
        if self.wants_text() {
            return self.whole(&value.to_string());
        }
        let buf = self.any_value(9);
        wire::fixed64(buf, DOUBLE, value.to_bits());
    }

    pub(super) fn array(self, elements: impl FnOnce(&mut ArrayEncoder<'_>)) {
        if self.depth == MAX_DEPTH {
            return self.refuse();
        }
        let Self {
            depth,
            limits,
            outcome,
            privacy,
            treatment,
            ..
        } = self;
        let array = |buf: &mut Vec<u8>| {
            wire::message(buf, ARRAY, |buf| {
                elements(&mut ArrayEncoder {
                    start: buf.len(),
                    buf,
                    depth: depth + 1,
                    limits,
                    outcome,
                    privacy,
                    treatment,
                })
            });
        };
        match self.place {
            Place::Attribute { tag, key } => wire::message(self.buf, tag, |buf| {
                wire::bytes(buf, KEY, key.as_bytes());
                wire::message(buf, VALUE, array);
            }),
            Place::Element => wire::message(self.buf, ELEMENT, array),
        }
    }

    /// Writes all that precedes an `AnyValue` of `len` bytes.
    fn any_value(self, len: usize) -> &'a mut Vec<u8> {
        match self.place {
            Place::Attribute { tag, key } => key::begin(self.buf, tag, key, len),
            Place::Element => wire::prefix(self.buf, ELEMENT, len),
        }
        self.buf
    }
}

/// Takes the elements of an array.
pub struct ArrayEncoder<'a> {
    buf: &'a mut Vec<u8>,
    /// Arrays around it.
    depth: u8,
    start: usize,
    limits: &'a ValueLimits,
    outcome: &'a mut Encoded,
    privacy: Option<&'a Privacy>,
    treatment: Option<&'a Treatment<'a>>,
}

impl fmt::Debug for ArrayEncoder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArrayEncoder").finish_non_exhaustive()
    }
}

impl ArrayEncoder<'_> {
    /// Adds the element that `encode` writes, unless the array is too large already.
    pub(super) fn element(&mut self, encode: impl FnOnce(ValueWriter<'_>)) {
        let written = self.buf.len() - self.start;
        if written > self.limits.bytes {
            *self.outcome = Encoded::TooLarge;
            return;
        }
        let limits = ValueLimits {
            bytes: self.limits.bytes - written,
            ..*self.limits
        };
        encode(ValueWriter {
            buf: self.buf,
            depth: self.depth,
            place: Place::Element,
            limits: &limits,
            outcome: self.outcome,
            privacy: self.privacy,
            treatment: self.treatment,
        });
    }
}

/// The first `limit` characters of `value`.
pub(crate) fn truncate(value: &str, limit: usize) -> &str {
    if value.len() <= limit {
        return value; // No character is shorter than a byte.
    }
    match value.char_indices().nth(limit) {
        Some((end, _)) => &value[..end],
        None => value,
    }
}
