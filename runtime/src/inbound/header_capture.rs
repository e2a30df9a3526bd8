//! Headers that an application wants on its spans.

use super::header_lines::HeaderLines;
use super::request_head::cut;
use crate::attribute::Tags;

/// The headers of a list, each with the key of its attribute.
pub(crate) struct HeaderCapture<N>(Vec<(N, String)>);

impl<N: AsRef<str>> HeaderCapture<N> {
    pub(crate) fn new(prefix: &str, names: impl IntoIterator<Item = N>) -> Self {
        let key = |name: N| {
            let key = format!("{prefix}{}", name.as_ref());
            (name, key)
        };
        Self(names.into_iter().map(key).collect())
    }

    /// Tags a span with those that are there.
    pub(crate) fn tag(&self, headers: &impl HeaderLines<Name = N>, tags: &mut Tags) {
        for (name, key) in &self.0 {
            let lines = headers.named(name).map(String::from_utf8_lossy);
            let lines: Vec<_> = lines.map(|line| cut(&line).to_owned()).collect();
            if !lines.is_empty() {
                tags.set(key.as_str(), &lines);
            }
        }
    }
}
