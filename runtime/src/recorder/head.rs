//! A copy of a request's head, for tags that read it after routing.
//!
//! The HTTP framework allows nobody to hold its request over routing, and what a handler will read is not known before.
//! The copy lives in its span's buffers, in memory only: nothing of it is recorded unless a tag names it.

use std::ops::Range;

#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    bytes: Vec<u8>,
    headers: Vec<(Range<u32>, Range<u32>)>,
    query: Range<u32>,
}

/// Memory that is kept for the next request's head.
const KEPT_BYTES: usize = 8 * 1024;

impl Head {
    pub(crate) fn push_header(&mut self, name: &str, value: &[u8]) {
        let name = self.push(name.as_bytes());
        let value = self.push(value);
        self.headers.push((name, value));
    }

    pub(crate) fn set_query(&mut self, query: &str) {
        self.query = self.push(query.as_bytes());
    }

    /// The lines of the header of that name, in any case, that are text.
    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self
            .headers
            .iter()
            .filter(move |(other, _)| self.slice(other).eq_ignore_ascii_case(name.as_bytes()));
        named.filter_map(|(_, value)| std::str::from_utf8(self.slice(value)).ok())
    }

    pub(crate) fn query(&self) -> &str {
        std::str::from_utf8(self.slice(&self.query)).unwrap_or_default()
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        self.headers.clear();
        self.query = 0..0;
    }

    fn push(&mut self, part: &[u8]) -> Range<u32> {
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(part);
        start..self.bytes.len() as u32
    }

    fn slice(&self, range: &Range<u32>) -> &[u8] {
        &self.bytes[range.start as usize..range.end as usize]
    }
}
