//! Tells most keys of a set to be new without comparing them.

/// A bit for each hash of a key in the set: two keys of one bit may be the same, two of different bits are not.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct KeyFilter([u64; WORDS]);

const WORDS: usize = 8;

impl KeyFilter {
    pub(super) fn may_have(&self, hash: u32) -> bool {
        let (word, bit) = Self::bit(hash);
        self.0[word] & bit != 0
    }

    /// Returns whether the key may be there already.
    #[inline]
    pub(super) fn insert(&mut self, hash: u32) -> bool {
        let (word, bit) = Self::bit(hash);
        let may_be_there = self.0[word] & bit != 0;
        self.0[word] |= bit;
        may_be_there
    }

    /// Whether the two sets have no key in common for sure.
    #[inline]
    pub(super) fn is_disjoint(&self, other: &Self) -> bool {
        let both = self.0.iter().zip(&other.0).map(|(one, other)| one & other);
        both.fold(0, |all, word| all | word) == 0
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
