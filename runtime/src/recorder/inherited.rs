//! Attributes that a span's descendants have too.
//!
//! A span takes its parent's set when it starts; what is added to a set reaches the sets of the open spans below, too. While a
//! span is open its slot holds its set. For what starts below it later, the trace keeps it.

use std::collections::VecDeque;
use std::sync::Arc;

use opentelemetry::trace::SpanId;

use crate::attribute::{is_withheld, key_of};
use crate::config::Limits;

/// The attributes that a span hands down. Spans share a set until one of them adds to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Inherited(Option<Arc<Vec<InheritedAttribute>>>);

#[derive(Debug, Clone)]
pub(super) struct InheritedAttribute {
    /// Of its key.
    pub(super) hash: u32,
    /// As it is exported.
    pub(super) field: Arc<[u8]>,
}

impl InheritedAttribute {
    fn has_key_of(&self, other: &Self) -> bool {
        self.hash == other.hash && key_of(&self.field) == key_of(&other.field)
    }

    /// Lets go of it. Returns its bytes if nobody else has it.
    fn release(self) -> usize {
        let is_last = Arc::strong_count(&self.field) == 1;
        if is_last { self.field.len() } else { 0 }
    }
}

impl Inherited {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &InheritedAttribute> {
        self.0.iter().flat_map(|set| set.iter())
    }

    /// Whether it is the same set, and not only an equal one.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.as_ref().map(Arc::as_ptr) == other.0.as_ref().map(Arc::as_ptr)
    }

    pub(super) fn get(&self, key: &InheritedAttribute) -> Option<&InheritedAttribute> {
        self.iter().find(|attribute| attribute.has_key_of(key))
    }

    /// Sets an attribute, or removes the one of its key where its value is withheld.
    pub(super) fn set(&mut self, attribute: InheritedAttribute) {
        if is_withheld(&attribute.field) {
            if let Some(set) = &mut self.0 {
                let set = Arc::make_mut(set);
                set.retain(|other| !other.has_key_of(&attribute));
                if set.is_empty() {
                    self.0 = None;
                }
            }
            return;
        }
        let set = Arc::make_mut(self.0.get_or_insert_default());
        match set.iter_mut().find(|other| other.has_key_of(&attribute)) {
            Some(other) => *other = attribute,
            None => set.push(attribute),
        }
    }

    /// Lets go of it. Returns the bytes of those attributes that nobody else has.
    fn release(self) -> usize {
        let set = self.0.and_then(Arc::into_inner);
        set.into_iter()
            .flatten()
            .map(InheritedAttribute::release)
            .sum()
    }
}

/// What is handed down in a trace, beside the sets of its open spans.
#[derive(Debug, Default)]
pub(super) struct InheritedStore {
    /// The sets of spans that have ended. The one that was asked for last goes last.
    pub(super) kept: VecDeque<(SpanId, Inherited)>,
    /// Of the attributes in all sets, those of open spans too. What several sets share counts once.
    bytes: usize,
}

impl InheritedStore {
    /// Takes the set of a span that has ended.
    pub(super) fn keep(&mut self, id: SpanId, set: Inherited, limits: &Limits) {
        self.kept.push_back((id, set));
        if self.kept.len() > limits.spans_per_trace {
            self.forget_oldest();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn get(&mut self, id: SpanId) -> Option<Inherited> {
        let at = self.kept.iter().rposition(|(other, _)| *other == id)?;
        let found = self.kept.remove(at)?;
        let set = found.1.clone();
        self.kept.push_back(found);
        Some(set)
    }

    /// Counts another attribute of that many bytes, if there is room. Spans that have ended make room for open ones.
    pub(super) fn admit(&mut self, bytes: usize, limits: &Limits) -> bool {
        let most = limits.bytes_per_trace;
        while bytes <= most && self.bytes + bytes > most && self.forget_oldest() {}
        let fits = self.bytes + bytes <= most;
        if fits {
            self.bytes += bytes;
        }
        fits
    }

    /// Stops counting an attribute that was replaced, unless others still have it.
    pub(super) fn release(&mut self, attribute: InheritedAttribute) {
        self.bytes -= attribute.release();
    }

    fn forget_oldest(&mut self) -> bool {
        let Some((_, oldest)) = self.kept.pop_front() else {
            return false;
        };
        self.bytes -= oldest.release();
        true
    }
}
