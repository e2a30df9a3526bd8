//! What can be the value of an attribute, and how it becomes an OTLP `AnyValue`.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use super::privacy::Privacy;
use super::wire::{self, field_len, len_field, varint_len};

/// A type that can be the value of an attribute.
///
/// Integers, floats, `bool`, strings, and slices, arrays and vectors of them arrive at the backend as such.
/// `None` omits the attribute. Integers outside `i64` arrive as decimal strings, since OTLP's are signed and 64 bits wide; no limit
/// of length cuts these.
///
/// Implement it for a type of your own by handing on one of its parts:
///
/// ```
/// use biztrace::{Encoder, Value};
///
/// struct OrderId(u64);
///
/// impl Value for OrderId {
///     fn encode(&self, encoder: Encoder<'_>) {
///         self.0.encode(encoder);
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no attribute form",
    label = "not an attribute value",
    note = "a value is a number, a bool, a string, an `Option` or a list of them. Have another type's text with `#[display]` or `#[debug]`, convert it (`.as_millis()`, `.ok()`), derive `BizValue` for an enum of yours, or implement `biztrace::Value`",
    note = "a type that derives `BizAttrs` is spread: `..value`, or `nested` on a field",
    note = "types that hold secrets have no attribute form on purpose"
)]
pub trait Value {
    /// Writes this value, by calling one method of `encoder`; calling none omits the attribute.
    fn encode(&self, encoder: Encoder<'_>);
}

/// Takes the one value of an attribute, or one element of an array.
pub struct Encoder<'a> {
    buf: &'a mut Vec<u8>,
    /// Arrays around it.
    depth: u8,
    place: Place<'a>,
    limits: &'a ValueLimits,
    outcome: &'a mut Outcome,
    privacy: Option<&'a Privacy>,
    treatment: Option<&'a Treatment<'a>>,
}

/// What an option says of one value. Of two that rewrite it, only the inner one would: the macros let one protect a value.
#[derive(Clone, Copy)]
pub(super) struct Treatment<'a> {
    /// Characters that the value is cut to, in place of the limit.
    pub(super) chars: Option<usize>,
    pub(super) rewrite: Option<&'a Rewrite<'a>>,
}

/// Makes another text of a value's; nothing, if it is to be dropped.
pub(super) type Rewrite<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// What bounds a value: its characters, and the bytes it may take at all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ValueLimits {
    pub(crate) chars: Option<usize>,
    pub(crate) bytes: usize,
}

impl ValueLimits {
    /// For what is no user's: a resource, an instrumentation scope.
    pub(crate) const NONE: Self = Self {
        chars: None,
        bytes: usize::MAX,
    };
}

/// The key of an encoded attribute.
pub(crate) fn key_of(attribute: &[u8]) -> &[u8] {
    let (key_value, _) = wire::split_field(attribute);
    wire::split_field(key_value).0
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

/// What became of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It stands in the buffer, or there is none.
    Written,
    /// It does not fit its limits; what is in the buffer is no attribute.
    TooLarge,
    /// Its protection leaves it out, and an earlier value of its key as well: that one may be what is to be protected.
    Withheld,
}

/// Writes an attribute without a value: what stands for one that was withheld.
pub(super) fn key_alone(buf: &mut Vec<u8>, tag: u8, key: &str) {
    wire::message(buf, tag, |buf| wire::bytes(buf, KEY, key.as_bytes()));
}

/// Whether an encoded attribute has no value.
pub(crate) fn is_withheld(attribute: &[u8]) -> bool {
    let (key_value, _) = wire::split_field(attribute);
    wire::split_field(key_value).1.is_empty()
}

const KEY: u8 = len_field(1);
const VALUE: u8 = len_field(2);
const ELEMENT: u8 = len_field(1);

const STRING: u8 = len_field(1);
const BOOL: u8 = wire::varint_field(2);
const INT: u8 = wire::varint_field(3);
const DOUBLE: u8 = wire::fixed64_field(4);
const ARRAY: u8 = len_field(5);

impl<'a> Encoder<'a> {
    /// An encoder of the attribute `key`, in the field `tag` of the message being written to `buf`.
    /// Says in `outcome` where it is not written.
    pub(crate) fn attribute(
        buf: &'a mut Vec<u8>,
        tag: u8,
        key: &'a str,
        limits: &'a ValueLimits,
        outcome: &'a mut Outcome,
    ) -> Self {
        Self {
            buf,
            place: Place::Attribute { tag, key },
            limits,
            outcome,
            depth: 0,
            privacy: None,
            treatment: None,
        }
    }

    /// How values that say so are protected.
    pub(super) fn privacy(&self) -> Option<&'a Privacy> {
        self.privacy
    }

    pub(super) fn with_privacy(self, privacy: Option<&'a Privacy>) -> Self {
        Self { privacy, ..self }
    }

    /// Encodes `value` with an option's treatment.
    pub(super) fn treat<V: Value + ?Sized>(self, value: &V, treatment: &Treatment<'_>) {
        value.encode(Encoder {
            treatment: Some(treatment),
            ..self
        });
    }

    /// Bytes that the value may take.
    pub(super) fn max_bytes(&self) -> usize {
        self.limits.bytes
    }

    /// Leaves the value out, and counts it as dropped, since it takes more.
    pub(super) fn refuse(self) {
        *self.outcome = Outcome::TooLarge;
    }

    /// Leaves the value out for its protection; an element only itself.
    pub(super) fn withhold(self) {
        if let Place::Attribute { .. } = self.place {
            *self.outcome = Outcome::Withheld;
        }
    }

    /// What has been said of the value so far.
    pub(super) fn treatment(&self) -> Treatment<'a> {
        self.treatment.copied().unwrap_or(Treatment {
            chars: self.limits.chars,
            rewrite: None,
        })
    }

    /// Writes a string, cut to the configured number of characters.
    pub fn string(self, value: &str) {
        if self.treatment.is_some() {
            return self.treated(value);
        }
        let value = match self.limits.chars {
            Some(limit) => truncate(value, limit),
            None => value,
        };
        self.text(value);
    }

    #[cold]
    fn treated(self, value: &str) {
        let value = match self.treatment().chars {
            Some(limit) => truncate(value, limit),
            None => value,
        };
        self.whole(value);
    }

    /// Writes the text of a number or a bool: a part of it would be another one.
    #[cold]
    fn whole(self, value: &str) {
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

    /// Whether it is a text that is to be written, whatever the value's type.
    fn wants_text(&self) -> bool {
        self.treatment.is_some_and(|it| it.rewrite.is_some())
    }

    /// Writes a bool.
    pub fn bool(self, value: bool) {
        if self.wants_text() {
            return self.whole(if value { "true" } else { "false" });
        }
        let buf = self.any_value(2);
        buf.extend_from_slice(&[BOOL, u8::from(value)]);
    }

    /// Writes a signed integer.
    pub fn i64(self, value: i64) {
        if self.wants_text() {
            return self.whole(&value.to_string());
        }
        // OTLP's int_value is an int64: a negative one takes ten bytes, as two's complement.
        let value = value as u64;
        let buf = self.any_value(1 + varint_len(value));
        wire::uint(buf, INT, value);
    }

    /// Writes a double.
    pub fn f64(self, value: f64) {
        if self.wants_text() {
            return self.whole(&value.to_string());
        }
        let buf = self.any_value(9);
        wire::fixed64(buf, DOUBLE, value.to_bits());
    }

    /// Writes an array, of the elements that `elements` encodes.
    pub fn array(self, elements: impl FnOnce(&mut ArrayEncoder<'_>)) {
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
            Place::Attribute { tag, key } => {
                let short = 4 + key.len() + len;
                if short < 0x80 {
                    // As nearly all are: each of the three lengths takes one byte.
                    let lens = [tag, short as u8, KEY, key.len() as u8];
                    self.buf.extend_from_slice(&lens);
                    self.buf.extend_from_slice(key.as_bytes());
                    self.buf.extend_from_slice(&[VALUE, len as u8]);
                } else {
                    wire::prefix(self.buf, tag, field_len(key.len()) + field_len(len));
                    wire::bytes(self.buf, KEY, key.as_bytes());
                    wire::prefix(self.buf, VALUE, len);
                }
            }
            Place::Element => wire::prefix(self.buf, ELEMENT, len),
        }
        self.buf
    }
}

impl fmt::Debug for Encoder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

/// Takes the elements of an array.
pub struct ArrayEncoder<'a> {
    buf: &'a mut Vec<u8>,
    /// Arrays around it.
    depth: u8,
    start: usize,
    limits: &'a ValueLimits,
    outcome: &'a mut Outcome,
    privacy: Option<&'a Privacy>,
    treatment: Option<&'a Treatment<'a>>,
}

impl fmt::Debug for ArrayEncoder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArrayEncoder").finish_non_exhaustive()
    }
}

impl ArrayEncoder<'_> {
    /// Adds an element. One without a value, `None` for one, is left out. OpenTelemetry wants all elements of an array to be of
    /// one type; its API has no form for others, nor for arrays of arrays. Of more than eight within one another none is recorded.
    pub fn push<V: Value + ?Sized>(&mut self, element: &V) {
        let written = self.buf.len() - self.start;
        if written > self.limits.bytes {
            *self.outcome = Outcome::TooLarge;
            return;
        }
        let limits = ValueLimits {
            bytes: self.limits.bytes - written,
            ..*self.limits
        };
        element.encode(Encoder {
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

macro_rules! integers {
    ($($int:ty)*) => {$(
        impl Value for $int {
            fn encode(&self, encoder: Encoder<'_>) {
                match i64::try_from(*self) {
                    Ok(value) => encoder.i64(value),
                    Err(_) => encoder.whole(&self.to_string()),
                }
            }
        }
    )*};
}

integers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

impl Value for bool {
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.bool(*self);
    }
}

impl Value for f32 {
    fn encode(&self, encoder: Encoder<'_>) {
        if encoder.wants_text() {
            // Its own: as a double, 0.1 has digits of its rounding.
            return encoder.whole(&self.to_string());
        }
        encoder.f64(f64::from(*self));
    }
}

impl Value for f64 {
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.f64(*self);
    }
}

impl Value for char {
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.string(self.encode_utf8(&mut [0; 4]));
    }
}

impl Value for str {
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.string(self);
    }
}

impl Value for String {
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.string(self);
    }
}

impl<V: Value> Value for [V] {
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.array(|array| self.iter().for_each(|element| array.push(element)));
    }
}

impl<V: Value, const N: usize> Value for [V; N] {
    fn encode(&self, encoder: Encoder<'_>) {
        self.as_slice().encode(encoder);
    }
}

impl<V: Value> Value for Vec<V> {
    fn encode(&self, encoder: Encoder<'_>) {
        self.as_slice().encode(encoder);
    }
}

impl<V: Value> Value for Option<V> {
    fn encode(&self, encoder: Encoder<'_>) {
        if let Some(value) = self {
            value.encode(encoder);
        }
    }
}

impl<V: Value + ToOwned + ?Sized> Value for Cow<'_, V> {
    fn encode(&self, encoder: Encoder<'_>) {
        V::encode(self, encoder);
    }
}

macro_rules! pointers {
    ($($pointer:ty)*) => {$(
        impl<V: Value + ?Sized> Value for $pointer {
            fn encode(&self, encoder: Encoder<'_>) {
                V::encode(self, encoder);
            }
        }
    )*};
}

pointers!(&V &mut V Box<V> Rc<V> Arc<V>);
