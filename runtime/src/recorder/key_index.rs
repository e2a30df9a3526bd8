//! Finds a key among the many attributes of a span.

use hashbrown::HashTable;

use crate::attribute::{Entry, key_of};

/// As many entries are compared one by one: they lie side by side, and few spans have more.
const FEW: usize = 256;

/// Where the keys of a span's attributes are, once these are too many to compare them all: only a limit above the default lets
/// a span have so many.
#[derive(Debug, Default)]
pub(super) struct KeyIndex {
    /// Positions of entries: those of the first `positions.len()`.
    positions: HashTable<u32>,
}

impl KeyIndex {
    /// The position of that key among `entries`, which lie in `bytes`.
    pub(super) fn find(
        &mut self,
        entries: &[Entry],
        bytes: &[u8],
        hash: u32,
        key: &[u8],
    ) -> Option<usize> {
        let is_it = |entry: &Entry| entry.hash == hash && key_of(entry.field(bytes)) == key;
        if entries.len() <= FEW {
            return entries.iter().position(is_it);
        }
        self.account(entries);
        let is_there = |at: &u32| entries.get(*at as usize).is_some_and(is_it);
        let found = self.positions.find(spread(hash), is_there);
        found.map(|at| *at as usize)
    }

    /// Learns that the entry at `at` goes, and that the last of `entries` takes its place.
    pub(super) fn swap_remove(&mut self, entries: &[Entry], at: usize) {
        if self.positions.is_empty() {
            return;
        }
        self.account(entries);
        let last = entries.len() - 1;
        let is_it = |position: usize| move |other: &u32| *other as usize == position;
        if let Ok(gone) = self
            .positions
            .find_entry(spread(entries[at].hash), is_it(at))
        {
            gone.remove();
        }
        let moved = spread(entries[last].hash);
        if let Some(moved) = self.positions.find_mut(moved, is_it(last)) {
            *moved = at as u32;
        }
    }

    /// Forgets all keys, and gives their memory back.
    pub(super) fn clear(&mut self) {
        if !self.positions.is_empty() {
            self.positions = HashTable::new();
        }
    }

    fn account(&mut self, entries: &[Entry]) {
        for at in self.positions.len()..entries.len() {
            let hash_of = |at: &u32| spread(entries[*at as usize].hash);
            self.positions
                .insert_unique(spread(entries[at].hash), at as u32, hash_of);
        }
    }
}

/// A hash whose upper bits differ, too: the table reads those first.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
