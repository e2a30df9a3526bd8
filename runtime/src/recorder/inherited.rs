//! Attributes that a span's descendants have too.
//!
//! A span takes its parent's set when it starts; what is added to a set reaches the sets of the open spans below, too. While a
//! span is open its slot holds its set. For what starts below it later, the trace keeps it.

use std::collections::VecDeque;
use std::sync::Arc;

use opentelemetry::trace::SpanId;

use super::open::OpenSpan;
use super::state::State;
use crate::attribute::{Tags, is_withheld, key_of};
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

    pub(super) fn iter(&self) -> impl Iterator<Item = &Attribute> {
        self.0.iter().flat_map(|set| set.iter())
    }

    /// Whether it is the same set, and not only an equal one.
    fn is(&self, other: &Self) -> bool {
        self.0.as_ref().map(Arc::as_ptr) == other.0.as_ref().map(Arc::as_ptr)
    }

    fn get(&self, key: &Attribute) -> Option<&Attribute> {
        self.iter().find(|attribute| attribute.has_key_of(key))
    }

    /// Sets an attribute, or removes the one of its key where its value is withheld.
    fn set(&mut self, attribute: Attribute) {
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
        set.into_iter().flatten().map(Attribute::release).sum()
    }
}

/// What is handed down in a trace, beside the sets of its open spans.
#[derive(Debug, Default)]
pub(super) struct HandedDown {
    /// The sets of spans that have ended. The one that was asked for last goes last.
    kept: VecDeque<(SpanId, Inherited)>,
    /// Of the attributes in all sets, those of open spans too. What several sets share counts once.
    bytes: usize,
}

impl HandedDown {
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

    fn get(&mut self, id: SpanId) -> Option<Inherited> {
        let at = self.kept.iter().rposition(|(other, _)| *other == id)?;
        let found = self.kept.remove(at)?;
        let set = found.1.clone();
        self.kept.push_back(found);
        Some(set)
    }

    /// Counts another attribute of that many bytes, if there is room. Spans that have ended make room for open ones.
    fn admit(&mut self, bytes: usize, limits: &Limits) -> bool {
        let most = limits.bytes_per_trace;
        while bytes <= most && self.bytes + bytes > most && self.forget_oldest() {}
        let fits = self.bytes + bytes <= most;
        if fits {
            self.bytes += bytes;
        }
        fits
    }

    fn forget_oldest(&mut self) -> bool {
        let Some((_, oldest)) = self.kept.pop_front() else {
            return false;
        };
        self.bytes -= oldest.release();
        true
    }
}

impl State {
    /// What a span below the one in `slot`, which may have ended, starts with: the request that it belongs to, and its set.
    pub(super) fn handed_to_child(
        &mut self,
        slot: u32,
        id: SpanId,
    ) -> (Option<(u32, SpanId)>, Inherited) {
        match self.get(slot, id) {
            Some(parent) => (parent.request, parent.inherited.clone()),
            None => (None, self.handed_down.get(id).unwrap_or_default()),
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

    /// Adds `tags` to an open span and hands down those of them that are to be inherited: one by one, so that what the span
    /// takes is handed down though a later one of `tags` replaces it, and what the span refuses is not.
    pub(super) fn append_inherited(&mut self, slot: u32, id: SpanId, tags: &Tags, limits: &Limits) {
        let Some(span) = self.get(slot, id) else {
            return;
        };
        span.tags.dropped += tags.dropped;
        let families = Families::new(&self.slots);
        let mut inherited = tags.inherited.iter().peekable();
        for entry in &tags.entries {
            let field = entry.field(&tags.bytes);
            let is_inherited = inherited
                .next_if(|next| next.start == entry.start)
                .is_some();
            let is_taken = self.update(slot, id, limits.bytes_per_trace, |span, room| {
                span.append_encoded(entry.hash, field, tags.withheld, limits, room);
                span.has_field(entry.hash, field)
            });
            let is_withheld = tags.withheld && is_withheld(field);
            if is_inherited && (is_withheld || is_taken == Some(true)) {
                self.hand_down(slot as usize, entry.hash, field, &families, limits);
            }
        }
        self.cover();
    }

    /// Sets an attribute in the set of an open span and in those below it, save where a span between has its own; one that is
    /// withheld is removed there. It counts as dropped where the trace has no room for it.
    fn hand_down(
        &mut self,
        slot: usize,
        hash: u32,
        field: &[u8],
        families: &Families,
        limits: &Limits,
    ) {
        if !is_withheld(field) && !self.handed_down.admit(field.len(), limits) {
            self.slots[slot].tags.dropped += 1;
            return;
        }
        let field = field.into();
        let attribute = Attribute { hash, field };
        let before = self.slots[slot].inherited.clone();
        let mut after = before.clone();
        after.set(attribute.clone());
        let replaced = before.get(&attribute).cloned();
        let has_replaced = |set: &Inherited| match (set.get(&attribute), &replaced) {
            (Some(has), Some(replaced)) => Arc::ptr_eq(&has.field, &replaced.field),
            (has, replaced) => has.is_none() && replaced.is_none(),
        };
        let mut heirs = vec![slot];
        while let Some(heir) = heirs.pop() {
            let span = &mut self.slots[heir];
            if span.inherited.is(&before) {
                span.inherited = after.clone();
            } else {
                span.inherited.set(attribute.clone());
            }
            let below = families.children(span.id);
            heirs.extend(below.filter(|child| has_replaced(&self.slots[*child].inherited)));
        }
        drop(before);
        self.handed_down.bytes -= replaced.map_or(0, Attribute::release);
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
    use proptest::prelude::*;

    use super::super::heads::{Copies, Heads};
    use super::super::open::Parent;
    use super::super::state::Times;
    use super::super::{Held, Memory};
    use super::*;
    use crate::attribute::Pii;
    use crate::sampling::Decision;

    fn state(memory: &Arc<Memory>) -> State {
        State::new(Held::new(memory), Copies::new(&Heads::new(memory)))
    }

    /// The open spans of one trace, by slot and id.
    struct Family {
        state: State,
        limits: Limits,
        open: Vec<(u32, SpanId)>,
        started: u64,
    }

    impl Family {
        fn new(limits: Limits) -> Self {
            Self {
                state: state(&Arc::new(Memory::new(usize::MAX))),
                limits,
                open: Vec::new(),
                started: 0,
            }
        }

        fn start(&mut self, parent: Option<(u32, SpanId)>) -> (u32, SpanId) {
            self.started += 1;
            let id = SpanId::from(self.started);
            let inherited = parent.map(|(slot, id)| self.state.handed_to_child(slot, id).1);
            let unlimited = limits(usize::MAX, usize::MAX);
            let (slot, span) = self.state.open("", &unlimited).unwrap();
            span.id = id;
            span.inherited = inherited.unwrap_or_default();
            span.parent = parent.map(|(_, id)| Parent {
                id,
                is_remote: false,
            });
            self.open.push((slot, id));
            (slot, id)
        }

        /// Sets an inherited tag, and then the same key to nothing, which gives the span's own room back.
        fn hand_down(&mut self, (slot, id): (u32, SpanId), key: &str, bytes: usize) {
            let mut tags = Tags::new();
            tags.set_inherited(key, &*"x".repeat(bytes));
            tags.set(key, "");
            self.state.append_inherited(slot, id, &tags, &self.limits);
        }

        /// Sets an inherited tag that its protection leaves out.
        fn withhold(&mut self, (slot, id): (u32, SpanId), key: &str) {
            let mut tags = Tags::new();
            tags.set_inherited(key, &Pii(&"x"));
            assert!(tags.withheld);
            self.state.append_inherited(slot, id, &tags, &self.limits);
        }

        fn end(&mut self, at: usize) -> (u32, SpanId) {
            let (slot, id) = self.open.swap_remove(at);
            let context = &opentelemetry::trace::SpanContext::NONE;
            let (head, times) = (Decision::KEEP, Times { end: 0, now: 0 });
            self.state
                .end(slot, id, context, &head, times, &self.limits);
            (slot, id)
        }

        fn sets(&self) -> impl Iterator<Item = &Inherited> {
            let kept = self.state.handed_down.kept.iter().map(|(_, set)| set);
            kept.chain(self.state.slots.iter().map(|span| &span.inherited))
        }

        /// The bytes of all that is handed down.
        fn bytes(&self) -> usize {
            let mut fields: Vec<_> = self.sets().flat_map(Inherited::iter).collect();
            fields.sort_by_key(|attribute| Arc::as_ptr(&attribute.field).cast::<u8>());
            fields.dedup_by(|one, other| Arc::ptr_eq(&one.field, &other.field));
            fields.iter().map(|attribute| attribute.field.len()).sum()
        }

        fn ids(&self) -> Vec<u64> {
            let kept = self.state.handed_down.kept.iter();
            { kept }
                .map(|(id, _)| u64::from_be_bytes(id.to_bytes()))
                .collect()
        }
    }

    fn limits(spans: usize, bytes: usize) -> Limits {
        Limits {
            spans_per_trace: spans,
            bytes_per_trace: bytes,
            ..Limits::default()
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Start(prop::sample::Index),
        HandDown(prop::sample::Index, &'static str, usize),
        Withhold(prop::sample::Index, &'static str),
        End(prop::sample::Index),
    }

    fn step() -> impl Strategy<Value = Step> {
        let key = prop::sample::select(&["a", "b", "c"][..]);
        prop_oneof![
            any::<prop::sample::Index>().prop_map(Step::Start),
            (any::<prop::sample::Index>(), key.clone())
                .prop_map(|(span, key)| Step::Withhold(span, key)),
            (any::<prop::sample::Index>(), key, 0..5_000_usize)
                .prop_map(|(span, key, bytes)| Step::HandDown(span, key, bytes)),
            any::<prop::sample::Index>().prop_map(Step::End),
        ]
    }

    proptest! {
        #[test]
        fn what_is_handed_down_is_counted_and_bounded(steps in prop::collection::vec(step(), 0..100)) {
            let mut family = Family::new(limits(10, 10_000));
            let mut all = vec![family.start(None)];
            for step in steps {
                match step {
                    Step::Start(parent) if family.started < 40 => {
                        let parent = *parent.get(&all);
                        all.push(family.start(Some(parent)));
                    }
                    Step::HandDown(span, key, bytes) => family.hand_down(*span.get(&all), key, bytes),
                    Step::Withhold(span, key) => family.withhold(*span.get(&all), key),
                    Step::End(span) if !family.open.is_empty() => {
                        family.end(span.index(family.open.len()));
                    }
                    Step::Start(_) | Step::End(_) => {}
                }
                prop_assert_eq!(family.state.handed_down.bytes, family.bytes());
                prop_assert!(family.bytes() <= 10_000);
            }
        }
    }

    #[test]
    fn what_was_asked_for_last_is_kept() {
        let mut family = Family::new(limits(3, 1_000));
        let root = family.start(None);
        for _ in 0..2 {
            let child = family.start(Some(root));
            family.hand_down(child, "key", 10);
            family.end(1);
        }
        family.hand_down(root, "key", 10);
        family.end(0);
        assert_eq!(family.ids(), [2, 3, 1]);
        assert!(family.state.handed_down.get(SpanId::from(2)).is_some());
        assert!(family.state.handed_down.get(SpanId::from(9)).is_none());
        let late = family.start(Some(root));
        family.hand_down(late, "key", 10);
        family.end(0);
        assert_eq!(family.ids(), [2, 1, 4], "the parent was asked for, too");
    }

    #[test]
    fn spans_that_have_ended_make_room_and_open_ones_do_not() {
        let mut family = Family::new(limits(100, 10_000));
        let root = family.start(None);
        for _ in 0..20 {
            let child = family.start(Some(root));
            family.hand_down(child, "key", 4_000);
            assert_eq!(
                family.state.slots[child.0 as usize]
                    .inherited
                    .iter()
                    .count(),
                1
            );
            family.end(1);
        }
        assert_eq!(family.ids(), [20, 21], "the last two have room");
        for _ in 0..20 {
            let child = family.start(Some(root));
            family.hand_down(child, "key", 4_000);
        }
        let span = |(slot, _): &(u32, SpanId)| &family.state.slots[*slot as usize];
        let dropped: u32 = family.open.iter().map(|open| span(open).tags.dropped).sum();
        let have = family
            .open
            .iter()
            .filter(|open| !span(open).inherited.is_empty());
        assert_eq!((have.count(), dropped, family.ids()), (2, 18, vec![]));
    }

    #[test]
    fn what_is_handed_down_is_held() {
        let mut family = Family::new(Limits::default());
        let memory = Arc::new(Memory::new(150_000));
        family.state = state(&memory);
        let (slot, id) = family.start(None);
        let mut tags = Tags::new();
        tags.set_inherited("key", &*"x".repeat(100_000));
        family
            .state
            .append_inherited(slot, id, &tags, &family.limits);
        assert!(!memory.take(1), "the span has it, and so do its children");
    }

    #[test]
    fn spans_share_what_they_inherit() {
        let mut family = Family::new(limits(100, 1_000));
        let root = family.start(None);
        let child = family.start(Some(root));
        for _ in 0..10 {
            family.start(Some(child));
        }
        family.hand_down(root, "a", 1);
        family.hand_down(root, "b", 1);
        let first = &family.state.slots[0].inherited;
        assert_eq!(first.iter().count(), 2);
        assert!(family.sets().all(|set| set.is(first)));
    }
}
