//! The attributes of a span being recorded: unique keys, within the limits.

use std::ops::Range;

use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use prost::Message;

use super::open::OpenSpan;
use crate::attribute::{Entry, Key, Tags, is_withheld, key_of, wire};
use crate::config::Limits;
use crate::sampling::Tagged;

/// Past this many bytes a span's dead attributes are squeezed out, once they are the larger part.
const COMPACT_BYTES: usize = 4 * 1024;

/// An attribute as OTLP's own type.
pub(super) fn decode(entry: &Entry, bytes: &[u8]) -> Option<KeyValue> {
    let (attribute, _) = wire::split_field(entry.field(bytes));
    KeyValue::decode(attribute).ok()
}

/// Calls `f` on what lies between the `dead` ranges, which are sorted.
pub(super) fn live(dead: &[Range<u32>], len: usize, mut f: impl FnMut(Range<usize>)) {
    let mut start = 0;
    for dead in dead {
        f(start..dead.start as usize);
        start = dead.end as usize;
    }
    f(start..len);
}

impl Tagged for OpenSpan {
    fn is_first(&self) -> bool {
        self.is_first
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }
}

impl OpenSpan {
    /// The encoded attribute of that key.
    pub(super) fn attribute(&mut self, key: &Key<'_>) -> Option<&[u8]> {
        if !self.tags.may_have(key.hash()) {
            return None;
        }
        let at = self.find(key.hash(), key.as_str().as_bytes())?;
        Some(self.tags.entries[at].field(&self.tags.bytes))
    }

    pub(super) fn has(&mut self, key: &Key<'_>) -> bool {
        self.tags.may_have(key.hash()) && self.find(key.hash(), key.as_str().as_bytes()).is_some()
    }

    /// Whether that attribute was set since the buffer had `before` bytes.
    pub(super) fn was_set(&mut self, key: &Key<'_>, before: usize) -> bool {
        if !self.tags.may_have(key.hash()) {
            return false;
        }
        let found = self.find(key.hash(), key.as_str().as_bytes());
        // A buffer that has shrunk was squeezed: then nobody knows.
        let is_squeezed = self.tags.bytes.len() < before;
        found.is_some_and(|at| is_squeezed || self.tags.entries[at].start as usize >= before)
    }

    /// The value of that attribute, if it is a string.
    pub(super) fn text(&mut self, key: &Key<'_>) -> Option<String> {
        let at = self.find(key.hash(), key.as_str().as_bytes())?;
        match decode(&self.tags.entries[at], &self.tags.bytes)?
            .value?
            .value?
        {
            any_value::Value::StringValue(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it has that encoded attribute.
    pub(super) fn has_field(&mut self, hash: u32, field: &[u8]) -> bool {
        let found = self.find(hash, key_of(field));
        found.is_some_and(|at| self.tags.entries[at].field(&self.tags.bytes) == field)
    }

    /// Adds attributes, as far as the limits and `room`, in bytes, allow. What `write` sets must be no user's code: the
    /// trace's lock is held.
    pub(super) fn write(&mut self, limits: &Limits, room: usize, write: impl FnOnce(&mut Tags)) {
        let (entries, before) = (self.tags.entries.len(), self.len());
        // Bytes that are dead, or of events, do not count here.
        self.tags.full_at = self.tags.bytes.len().saturating_add(limits.bytes_per_trace);
        write(&mut self.tags);
        self.admit(entries, before, limits, room);
    }

    /// The same for attributes that have been set elsewhere.
    #[inline]
    pub(super) fn append(&mut self, tags: &Tags, limits: &Limits, room: usize) {
        let number = self.tags.entries.len() + tags.entries.len();
        let fits = number <= limits.attributes && tags.bytes.len() <= room;
        if fits && !tags.withheld && self.tags.is_apart(tags) {
            self.tags.extend(tags);
        } else {
            self.append_each(tags, limits, room);
        }
    }

    /// Appends attributes of which some may replace others, be withheld or exceed the limits.
    #[inline(never)]
    fn append_each(&mut self, tags: &Tags, limits: &Limits, room: usize) {
        self.write(limits, room, |own| {
            for entry in &tags.entries {
                own.push_encoded(entry.hash, entry.field(&tags.bytes));
            }
            own.dropped += tags.dropped;
            own.withheld |= tags.withheld;
        });
    }

    /// The same for one.
    pub(super) fn append_encoded(
        &mut self,
        hash: u32,
        field: &[u8],
        withheld: bool,
        limits: &Limits,
        room: usize,
    ) {
        self.write(limits, room, |own| {
            own.push_encoded(hash, field);
            own.withheld |= withheld;
        });
    }

    /// Sets an attribute of that key in any case, beside what the limits allow: `set` is no user's code.
    #[inline]
    pub(super) fn replace(&mut self, key: &Key<'_>, set: impl FnOnce(&mut Tags)) {
        if self.tags.may_have(key.hash())
            && let Some(at) = self.find(key.hash(), key.as_str().as_bytes())
        {
            self.keys.swap_remove(&self.tags.entries, at);
            let earlier = self.tags.entries.swap_remove(at);
            self.kill(earlier);
        }
        self.tags.full_at = usize::MAX;
        set(&mut self.tags);
        self.tags.take_repeated();
    }

    /// Adds the attributes that the spans around hand down.
    pub(super) fn inherit(&mut self, limits: &Limits, room: usize) {
        let inherited = self.inherited.clone();
        self.write(limits, room, |own| {
            for attribute in inherited.iter() {
                own.push_encoded(attribute.hash, &attribute.field);
            }
        });
    }

    /// Keeps the attributes from `first` on where they replace an earlier value or fit the limits, and marks the bytes of
    /// others dead. `live` bytes came before.
    fn admit(&mut self, first: usize, mut live: usize, limits: &Limits, room: usize) {
        let most = live + room;
        let repeated = self.tags.take_repeated();
        let fit = self.tags.entries.len() <= limits.attributes && self.len() <= most;
        // Up to the first that may not be new all stay where they are: most sets have no such attribute.
        let doubtful = match repeated {
            _ if !fit || self.tags.withheld => first,
            Some(repeated) => repeated,
            None => return,
        };
        let new = &self.tags.entries[first..doubtful];
        live += new.iter().map(|entry| entry.len()).sum::<usize>();
        let mut kept = doubtful;
        for at in doubtful..self.tags.entries.len() {
            let entry = self.tags.entries[at];
            let key = key_of(entry.field(&self.tags.bytes));
            let entries = &self.tags.entries[..kept];
            let earlier = self.keys.find(entries, &self.tags.bytes, entry.hash, key);
            if self.tags.withheld && is_withheld(entry.field(&self.tags.bytes)) {
                self.kill(entry);
                if let Some(at) = earlier {
                    let earlier = self.tags.entries[at];
                    live -= earlier.len();
                    self.kill(earlier);
                    self.keys.swap_remove(&self.tags.entries[..kept], at);
                    kept -= 1;
                    self.tags.entries[at] = self.tags.entries[kept];
                }
                continue;
            }
            let freed = earlier.map_or(0, |at| self.tags.entries[at].len());
            let is_over = earlier.is_none() && kept >= limits.attributes;
            if is_over || live - freed + entry.len() > most {
                self.tags.dropped += 1;
                self.kill(entry);
                continue;
            }
            live = live - freed + entry.len();
            if let Some(at) = earlier {
                let earlier = std::mem::replace(&mut self.tags.entries[at], entry);
                self.kill(earlier);
            } else {
                self.tags.entries[kept] = entry;
                kept += 1;
            }
        }
        self.tags.entries.truncate(kept);
        self.tags.withheld = false;
        if self.dead_bytes > COMPACT_BYTES && self.dead_bytes > self.len() {
            self.compact();
        }
    }

    /// The position of the attribute of that key.
    fn find(&mut self, hash: u32, key: &[u8]) -> Option<usize> {
        let Tags { entries, bytes, .. } = &self.tags;
        self.keys.find(entries, bytes, hash, key)
    }

    fn kill(&mut self, entry: Entry) {
        self.dead_bytes += entry.len();
        self.dead.push(entry.start..entry.end);
    }

    /// Moves the live bytes together.
    fn compact(&mut self) {
        self.dead.sort_unstable_by_key(|dead| dead.start);
        let (dead, Tags { bytes, entries, .. }) = (&self.dead, &mut self.tags);
        // The dead bytes up to the end of each range.
        let sums: Vec<usize> = dead
            .iter()
            .scan(0, |sum, dead| {
                *sum += dead.len();
                Some(*sum)
            })
            .collect();
        for entry in entries {
            let before = dead.partition_point(|dead| dead.start < entry.start);
            let shift = before.checked_sub(1).map_or(0, |last| sums[last]);
            *entry = entry.moved_to(entry.start as usize - shift);
        }
        let mut end = 0;
        live(dead, bytes.len(), |live| {
            let len = live.len();
            bytes.copy_within(live, end);
            end += len;
        });
        bytes.truncate(end);
        self.dead.clear();
        self.dead_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use proptest::prelude::*;

    use super::*;
    use crate::attribute::{Encoder, Value};

    /// Among them two pairs that FNV-1a hashes alike.
    const KEYS: [&str; 10] = [
        "a",
        "b",
        "c",
        "d",
        "e",
        "costarring",
        "liquid",
        "altarage",
        "zinke",
        "a key that is longer than most keys are",
    ];

    /// Pairs of a key and a value: one set that is appended at once.
    fn set() -> impl Strategy<Value = Vec<(&'static str, i64)>> {
        let pair = (prop::sample::select(&KEYS[..]), -1_000_000..1_000_000_i64);
        prop::collection::vec(pair, 0..8)
    }

    fn attributes(span: &OpenSpan) -> BTreeMap<String, i64> {
        let decoded = |entry: &Entry| {
            let attribute = decode(entry, &span.tags.bytes).unwrap();
            match attribute.value.unwrap().value.unwrap() {
                any_value::Value::IntValue(value) => (attribute.key, value),
                other => panic!("{other:?}"),
            }
        };
        let entries = span.tags.entries.iter().map(decoded);
        let all: BTreeMap<_, _> = entries.collect();
        assert_eq!(all.len(), span.tags.entries.len(), "a key is there twice");
        all
    }

    proptest! {
        #[test]
        fn last_value_of_each_key_counts_within_the_limit(
            sets in prop::collection::vec((set(), any::<bool>()), 0..6),
            limit in 0..12_usize,
        ) {
            let limits = Limits { attributes: limit, ..Limits::default() };
            let (mut span, mut expected) = (OpenSpan::default(), BTreeMap::new());
            let mut dropped = 0;
            for (set, at_once) in sets {
                for (key, value) in &set {
                    if expected.len() < limit || expected.contains_key(*key) {
                        expected.insert((*key).to_owned(), *value);
                    } else {
                        dropped += 1;
                    }
                }
                let write = |tags: &mut Tags| set.iter().for_each(|(key, value)| tags.set(*key, value));
                if at_once {
                    span.write(&limits, usize::MAX / 2, write);
                } else {
                    let mut tags = Tags::new();
                    write(&mut tags);
                    span.append(&tags, &limits, usize::MAX / 2);
                }
            }
            prop_assert_eq!(attributes(&span), expected);
            prop_assert_eq!(span.tags.dropped, dropped);
        }
    }

    #[test]
    fn sets_of_very_many_keys_take_no_time_squared() {
        let mut tags = Tags::new();
        (0..300_000).for_each(|key| tags.set(&format!("key.{key}"), &key));
        let mut span = OpenSpan::default();
        span.append(&tags, &Limits::default(), usize::MAX / 2);
        span.append(&tags, &Limits::default(), usize::MAX / 2);
        assert_eq!(span.tags.entries.len(), 128);
        assert_eq!(span.tags.dropped, 2 * (300_000 - 128));
    }

    #[test]
    fn keys_of_large_spans_stay_unique() {
        const KEYS: u64 = 100_000;
        let limits = Limits {
            attributes: 2 * KEYS as usize,
            ..Limits::default()
        };
        let mut span = OpenSpan::default();
        let mut expected = BTreeMap::new();
        let mut set = |span: &mut OpenSpan, key: u64, value: Option<i64>| {
            let key = format!("key.{key}");
            match value {
                Some(value) => expected.insert(key.clone(), value),
                None => expected.remove(&key),
            };
            let write = |tags: &mut Tags| match value {
                Some(value) => tags.set(&key, &value),
                None => tags.set(&key, &crate::attribute::Pii(&1)),
            };
            span.write(&limits, usize::MAX / 2, write);
        };
        for key in 0..KEYS {
            set(&mut span, key, Some(1));
        }
        // In an order of its own: 7,919 is prime.
        for key in (0..KEYS).map(|key| key * 7_919 % KEYS) {
            set(&mut span, key, (key % 3 > 0).then_some(2));
            set(&mut span, key / 2, Some(3));
        }
        assert_eq!(attributes(&span), expected);
    }

    struct Panics;

    impl Value for Panics {
        fn encode(&self, _: Encoder<'_>) {
            panic!("a value that panics, as this test wants it")
        }
    }

    #[test]
    fn value_that_panics_leaves_no_bytes_in_its_set() {
        let mut tags = Tags::new();
        tags.set("a", &1);
        let set = AssertUnwindSafe(|| tags.set("b", &[None, Some(Panics)]));
        assert!(catch_unwind(set).is_err());
        tags.set("c", &3);
        let mut span = OpenSpan::default();
        span.append(&tags, &Limits::default(), usize::MAX / 2);
        let expected = [("a".to_owned(), 1), ("c".to_owned(), 3)];
        assert_eq!(attributes(&span), BTreeMap::from(expected));
        let fields = span.tags.entries.iter().map(|entry| entry.len());
        assert_eq!(fields.sum::<usize>(), span.tags.bytes.len());
    }
}
