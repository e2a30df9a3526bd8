//! Tells most keys of a set to be new without comparing them.

/// A Bloom filter: a bit for each hash of a key in the set. Keys of different bits differ, keys of one bit may be the same.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct KeyFilter([u64; WORDS]);

const WORDS: usize = 8;

impl KeyFilter {
    pub(super) fn may_have(&self, hash: u32) -> bool {
        let (word, bit) = Self::bit(hash);
        self.0[word] & bit != 0
    }

    /// Returns whether the key is certainly new.
    #[inline]
    pub(super) fn insert(&mut self, hash: u32) -> bool {
        let (word, bit) = Self::bit(hash);
        let is_new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        is_new
    }

    /// Whether the two sets certainly have no key in common.
    #[inline]
    pub(super) fn is_disjoint(&self, other: &Self) -> bool {
        self.0
            .iter()
            .zip(&other.0)
            .all(|(one, other)| one & other == 0)
    }

    #[inline]
    pub(super) fn merge(&mut self, other: &Self) {
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    fn bit(hash: u32) -> (usize, u64) {
        (hash as usize / 64 % WORDS, 1 << (hash % 64))
    }
}
