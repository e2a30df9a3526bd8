//! The text of a summary.

/// The conventions' limit of a summary, in characters. Ours is in bytes.
pub(super) const LIMIT: usize = 255;

/// The operations and targets of a query, in the order in which they stand in it: `INSERT shipping_details SELECT orders`.
///
/// By the conventions for databases, "Generating a summary of the query". Words and names are as the query has them. Names that
/// `WITH` defines count as targets where they are read.
#[derive(Debug)]
pub struct QuerySummary {
    text: [u8; LIMIT],
    len: usize,
}

impl QuerySummary {
    pub(super) const EMPTY: Self = Self {
        text: [0; LIMIT],
        len: 0,
    };

    /// `None` for a query without an operation.
    #[must_use]
    pub const fn get(&self) -> Option<&str> {
        if self.len == 0 {
            return None;
        }
        match str::from_utf8(self.text.split_at(self.len).0) {
            Ok(text) => Some(text),
            // Only whole tokens are in it, and a token ends at ASCII.
            Err(_) => None,
        }
    }

    /// Adds a part, unless it does not fit.
    pub(super) const fn push(&mut self, part: &[u8]) -> bool {
        let space = if self.len == 0 { 0 } else { 1 };
        if self.len + space + part.len() > LIMIT {
            return false;
        }
        if space == 1 {
            self.text[self.len] = b' ';
        }
        let (_, free) = self.text.split_at_mut(self.len + space);
        free.split_at_mut(part.len()).0.copy_from_slice(part);
        self.len += space + part.len();
        true
    }
}
