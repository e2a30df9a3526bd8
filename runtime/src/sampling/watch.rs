//! What verdicts ask of the tags of spans: the recorder looks once at each span that ends, and keeps a bit for each answer.

use regex_lite::Regex;

use super::glob::Glob;
use super::path_glob::PathGlob;
use crate::attribute::{Key, Scalar};

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
    keys: Vec<WatchedKey>,
    tests: u32,
}

/// A tag that is tested.
#[derive(Debug)]
struct WatchedKey {
    key: String,
    hash: u32,
    tests: Vec<WatchedTest>,
}

#[derive(Debug)]
struct WatchedTest {
    bit: u64,
    /// Whether only the first span here is tested.
    first_only: bool,
    test: Test,
}

/// A span with its tags.
pub(crate) trait Tagged {
    /// Whether it is the trace's first span here.
    fn is_first(&self) -> bool;
    /// The encoded attribute of that key, whose hash is given, too.
    fn attribute(&mut self, hash: u32, key: &str) -> Option<&[u8]>;
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
        let test = WatchedTest {
            bit,
            first_only,
            test,
        };
        match self.keys.iter_mut().find(|watched| watched.key == key) {
            Some(watched) => watched.tests.push(test),
            None => self.keys.push(WatchedKey {
                key: key.to_owned(),
                hash: Key::new(key).hash(),
                tests: vec![test],
            }),
        }
        bit
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The bits of the tests that a span passes.
    pub(crate) fn hits(&self, span: &mut impl Tagged) -> u64 {
        let mut hits = 0;
        let is_first = span.is_first();
        for watched in &self.keys {
            let Some(attribute) = span.attribute(watched.hash, &watched.key) else {
                continue;
            };
            for WatchedTest {
                bit,
                first_only,
                test,
            } in &watched.tests
            {
                if (is_first || !first_only) && test.passes(attribute) {
                    hits |= bit;
                }
            }
        }
        hits
    }
}

impl Test {
    fn passes(&self, attribute: &[u8]) -> bool {
        match (self, Scalar::of(attribute)) {
            (Self::OneOf(expected), _) => expected.iter().any(|it| it == attribute),
            (Self::Glob(glob), Some(Scalar::Text(text))) => glob.matches(text),
            (Self::Path(glob), Some(Scalar::Text(text))) => glob.matches(text),
            (Self::Regex(regex), Some(Scalar::Text(text))) => regex.is_match(text),
            (Self::Number(range), Some(Scalar::Int(number))) => range.contains(number as f64),
            (Self::Number(range), Some(Scalar::Double(number))) => range.contains(number),
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
