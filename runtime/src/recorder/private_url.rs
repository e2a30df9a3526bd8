//! The URL of a request without what protected tags are made of.
//!
//! The middleware records the URL before the request is routed, and only code below it knows what is private. So a SERVER span keeps
//! a list of the private parts, and hides them when it ends, however it does.

use super::local::LocalSpan;
use super::locked_span::LockedSpan;
use super::open::OpenSpan;
use crate::attribute::PrivateUrl;
use crate::semconv::keys::{PATH, QUERY, ROUTE};
use crate::semconv::redact::{Name, REDACTED, is_named, without_any_value, without_values};

impl OpenSpan {
    pub(super) fn add_private(&mut self, url: PrivateUrl) {
        if !self.private_url.contains(&url) {
            self.private_url.push(url);
        }
    }

    /// Hides what is private: the path becomes the route.
    #[cold]
    pub(super) fn hide_private(&mut self) {
        let private = std::mem::take(&mut self.private_url);
        if private.iter().any(|url| url.path) && self.has(&PATH) {
            let route = self.text(&ROUTE);
            let shown = route.as_deref().unwrap_or(REDACTED);
            self.replace(&PATH, |tags| tags.set(PATH, shown));
        }
        let Some(query) = self.text(&QUERY) else {
            return;
        };
        let is_private = |it: Name<'_>| {
            let mut names = private.iter().flat_map(|url| url.parameters);
            names.any(|name| is_named(it.encoded, name))
        };
        let shown = match private.iter().any(|url| url.query) {
            true => without_any_value(&query).into(),
            false => without_values(&query, is_private),
        };
        if shown != query {
            self.replace(&QUERY, |tags| tags.set(QUERY, &*shown));
        }
    }
}

impl LocalSpan {
    /// Has the SERVER span that is this span or around it hide parts of its URL.
    #[cold]
    pub(crate) fn hide_url(&self, url: PrivateUrl) {
        self.with_request(|server, _, _| server.add_private(url));
    }
}

impl LockedSpan<'_> {
    /// The private parts of the URL.
    pub(crate) fn private_url(&self) -> &[PrivateUrl] {
        &self.span.private_url
    }

    pub(crate) fn hide_url(&mut self, url: PrivateUrl) {
        self.span.add_private(url);
    }

    /// Whether a handler has claimed the span.
    pub(crate) fn is_claimed(&self) -> bool {
        self.span.is_claimed
    }
}
