//! Hands attributes down: what is added to a span's set reaches the sets of the open spans below.

use std::sync::Arc;

use opentelemetry::trace::SpanId;

use super::inherited::{Inherited, InheritedAttribute};
use super::open::OpenSpan;
use super::state::State;
use crate::attribute::{Tags, is_withheld};
use crate::config::Limits;

/// Adds `tags` to an open span and hands down those of them that are to be inherited: one by one, so that what the span
/// takes is handed down though a later one of `tags` replaces it, and what the span refuses is not.
pub(super) fn append_inherited(
    state: &mut State,
    slot: u32,
    id: SpanId,
    tags: &Tags,
    limits: &Limits,
) {
    let Some(span) = state.get(slot, id) else {
        return;
    };
    span.tags.dropped += tags.dropped;
    let children = ChildIndex::new(&state.slots);
    let mut inherited = tags.inherited.iter().peekable();
    for entry in &tags.entries {
        let field = entry.field(&tags.bytes);
        let is_inherited = inherited
            .next_if(|next| next.start == entry.start)
            .is_some();
        let is_taken = state.update(slot, id, limits.bytes_per_trace, |span, room| {
            span.append_encoded(entry.hash, field, tags.withheld, limits, room);
            span.has_field(entry.hash, field)
        });
        let is_withheld = tags.withheld && is_withheld(field);
        if is_inherited && (is_withheld || is_taken == Some(true)) {
            hand_down(state, slot as usize, entry.hash, field, &children, limits);
        }
    }
    state.account();
}

/// Sets an attribute in the set of an open span and in those below it, save where a span between has its own; one that is
/// withheld is removed there. It counts as dropped where the trace has no room for it.
fn hand_down(
    state: &mut State,
    slot: usize,
    hash: u32,
    field: &[u8],
    children: &ChildIndex,
    limits: &Limits,
) {
    if !is_withheld(field) && !state.inherited.admit(field.len(), limits) {
        state.slots[slot].tags.dropped += 1;
        return;
    }
    let field = field.into();
    let attribute = InheritedAttribute { hash, field };
    let before = state.slots[slot].inherited.clone();
    let mut after = before.clone();
    after.set(attribute.clone());
    let replaced = before.get(&attribute).cloned();
    let has_replaced = |set: &Inherited| match (set.get(&attribute), &replaced) {
        (Some(has), Some(replaced)) => Arc::ptr_eq(&has.field, &replaced.field),
        (has, replaced) => has.is_none() && replaced.is_none(),
    };
    let mut descendants = vec![slot];
    while let Some(descendant) = descendants.pop() {
        let span = &mut state.slots[descendant];
        if span.inherited.is(&before) {
            span.inherited = after.clone();
        } else {
            span.inherited.set(attribute.clone());
        }
        let below = children.of(span.id);
        descendants.extend(below.filter(|child| has_replaced(&state.slots[*child].inherited)));
    }
    drop(before);
    if let Some(replaced) = replaced {
        state.inherited.release(replaced);
    }
}

/// The open spans by the one that they stand below.
struct ChildIndex(Vec<(SpanId, usize)>);

impl ChildIndex {
    fn new(slots: &[OpenSpan]) -> Self {
        let open = slots
            .iter()
            .enumerate()
            .filter(|(_, span)| span.id != SpanId::INVALID);
        let mut children: Vec<_> = open
            .filter_map(|(slot, span)| Some((span.parent?.id, slot)))
            .collect();
        children.sort_unstable_by_key(|(parent, _)| parent.to_bytes());
        Self(children)
    }

    /// The slots of the spans below that one.
    fn of(&self, parent: SpanId) -> impl Iterator<Item = usize> {
        let first = self
            .0
            .partition_point(|(other, _)| other.to_bytes() < parent.to_bytes());
        let all = self.0[first..].iter();
        all.take_while(move |(other, _)| *other == parent)
            .map(|(_, slot)| *slot)
    }
}

#[cfg(test)]
mod tests;
