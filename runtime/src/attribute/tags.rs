//! A set of attributes: a span's, or one on its way there.
//!
//! Values come from user code, which must not run under a lock of ours: they are encoded first on the thread's own scratch
//! buffer, and appended to the span in one short step.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::privacy::Privacy;
use super::value::ValueLimits;
use super::wire::len_field;
use super::{Encoder, Key, Value, key};

/// The field of a `Span` that holds its attributes.
const ATTRIBUTES: u8 = len_field(9);

/// Takes the attributes that a macro's entries name.
#[derive(Debug)]
pub struct Tags {
    /// The attributes as they are exported, and in a span what else it has.
    pub(crate) bytes: Vec<u8>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) limits: ValueLimits,
    /// Attributes that were not taken.
    pub(crate) dropped: u32,
    /// How values that say so are protected.
    privacy: Option<Arc<Privacy>>,
    /// What keys are to begin with, its dot included.
    prefix: String,
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

impl Default for Tags {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            entries: Vec::new(),
            limits: ValueLimits::NONE,
            dropped: 0,
            privacy: None,
            prefix: String::new(),
        }
    }
}

impl Tags {
    /// Sets `key` to `value`, replacing an earlier value.
    pub fn set<V: Value + ?Sized>(&mut self, key: &'static Key, value: &V) {
        if self.prefix.is_empty() {
            self.push(key.as_str(), key.hash(), value);
        } else {
            let key = format!("{}{}", self.prefix, key.as_str());
            self.set_dynamic(&key, value);
        }
    }

    /// Has `prefix` and a dot stand before the keys that `set` sets.
    pub fn nested(&mut self, prefix: &'static str, set: impl FnOnce(&mut Self)) {
        let outer = self.prefix.len();
        self.prefix.push_str(prefix);
        self.prefix.push('.');
        set(self);
        self.prefix.truncate(outer);
    }

    /// Like [`set`](Self::set), for a key that is known only now.
    pub(crate) fn set_dynamic<V: Value + ?Sized>(&mut self, key: &str, value: &V) {
        self.push(key, key::hash(key.as_bytes()), value);
    }

    /// Whether nothing was set, nor anything refused.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.dropped == 0
    }

    fn push<V: Value + ?Sized>(&mut self, key: &str, hash: u32, value: &V) {
        let start = self.bytes.len();
        let mut too_large = false;
        let encoder = Encoder::attribute(
            &mut self.bytes,
            ATTRIBUTES,
            key,
            &self.limits,
            &mut too_large,
        );
        value.encode(encoder.with_privacy(self.privacy.as_deref()));
        let end = self.bytes.len();
        if too_large || end - start > self.limits.bytes {
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
}

/// An empty set, on the thread's scratch buffer; a nested one gets a buffer of its own.
#[derive(Debug)]
pub(crate) struct Scratch(Option<Box<Tags>>);

thread_local! {
    static SCRATCH: RefCell<Option<Box<Tags>>> = const { RefCell::new(None) };
}

/// A scratch buffer that has grown past this is not kept.
const SCRATCH_BYTES: usize = 64 * 1024;

impl Scratch {
    pub(crate) fn new(limits: ValueLimits, privacy: &Arc<Privacy>) -> Self {
        let scratch = SCRATCH.try_with(|scratch| scratch.take());
        let mut tags = scratch.ok().flatten().unwrap_or_default();
        tags.limits = limits;
        // Most tags of a thread go to one recorder: comparing spares the shared counter.
        if !tags
            .privacy
            .as_ref()
            .is_some_and(|kept| Arc::ptr_eq(kept, privacy))
        {
            tags.privacy = Some(Arc::clone(privacy));
        }
        Self(Some(tags))
    }
}

const TAKEN: &str = "the set is taken out on drop only";

impl Deref for Scratch {
    type Target = Tags;

    fn deref(&self) -> &Tags {
        self.0.as_deref().expect(TAKEN)
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut Tags {
        self.0.as_deref_mut().expect(TAKEN)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let Some(mut tags) = self.0.take() else {
            return;
        };
        if tags.bytes.capacity() > SCRATCH_BYTES {
            return;
        }
        tags.bytes.clear();
        tags.entries.clear();
        tags.dropped = 0;
        // A panic may have left it.
        tags.prefix.clear();
        // A thread that is ending has no scratch buffer any more; then there is nothing to give back to.
        let _ = SCRATCH.try_with(|scratch| scratch.replace(Some(tags)));
    }
}
