//! A copy of a request's head, for tags that read it after routing.
//!
//! The HTTP framework allows nobody to hold its request over routing, and what a handler will read is not known before.
//! The copy lives in its span's buffers, in memory only: nothing of it is recorded unless a tag names it.

use std::fmt;
use std::ops::Range;

#[derive(Clone, Default)]
pub(crate) struct HeadCopy {
    /// The query, then the names and values of the headers.
    bytes: Vec<u8>,
    query_end: u32,
    headers: Vec<Header>,
    /// Whether something of the head is left out.
    is_cut: bool,
}

/// Where the name and the value of a header end. They begin where what stands before them ends.
#[derive(Debug, Clone, Copy)]
struct Header {
    name_end: u32,
    end: u32,
}

/// None of it: headers hold secrets.
impl fmt::Debug for HeadCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadCopy").finish_non_exhaustive()
    }
}

/// Bounds of a copy. A server may share the bytes of one header between thousands of lines (HPACK), where a copy repeats them. All
/// copies together have a bound of their own.
const MAX_BYTES: usize = 16 * 1024;
const MAX_LINES: usize = 100;

/// Memory that is kept for the next request's head.
const MAX_POOLED_BYTES: usize = 8 * 1024;

impl HeadCopy {
    pub(super) fn len(&self) -> usize {
        self.bytes.len() + self.headers.len() * size_of::<Header>()
    }

    /// Takes the query and the headers, as far as 16 KiB and 100 lines allow. Names are in lower case, as the `http` crate has them.
    pub(crate) fn fill<'a>(
        &mut self,
        query: &str,
        headers: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) {
        if query.len() > MAX_BYTES {
            self.is_cut = true;
        } else {
            self.query_end = self.push(query.as_bytes());
        }
        for (name, value) in headers {
            if self.headers.len() == MAX_LINES {
                self.is_cut = true;
                break;
            }
            if self.bytes.len() + name.len() + value.len() > MAX_BYTES {
                self.is_cut = true;
                continue;
            }
            let name_end = self.push(name.as_bytes());
            let end = self.push(value);
            self.headers.push(Header { name_end, end });
        }
        // A large copy takes what it counts for, and not up to twice as much.
        self.bytes.shrink_to(MAX_POOLED_BYTES);
    }

    /// The lines of the header of that name, in any case, that are text.
    pub(super) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
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

    pub(super) fn query(&self) -> &str {
        std::str::from_utf8(self.slice(&(0..self.query_end))).unwrap_or_default()
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(MAX_POOLED_BYTES);
        self.headers.clear();
        (self.query_end, self.is_cut) = (0, false);
    }

    /// Whether something of the head is left out.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_of_a_head_is_bounded() {
        let large = "x".repeat(4_000);
        let mut lines = vec![("x-large", large.as_bytes()); 4_000];
        lines.insert(0, ("x-huge", &[b'y'; 20_000]));
        lines.insert(1, ("x-tenant-id", b"acme"));
        let mut head = HeadCopy::default();
        head.fill("a=b", lines.iter().copied());
        assert!(head.is_cut() && head.bytes.capacity() <= MAX_BYTES);
        assert_eq!(head.headers("x-tenant-id").collect::<Vec<_>>(), ["acme"]);
        assert_eq!((head.query(), head.headers("x-huge").count()), ("a=b", 0));
        head.clear();
        head.fill(&"q".repeat(20_000), [("x", &b"1"[..]); 1_000].into_iter());
        assert!(head.is_cut() && head.query().is_empty());
        assert_eq!(head.headers("x").count(), MAX_LINES);
        head.clear();
        head.fill("", std::iter::empty());
        assert!(!head.is_cut());
    }
}
