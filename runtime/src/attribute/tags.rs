//! A set of attributes on its way to a span.
//!
//! Values come from user code, which must not run under a lock of ours: they are encoded here first, on the thread's own
//! scratch buffer, and appended to the span in one short step.

use std::cell::Cell;

use super::value::ValueLimits;
use super::wire::len_field;
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

/// Where one attribute lies in a buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// Of its key.
    pub(crate) hash: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Entry {
    pub(crate) fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    pub(crate) fn field(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start as usize..self.end as usize]
    }

    /// The same attribute where its field starts at `start`.
    pub(crate) fn moved_to(self, start: usize) -> Self {
        let end = start + self.len();
        Self {
            start: start as u32,
            end: end as u32,
            ..self
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
        } else if end > start {
            self.entries.push(Entry {
                hash,
                start: start as u32,
                end: end as u32,
            });
        }
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
