//! What verdicts ask of the tags of spans: the recorder looks once at each span that ends, and keeps a bit for each answer.

use regex_lite::Regex;

use super::glob::Glob;
use super::path_glob::PathGlob;
use crate::attribute::{Key, Scalar, Tags, key_of};

/// What a tag is tested for.
#[derive(Debug, Clone)]
pub(super) enum Test {
    /// Whether it is one of these, which are encoded as a span has them.
    OneOf(Vec<Vec<u8>>),
    Glob(Glob),
    Path(PathGlob),
    Regex(Regex),
    /// Whether a number passes.
    Number(Range),
}

/// Numbers between two bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) from: std::ops::Bound<f64>,
    pub(super) to: std::ops::Bound<f64>,
}

/// The tests of an instance, by the tags that they test.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// A bit for each hash of a watched key: most attributes of a span are told to be none by it.
    interest: u64,
    keys: Vec<WatchedKey>,
    tests: u32,
}

/// A tag that is tested.
#[derive(Debug)]
struct WatchedKey {
    key: String,
    hash: u32,
    values: Vec<WatchedValue>,
    tests: Vec<WatchedTest>,
}

/// A value that passes a test.
#[derive(Debug)]
struct WatchedValue {
    digest: u64,
    /// The whole attribute, as a span has it.
    attribute: Vec<u8>,
    bit: u64,
    first_only: bool,
}

/// A test of a decoded value.
#[derive(Debug)]
struct WatchedTest {
    test: Test,
    bit: u64,
    /// Whether only the first span here is tested.
    first_only: bool,
}

/// A span with its tags.
pub(crate) trait Tagged {
    /// Whether it is the trace's first span here.
    fn is_first(&self) -> bool;
    fn tags(&self) -> &Tags;
}

/// As many tests as there are bits.
pub(super) const MAX_TESTS: u32 = 64;

impl Watch {
    /// Adds a test, and returns the bit of its answer: none if there are [`MAX_TESTS`] already.
    pub(super) fn add(&mut self, key: &str, first_only: bool, test: Test) -> u64 {
        if self.tests == MAX_TESTS {
            return 0;
        }
        let bit = 1 << self.tests;
        self.tests += 1;
        let watched = self.watch(key);
        match test {
            Test::OneOf(values) => {
                let values = values.into_iter().map(|attribute| WatchedValue {
                    digest: digest(&attribute),
                    attribute,
                    bit,
                    first_only,
                });
                watched.values.extend(values);
            }
            test => watched.tests.push(WatchedTest {
                test,
                bit,
                first_only,
            }),
        }
        bit
    }

    fn watch(&mut self, key: &str) -> &mut WatchedKey {
        let at = self.keys.iter().position(|watched| watched.key == key);
        let at = at.unwrap_or_else(|| {
            let hash = Key::new(key).hash();
            self.interest |= interest(hash);
            self.keys.push(WatchedKey {
                key: key.to_owned(),
                hash,
                values: Vec::new(),
                tests: Vec::new(),
            });
            self.keys.len() - 1
        });
        &mut self.keys[at]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The bits of the tests that a span passes.
    pub(crate) fn hits(&self, span: &impl Tagged) -> u64 {
        self.hits_of(span.tags(), span.is_first())
    }

    /// The bits of the tests that these tags pass.
    pub(crate) fn hits_of(&self, tags: &Tags, is_first: bool) -> u64 {
        let mut hits = 0;
        let Tags { entries, bytes, .. } = tags;
        for entry in entries {
            if self.interest & interest(entry.hash) != 0 {
                let mut keys = self.keys.iter();
                if let Some(key) = keys.find(|watched| watched.hash == entry.hash) {
                    hits |= key.hits(is_first, entry.field(bytes));
                }
            }
        }
        hits
    }
}

/// The bit of a hash.
#[inline]
fn interest(hash: u32) -> u64 {
    1 << (hash % 64)
}

/// Differs for most attributes that differ.
#[inline]
fn digest(attribute: &[u8]) -> u64 {
    let end = attribute.last_chunk().copied().unwrap_or_default();
    u64::from_le_bytes(end) ^ ((attribute.len() as u64) << 56)
}

impl WatchedKey {
    fn hits(&self, is_first: bool, attribute: &[u8]) -> u64 {
        let mut hits = 0;
        let digest = digest(attribute);
        for value in &self.values {
            if value.digest == digest
                && (is_first || !value.first_only)
                && value.attribute == attribute
            {
                hits |= value.bit;
            }
        }
        if !self.tests.is_empty()
            && key_of(attribute) == self.key.as_bytes()
            && let Some(scalar) = Scalar::of(attribute)
        {
            for test in &self.tests {
                if (is_first || !test.first_only) && test.test.passes(scalar) {
                    hits |= test.bit;
                }
            }
        }
        hits
    }
}

impl Test {
    fn passes(&self, value: Scalar<'_>) -> bool {
        match (self, value) {
            (Self::Glob(glob), Scalar::Text(text)) => glob.matches(text),
            (Self::Path(glob), Scalar::Text(text)) => glob.matches(text),
            (Self::Regex(regex), Scalar::Text(text)) => regex.is_match(text),
            (Self::Number(range), Scalar::Int(number)) => range.contains(number as f64),
            (Self::Number(range), Scalar::Double(number)) => range.contains(number),
            _ => false,
        }
    }
}

impl Range {
    fn contains(self, number: f64) -> bool {
        use std::ops::RangeBounds;
        (self.from, self.to).contains(&number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Span(Tags);

    impl Tagged for Span {
        fn is_first(&self) -> bool {
            true
        }

        fn tags(&self) -> &Tags {
            &self.0
        }
    }

    /// Keys with one hash are told apart.
    #[test]
    fn keys_of_one_hash_are_told_apart() {
        let mut keys = std::collections::HashMap::new();
        let pair = (0_u32..).find_map(|n| {
            let key = format!("key.{n}");
            let earlier = keys.insert(Key::new(&key).hash(), key.clone())?;
            Some((earlier, key))
        });
        let (watched, other) = pair.unwrap();
        let mut watch = Watch::default();
        let mut tags = Tags::new();
        tags.set(&watched, "a");
        let one_of = vec![tags.entries[0].field(&tags.bytes).to_vec()];
        let is_a = watch.add(&watched, false, Test::OneOf(one_of));
        let is_any = watch.add(&watched, false, Test::Glob(Glob::new("*")));
        for (key, expected) in [(&watched, is_a | is_any), (&other, 0)] {
            let mut tags = Tags::new();
            tags.set(key, "a");
            assert_eq!(watch.hits(&Span(tags)), expected, "{key}");
        }
    }
}
