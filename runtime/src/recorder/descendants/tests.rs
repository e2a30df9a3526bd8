//! What is handed down is shared, counted and bounded.

use proptest::prelude::*;

use super::super::heads::{Copies, Heads};
use super::super::open::Parent;
use super::super::start::handed_to_child;
use super::super::state::Times;
use super::super::{MemoryBudget, Reservation};
use super::*;
use crate::attribute::Pii;
use crate::sampling::Decision;

fn state(memory: &Arc<MemoryBudget>) -> State {
    State::new(Reservation::new(memory), Copies::new(&Heads::new(memory)))
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
            state: state(&Arc::new(MemoryBudget::new(usize::MAX))),
            limits,
            open: Vec::new(),
            started: 0,
        }
    }

    fn start(&mut self, parent: Option<(u32, SpanId)>) -> (u32, SpanId) {
        self.started += 1;
        let id = SpanId::from(self.started);
        let inherited = parent.map(|(slot, id)| handed_to_child(&mut self.state, slot, id).1);
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
        append_inherited(&mut self.state, slot, id, &tags, &self.limits);
    }

    /// Sets an inherited tag that its protection leaves out.
    fn withhold(&mut self, (slot, id): (u32, SpanId), key: &str) {
        let mut tags = Tags::new();
        tags.set_inherited(key, &Pii(&"x"));
        assert!(tags.withheld);
        append_inherited(&mut self.state, slot, id, &tags, &self.limits);
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
        let kept = self.state.inherited.kept.iter().map(|(_, set)| set);
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
        let kept = self.state.inherited.kept.iter();
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
            prop_assert_eq!(family.state.inherited.bytes(), family.bytes());
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
    assert!(family.state.inherited.get(SpanId::from(2)).is_some());
    assert!(family.state.inherited.get(SpanId::from(9)).is_none());
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
    let memory = Arc::new(MemoryBudget::new(150_000));
    family.state = state(&memory);
    let (slot, id) = family.start(None);
    let mut tags = Tags::new();
    tags.set_inherited("key", &*"x".repeat(100_000));
    append_inherited(&mut family.state, slot, id, &tags, &family.limits);
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
