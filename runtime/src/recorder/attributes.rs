//! The attributes of a span being recorded: unique keys, within the limits.

use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use prost::Message;

use super::open::OpenSpan;
use super::seal::live;
use crate::attribute::{Entry, Key, Tags, is_withheld, key_of, wire};
use crate::config::Limits;

/// A bit for each hash of a key that the span has: most keys are set once, and are told to be new by this alone.
#[derive(Debug, Default)]
pub(super) struct Seen([u64; 4]);

impl Seen {
    fn may_have(&self, hash: u32) -> bool {
        let (word, bit) = Self::bit(hash);
        self.0[word] & bit != 0
    }

    /// Returns whether it is new for sure.
    fn insert(&mut self, hash: u32) -> bool {
        let (word, bit) = Self::bit(hash);
        let is_new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        is_new
    }

    fn bit(hash: u32) -> (usize, u64) {
        ((hash / 64 % 4) as usize, 1 << (hash % 64))
    }
}

/// Past this many bytes a span's dead attributes are squeezed out, once they are the larger part.
const COMPACT_BYTES: usize = 4 * 1024;

/// An attribute as OTLP's own type.
pub(super) fn decode(entry: &Entry, bytes: &[u8]) -> Option<KeyValue> {
    let (attribute, _) = wire::split_field(entry.field(bytes));
    KeyValue::decode(attribute).ok()
}

impl OpenSpan {
    pub(super) fn has(&self, key: &Key<'_>) -> bool {
        let name = key.as_str().as_bytes();
        self.find(key.hash(), name, self.tags.entries.len())
            .is_some()
    }

    /// The value of that attribute, if it is a string.
    pub(super) fn text(&self, key: &Key<'_>) -> Option<String> {
        let name = key.as_str().as_bytes();
        let at = self.find(key.hash(), name, self.tags.entries.len())?;
        match decode(&self.tags.entries[at], &self.tags.bytes)?
            .value?
            .value?
        {
            any_value::Value::StringValue(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it has that encoded attribute.
    pub(super) fn has_field(&self, hash: u32, field: &[u8]) -> bool {
        let found = self.find(hash, key_of(field), self.tags.entries.len());
        found.is_some_and(|at| self.tags.entries[at].field(&self.tags.bytes) == field)
    }

    /// Adds attributes, as far as the limits and `room`, in bytes, allow. What `write` sets must be no user's code: the
    /// trace's lock is held.
    pub(super) fn write(&mut self, limits: &Limits, room: usize, write: impl FnOnce(&mut Tags)) {
        let (entries, before) = (self.tags.entries.len(), self.len());
        write(&mut self.tags);
        self.admit(entries, before, limits, room);
    }

    /// The same for attributes that have been set elsewhere.
    pub(super) fn append(&mut self, tags: &Tags, limits: &Limits, room: usize) {
        self.write(limits, room, |own| {
            if tags.is_whole() {
                let start = own.bytes.len();
                own.bytes.extend_from_slice(&tags.bytes);
                let moved = |entry: &Entry| entry.moved_to(start + entry.start as usize);
                own.entries.extend(tags.entries.iter().map(moved));
            } else {
                for entry in &tags.entries {
                    own.push_encoded(entry.hash, entry.field(&tags.bytes));
                }
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
        let fit = self.tags.entries.len() <= limits.attributes && self.len() <= most;
        // Most are new and fit: nothing is to be moved up to the first that may not.
        let mut doubtful = first;
        if fit && !self.tags.withheld {
            let added = &self.tags.entries[first..];
            let new = added
                .iter()
                .take_while(|entry| self.seen.insert(entry.hash));
            for entry in new {
                live += entry.len();
                doubtful += 1;
            }
        }
        let mut kept = doubtful;
        for at in doubtful..self.tags.entries.len() {
            let entry = self.tags.entries[at];
            let earlier = if self.seen.may_have(entry.hash) {
                self.find(entry.hash, key_of(entry.field(&self.tags.bytes)), kept)
            } else {
                None
            };
            if self.tags.withheld && is_withheld(entry.field(&self.tags.bytes)) {
                self.kill(entry);
                if let Some(at) = earlier {
                    let earlier = self.tags.entries[at];
                    live -= earlier.len();
                    self.kill(earlier);
                    self.tags.entries.copy_within(at + 1..kept, at);
                    kept -= 1;
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
                self.seen.insert(entry.hash);
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

    /// The attribute of that key among the first `number`.
    fn find(&self, hash: u32, key: &[u8], number: usize) -> Option<usize> {
        let is_it =
            |entry: &Entry| entry.hash == hash && key_of(entry.field(&self.tags.bytes)) == key;
        self.tags.entries[..number].iter().position(is_it)
    }

    fn kill(&mut self, entry: Entry) {
        self.dead_bytes += entry.len();
        self.dead.push(entry.start..entry.end);
    }

    /// Moves the live bytes together.
    fn compact(&mut self) {
        self.dead.sort_unstable_by_key(|dead| dead.start);
        let (dead, Tags { bytes, entries, .. }) = (&self.dead, &mut self.tags);
        for entry in entries {
            let before = dead.iter().take_while(|dead| dead.start < entry.start);
            let shift = before.map(ExactSizeIterator::len).sum::<usize>();
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
