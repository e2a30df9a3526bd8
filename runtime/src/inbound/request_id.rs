//! The id of one request: its caller's, or a fresh one.

use std::fmt;
use std::sync::Arc;

use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

use super::header_lines::HeaderLines;

pub(super) const HEADER: &str = "x-request-id";

const MAX_LEN: usize = 128;

/// The id of a request: 1 to 128 letters, digits and `-_.:/+=@~`.
///
/// [`Default`] makes a fresh one, for calling a handler directly.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The one that the caller has sent, if it is one.
    pub(crate) fn sent(headers: &impl HeaderLines) -> Option<Self> {
        let mut lines = headers.lines(HEADER);
        let (Some(line), None) = (lines.next(), lines.next()) else {
            return None;
        };
        // What is logged, and copied into a header, is plain.
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@~".contains(byte);
        let is_id = (1..=MAX_LEN).contains(&line.len()) && line.iter().all(is_plain);
        let text = std::str::from_utf8(line).ok()?;
        is_id.then(|| Self(text.into()))
    }
}

/// A fresh one: 32 random hexadecimal digits.
impl Default for RequestId {
    fn default() -> Self {
        let random = RandomIdGenerator::default().new_trace_id();
        Self(random.to_string().into())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
