//! Headers that an application wants on its spans.

use actix_web::http::header::{HeaderMap, HeaderName};

use crate::attribute::{Tags, truncate};

/// The headers of a list, each with the key of its attribute.
pub(super) struct Listed(Vec<(HeaderName, String)>);

impl Listed {
    pub(super) fn new(prefix: &str, names: impl IntoIterator<Item = HeaderName>) -> Self {
        let key = |name: HeaderName| {
            let key = format!("{prefix}{name}");
            (name, key)
        };
        Self(names.into_iter().map(key).collect())
    }

    /// Tags a span with those that are there.
    pub(super) fn tag(&self, headers: &HeaderMap, tags: &mut Tags) {
        for (name, key) in &self.0 {
            let lines = headers.get_all(name);
            let lines = lines.map(|line| String::from_utf8_lossy(line.as_bytes()));
            let lines: Vec<_> = lines.map(|line| truncate(&line, 1024).to_owned()).collect();
            if !lines.is_empty() {
                tags.set(key.as_str(), &lines);
            }
        }
    }
}
