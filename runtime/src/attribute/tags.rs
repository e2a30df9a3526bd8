//! A set of attributes on its way to a span.
//!
//! Values come from user code, which must not run under a lock of ours: they are encoded here first, on the thread's own
//! scratch buffer, and appended to the span in one short step.

use std::cell::Cell;
use std::ops::Range;

use super::value::ValueLimits;
use super::wire::{len_field, varint_len};
use super::{Encoder, Key, Value, key};

/// The field of a `Span` that holds its attributes.
const ATTRIBUTES: u8 = len_field(9);

/// Takes the attributes that a macro's entries name.
#[derive(Debug)]
pub struct Tags {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    limits: ValueLimits,
    dropped: u32,
}

/// Where one attribute lies in a buffer: its whole field, and the key within it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) hash: u32,
    pub(crate) field: Range<u32>,
    pub(crate) key: Range<u32>,
}

impl Entry {
    /// The same attribute where its field starts at `start`.
    pub(crate) fn moved_to(&self, start: usize) -> Self {
        let start = start as u32;
        let moved = |range: &Range<u32>| {
            range.start - self.field.start + start..range.end - self.field.start + start
        };
        Self {
            hash: self.hash,
            field: moved(&self.field),
            key: moved(&self.key),
        }
    }
}

thread_local! {
    static SCRATCH: Cell<(Vec<u8>, Vec<Entry>)> = const { Cell::new((Vec::new(), Vec::new())) };
}

/// A scratch buffer that has grown past this is not kept.
const SCRATCH_BYTES: usize = 64 * 1024;

impl Tags {
    /// An empty set, on the thread's scratch buffer; a nested one gets a buffer of its own.
    pub(crate) fn new(limits: ValueLimits) -> Self {
        let (bytes, entries) = SCRATCH.try_with(Cell::take).unwrap_or_default();
        Self {
            bytes,
            entries,
            limits,
            dropped: 0,
        }
    }

    /// Sets `key` to `value`, replacing an earlier value.
    pub fn set<V: Value + ?Sized>(&mut self, key: &'static Key, value: &V) {
        self.push(key.as_str(), key.hash(), value);
    }

    /// Like [`set`](Self::set), for a key that is known only now.
    pub(crate) fn set_dynamic<V: Value + ?Sized>(&mut self, key: &str, value: &V) {
        self.push(key, key::hash(key.as_bytes()), value);
    }

    fn push<V: Value + ?Sized>(&mut self, key: &str, hash: u32, value: &V) {
        let start = self.bytes.len();
        let mut too_large = false;
        value.encode(Encoder::attribute(
            &mut self.bytes,
            ATTRIBUTES,
            key,
            self.limits,
            &mut too_large,
        ));
        let end = self.bytes.len();
        if too_large || end > self.limits.bytes {
            self.bytes.truncate(start);
            self.dropped += 1;
            return;
        }
        if end == start {
            return;
        }
        // The field is tag, length, key's tag, key's length, key: only the lengths vary in size.
        let (start, end) = (start as u32, end as u32);
        let content = varint_content(&self.bytes[start as usize + 1..]);
        let key_start = start + 1 + content + 1 + varint_len(key.len() as u64) as u32;
        self.entries.push(Entry {
            hash,
            field: start..end,
            key: key_start..key_start + key.len() as u32,
        });
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Attributes that were too large to be taken.
    pub(crate) fn dropped(&self) -> u32 {
        self.dropped
    }
}

/// Number of bytes of the varint that `bytes` starts with.
fn varint_content(bytes: &[u8]) -> u32 {
    1 + bytes.iter().take_while(|byte| **byte >= 0x80).count() as u32
}

impl Drop for Tags {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        let mut entries = std::mem::take(&mut self.entries);
        if bytes.capacity() <= SCRATCH_BYTES {
            bytes.clear();
            entries.clear();
            // A thread that is ending has no scratch buffer any more; then there is nothing to give back to.
            let _ = SCRATCH.try_with(|scratch| scratch.set((bytes, entries)));
        }
    }
}
