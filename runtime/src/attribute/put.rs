//! How a value gets into a set.
//!
//! A number, a bool or a string takes one call in the function that has the tag, and one block in the buffer. Other values, and
//! values that may not fit, take the general way.

use std::mem;

use super::key::{self, ATTRIBUTE, BLOCK_BYTES};
use super::writer::{BOOL, DOUBLE, INT, STRING, ValueWriter};
use super::{Encoded, Key, Tags, wire};

impl Tags {
    #[inline(never)]
    pub(super) fn put_bool(&mut self, key: &Key<'_>, value: bool) {
        if !self.takes_block(key, 0) {
            return self.put(key, |writer| writer.bool(value));
        }
        self.write_block(key, |to| {
            to[..3].copy_from_slice(&[2, BOOL, u8::from(value)]);
            3
        });
    }

    #[inline(never)]
    pub(super) fn put_i64(&mut self, key: &Key<'_>, value: i64) {
        if !self.takes_block(key, 0) {
            return self.put(key, |writer| writer.i64(value));
        }
        self.write_block(key, |to| {
            // OTLP's int_value is an int64: a negative one takes ten bytes, as two's complement.
            let len = wire::varint_to(&mut to[2..], value as u64);
            to[..2].copy_from_slice(&[len as u8 + 1, INT]);
            2 + len
        });
    }

    #[inline(never)]
    pub(super) fn put_f64(&mut self, key: &Key<'_>, value: f64) {
        if !self.takes_block(key, 0) {
            return self.put(key, |writer| writer.f64(value));
        }
        self.write_block(key, |to| {
            to[..2].copy_from_slice(&[9, DOUBLE]);
            to[2..10].copy_from_slice(&value.to_bits().to_le_bytes());
            10
        });
    }

    #[inline(never)]
    pub(super) fn put_text(&mut self, key: &Key<'_>, text: &str) {
        if text.len() > self.limits.chars || !self.takes_block(key, text.len()) {
            return self.put(key, |writer| writer.string(text));
        }
        let start = self.bytes.len();
        key.write_text(&mut self.bytes, STRING, text.as_bytes());
        self.enter(key.hash(), start);
    }

    #[inline(always)]
    fn write_block(&mut self, key: &Key<'_>, value: impl FnOnce(&mut [u8]) -> usize) {
        let start = self.bytes.len();
        key.write(&mut self.bytes, value);
        self.enter(key.hash(), start);
    }

    /// Whether an attribute with a string of that many bytes, or without a string, may be written at once: it certainly fits the
    /// limits, and its key is exported as it is.
    #[inline]
    fn takes_block(&self, key: &Key<'_>, text: usize) -> bool {
        let fits = self.bytes.len() + text + BLOCK_BYTES <= self.full_at;
        fits && key.is_short() && self.prefix.is_empty()
    }

    /// Sets a value in the general way, which knows its place, its limits and its protection.
    #[inline(never)]
    pub(super) fn put(&mut self, key: &Key<'_>, encode: impl FnOnce(ValueWriter<'_>)) {
        if key.as_str().is_empty() {
            self.dropped += 1;
        } else if self.prefix.is_empty() {
            self.write(key, encode);
        } else {
            let name = format!("{}{}", self.prefix, key.as_str());
            self.write(&Key::new(&name), encode);
        }
    }

    pub(super) fn write(&mut self, key: &Key<'_>, encode: impl FnOnce(ValueWriter<'_>)) {
        let start = self.bytes.len();
        if start > self.full_at {
            self.dropped += 1;
            return;
        }
        let mut outcome = Encoded::Written;
        let unfinished = Unfinished {
            start,
            bytes: &mut self.bytes,
        };
        encode(ValueWriter::attribute(
            unfinished.bytes,
            ATTRIBUTE,
            key.as_str(),
            &self.limits,
            &mut outcome,
            self.privacy.as_deref(),
        ));
        mem::forget(unfinished);
        let bytes = self.bytes.len() - start;
        if outcome != Encoded::Written || bytes > self.limits.bytes {
            self.leave_out(key, start, outcome);
        } else if bytes > 0 {
            self.enter(key.hash(), start);
        }
    }

    /// Takes back what has been written of an attribute. Of a value that is withheld the key stays, for its span to remove an
    /// earlier value by.
    #[cold]
    fn leave_out(&mut self, key: &Key<'_>, start: usize, outcome: Encoded) {
        self.bytes.truncate(start);
        if outcome == Encoded::Withheld {
            key::alone(&mut self.bytes, key.as_str());
            self.withheld = true;
            self.enter(key.hash(), start);
        } else {
            self.dropped += 1;
        }
    }
}

/// An attribute whose value is being written. If the value panics, what it has written is taken back.
struct Unfinished<'a> {
    bytes: &'a mut Vec<u8>,
    start: usize,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.bytes.truncate(self.start);
    }
}
