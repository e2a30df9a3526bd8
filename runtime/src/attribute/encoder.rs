//! Takes the value of an attribute from the code that knows it.
//!
//! A value of a usual type in a set of tags is one call of that set. Other values and other places take a [`ValueWriter`].

use std::fmt;

use super::writer::{ArrayEncoder, Encoded, ValueLimits, ValueWriter};
use super::{Key, Tags};

/// Takes the one value of an attribute, or one element of an array.
pub struct Encoder<'a>(Target<'a>);

enum Target<'a> {
    /// An attribute of a set. No option treats its value.
    Set(&'a mut Tags, &'a Key<'a>),
    Writer(ValueWriter<'a>),
}

impl<'a> Encoder<'a> {
    /// An encoder of the attribute `key` of a set.
    #[inline(always)]
    pub(super) fn of_set(tags: &'a mut Tags, key: &'a Key<'a>) -> Self {
        Self(Target::Set(tags, key))
    }

    /// An encoder of the attribute `key`, in the field `tag` of the message being written to `buf`.
    /// Says in `outcome` where it is not written.
    pub(crate) fn attribute(
        buf: &'a mut Vec<u8>,
        tag: u8,
        key: &'a str,
        limits: &'a ValueLimits,
        outcome: &'a mut Encoded,
    ) -> Self {
        ValueWriter::attribute(buf, tag, key, limits, outcome, None).into()
    }

    /// Writes a string, cut to the configured number of characters.
    #[inline]
    pub fn string(self, value: &str) {
        match self.0 {
            Target::Set(tags, key) => tags.put_text(key, value),
            Target::Writer(writer) => writer.string(value),
        }
    }

    /// Writes a bool.
    #[inline]
    pub fn bool(self, value: bool) {
        match self.0 {
            Target::Set(tags, key) => tags.put_bool(key, value),
            Target::Writer(writer) => writer.bool(value),
        }
    }

    /// Writes a signed integer.
    #[inline]
    pub fn i64(self, value: i64) {
        match self.0 {
            Target::Set(tags, key) => tags.put_i64(key, value),
            Target::Writer(writer) => writer.i64(value),
        }
    }

    /// Writes a double.
    #[inline]
    pub fn f64(self, value: f64) {
        match self.0 {
            Target::Set(tags, key) => tags.put_f64(key, value),
            Target::Writer(writer) => writer.f64(value),
        }
    }

    /// Writes a double. As text it is formatted as an `f32`: as an `f64`, 0.1 has more digits.
    #[inline]
    pub(super) fn f32(self, value: f32) {
        match self.0 {
            Target::Set(tags, key) => tags.put_f64(key, value.into()),
            Target::Writer(writer) if writer.wants_text() => writer.whole(&value.to_string()),
            Target::Writer(writer) => writer.f64(value.into()),
        }
    }

    /// Writes an integer that no `i64` holds, as its decimal digits.
    #[cold]
    pub(super) fn digits(self, digits: &str) {
        self.write_with(|writer| writer.whole(digits));
    }

    /// Writes an array, of the elements that `elements` encodes.
    pub fn array(self, elements: impl FnOnce(&mut ArrayEncoder<'_>)) {
        self.write_with(|writer| writer.array(elements));
    }

    /// Writes a value in the general way.
    pub(super) fn write_with(self, encode: impl FnOnce(ValueWriter<'_>)) {
        match self.0 {
            Target::Set(tags, key) => tags.put(key, encode),
            Target::Writer(writer) => encode(writer),
        }
    }
}

impl<'a> From<ValueWriter<'a>> for Encoder<'a> {
    fn from(writer: ValueWriter<'a>) -> Self {
        Self(Target::Writer(writer))
    }
}

impl fmt::Debug for Encoder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}
