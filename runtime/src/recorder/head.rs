//! A copy of a request's head, for tags that read it after routing.
//!
//! The HTTP framework allows nobody to hold its request over routing, and what a handler will read is not known before.
//! The copy lives in its span's buffers, in memory only: nothing of it is recorded unless a tag names it.

use std::fmt;
use std::ops::Range;

#[derive(Clone, Default)]
pub(crate) struct Head {
    /// The query, then the names and values of the headers.
    bytes: Vec<u8>,
    query_end: u32,
    headers: Vec<Header>,
}

/// Where the name and the value of a header end. They begin where what stands before them ends.
#[derive(Debug, Clone, Copy)]
struct Header {
    name_end: u32,
    end: u32,
}

/// None of it: headers hold secrets.
impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head").finish_non_exhaustive()
    }
}

/// Memory that is kept for the next request's head.
const KEPT_BYTES: usize = 8 * 1024;

impl Head {
    pub(super) fn len(&self) -> usize {
        self.bytes.len() + self.headers.len() * size_of::<Header>()
    }

    /// Takes the query and the headers. Names are in lower case, as the `http` crate has them.
    pub(crate) fn fill<'a>(
        &mut self,
        query: &str,
        headers: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) {
        self.query_end = self.push(query.as_bytes());
        for (name, value) in headers {
            let name_end = self.push(name.as_bytes());
            let end = self.push(value);
            self.headers.push(Header { name_end, end });
        }
    }

    /// The lines of the header of that name, in any case, that are text.
    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let mut start = self.query_end;
        let lines = self.headers.iter().map(move |header| {
            let line = (start..header.name_end, header.name_end..header.end);
            start = header.end;
            line
        });
        // The names are in lower case. So are most of those that tags ask for, which need only be equal.
        let is_lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
        let is_it = move |other: &[u8]| match is_lower {
            true => other == name.as_bytes(),
            false => other.eq_ignore_ascii_case(name.as_bytes()),
        };
        lines
            .filter(move |(other, _)| is_it(self.slice(other)))
            .filter_map(|(_, value)| std::str::from_utf8(self.slice(&value)).ok())
    }

    pub(crate) fn query(&self) -> &str {
        std::str::from_utf8(self.slice(&(0..self.query_end))).unwrap_or_default()
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        self.headers.clear();
        self.query_end = 0;
    }

    /// Returns where `part` ends.
    fn push(&mut self, part: &[u8]) -> u32 {
        self.bytes.extend_from_slice(part);
        self.bytes.len() as u32
    }

    fn slice(&self, range: &Range<u32>) -> &[u8] {
        &self.bytes[range.start as usize..range.end as usize]
    }
}
