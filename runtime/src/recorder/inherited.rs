//! Attributes that a span's descendants have too.
//!
//! A span takes its parent's set when it starts; what is added to a set reaches the sets of the spans below, too. While a span
//! is open its slot holds its set. For what starts below it later, the trace keeps it.

use std::collections::VecDeque;
use std::sync::Arc;

use opentelemetry::trace::SpanId;

use super::open::OpenSpan;
use super::trace::State;
use crate::attribute::{Tags, key_of};
use crate::config::Limits;

/// The attributes that a span hands down. Spans share a set until one of them adds to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Inherited(Option<Arc<Vec<Attribute>>>);

#[derive(Debug, Clone)]
pub(super) struct Attribute {
    /// Of its key.
    pub(super) hash: u32,
    /// As it is exported.
    pub(super) field: Arc<[u8]>,
}

impl Attribute {
    fn has_key_of(&self, other: &Self) -> bool {
        self.hash == other.hash && key_of(&self.field) == key_of(&other.field)
    }
}

impl Inherited {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Attribute> {
        self.0.iter().flat_map(|set| set.iter())
    }

    fn bytes(&self) -> usize {
        self.iter().map(|attribute| attribute.field.len()).sum()
    }

    fn get(&self, key: &Attribute) -> Option<&Arc<[u8]>> {
        let mut same = self.iter().filter(|attribute| attribute.has_key_of(key));
        same.next().map(|attribute| &attribute.field)
    }

    fn set(&mut self, attribute: Attribute) {
        let set = Arc::make_mut(self.0.get_or_insert_default());
        match set.iter_mut().find(|other| other.has_key_of(&attribute)) {
            Some(other) => *other = attribute,
            None => set.push(attribute),
        }
    }
}

/// The sets of spans that have ended, within the limits of a trace. The one that was asked for last goes last.
#[derive(Debug, Default)]
pub(super) struct Kept {
    sets: VecDeque<(SpanId, Inherited)>,
    bytes: usize,
}

/// Sets for which a finished trace keeps the memory.
const KEPT_SETS: usize = 8;

impl Kept {
    pub(super) fn push(&mut self, id: SpanId, set: Inherited, limits: &Limits) {
        self.bytes += set.bytes();
        self.sets.push_back((id, set));
        while self.sets.len() > limits.spans_per_trace || self.bytes > limits.bytes_per_trace {
            let Some((_, oldest)) = self.sets.pop_front() else {
                break;
            };
            self.bytes -= oldest.bytes();
        }
    }

    fn get(&mut self, id: SpanId) -> Option<Inherited> {
        let at = self.sets.iter().rposition(|(other, _)| *other == id)?;
        let found = self.sets.remove(at)?;
        let set = found.1.clone();
        self.sets.push_back(found);
        Some(set)
    }

    pub(super) fn clear(&mut self) {
        if !self.sets.is_empty() {
            self.sets.clear();
            self.sets.shrink_to(KEPT_SETS);
            self.bytes = 0;
        }
    }
}

impl State {
    /// What a span below the one in `slot`, which may have ended, starts with: the request that it belongs to, and its set.
    pub(super) fn handed_down(
        &mut self,
        slot: u32,
        id: SpanId,
    ) -> (Option<(u32, SpanId)>, Inherited) {
        match self.get(slot, id) {
            Some(parent) => (parent.request, parent.inherited.clone()),
            None => (None, self.kept.get(id).unwrap_or_default()),
        }
    }

    /// Gives a span that starts what it has before its own attributes, which replace these: `tags`, and then what it inherits.
    pub(super) fn preset(&mut self, slot: u32, id: SpanId, tags: Option<&Tags>, limits: &Limits) {
        if let Some(tags) = tags {
            self.update(slot, id, limits.bytes_per_trace, |span, room| {
                span.append(tags, limits, room);
            });
        }
        self.update(slot, id, limits.bytes_per_trace, |span, room| {
            span.inherit(limits, room);
        });
    }

    /// Hands down those of `tags` that are to be inherited, as far as the span has taken them, and within the bytes that a trace
    /// may have.
    pub(super) fn hand_down(&mut self, slot: u32, id: SpanId, tags: &Tags, limits: &Limits) {
        let families = Families::new(&self.slots);
        for entry in &tags.inherited {
            let field = entry.field(&tags.bytes);
            let is_taken = |span: &mut OpenSpan| span.has_key(entry.hash, key_of(field));
            let bytes = self.handed_down + field.len();
            if self.get(slot, id).is_some_and(is_taken) && bytes <= limits.bytes_per_trace {
                let attribute = Attribute {
                    hash: entry.hash,
                    field: field.into(),
                };
                let replaced = self.set_inherited(slot as usize, &attribute, &families);
                self.handed_down = bytes - replaced;
            }
        }
    }

    /// Sets an attribute in the set of an open span and in those below it, save where a span between has its own. Returns the
    /// bytes of the one that it replaces.
    fn set_inherited(&mut self, slot: usize, attribute: &Attribute, families: &Families) -> usize {
        let replaced = self.slots[slot].inherited.get(attribute).cloned();
        let is_same = |field: Option<&Arc<[u8]>>| match (field, &replaced) {
            (Some(field), Some(replaced)) => Arc::ptr_eq(field, replaced),
            (None, None) => true,
            _ => false,
        };
        let mut heirs = vec![slot];
        while let Some(heir) = heirs.pop() {
            let span = &mut self.slots[heir];
            span.inherited.set(attribute.clone());
            let below = families.children(span.id);
            heirs
                .extend(below.filter(|child| is_same(self.slots[*child].inherited.get(attribute))));
        }
        replaced.map_or(0, |field| field.len())
    }
}

/// The open spans by the one that they stand below.
struct Families(Vec<(SpanId, usize)>);

impl Families {
    fn new(slots: &[OpenSpan]) -> Self {
        let open = slots
            .iter()
            .enumerate()
            .filter(|(_, span)| span.id != SpanId::INVALID);
        let mut families: Vec<_> = open
            .filter_map(|(slot, span)| Some((span.parent?.id, slot)))
            .collect();
        families.sort_unstable_by_key(|(parent, _)| parent.to_bytes());
        Self(families)
    }

    /// The slots of the spans below that one.
    fn children(&self, parent: SpanId) -> impl Iterator<Item = usize> {
        let first = self
            .0
            .partition_point(|(other, _)| other.to_bytes() < parent.to_bytes());
        let all = self.0[first..].iter();
        all.take_while(move |(other, _)| *other == parent)
            .map(|(_, slot)| *slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_of(bytes: usize) -> Inherited {
        let mut tags = Tags::new();
        tags.set("key", &*"x".repeat(bytes));
        let mut set = Inherited::default();
        set.set(Attribute {
            hash: tags.entries[0].hash,
            field: tags.bytes.into(),
        });
        set
    }

    fn ids(kept: &Kept) -> Vec<u64> {
        let ids = kept
            .sets
            .iter()
            .map(|(id, _)| u64::from_be_bytes(id.to_bytes()));
        ids.collect()
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_was_asked_for_last_stays() {
        let limits = Limits {
            spans_per_trace: 3,
            bytes_per_trace: 1_000,
            ..Limits::default()
        };
        let mut kept = Kept::default();
        for id in 1..=3 {
            kept.push(SpanId::from(id), set_of(10), &limits);
        }
        assert!(kept.get(SpanId::from(1)).is_some());
        assert!(kept.get(SpanId::from(9)).is_none());
        kept.push(SpanId::from(4), set_of(10), &limits);
        assert_eq!(ids(&kept), [3, 1, 4]);
        kept.push(SpanId::from(5), set_of(900), &limits);
        assert_eq!(ids(&kept), [1, 4, 5], "within the bytes of a trace");
        kept.push(SpanId::from(6), set_of(90), &limits);
        assert_eq!(
            ids(&kept),
            [6],
            "the large one had to go, and what is older"
        );
        kept.push(SpanId::from(7), set_of(2_000), &limits);
        assert_eq!((ids(&kept), kept.bytes), (vec![], 0));
    }
}
