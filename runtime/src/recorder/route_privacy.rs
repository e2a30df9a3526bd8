//! What the URLs of a route show, for requests that never reach their handler.
//!
//! An extractor or a middleware may refuse a request before its handler says what is private. What earlier requests of the method and
//! route have said counts then. As long as there was none, nothing is shown: neither the path nor a value of the query.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock};

use crate::attribute::PrivateUrl;

/// Requests in which routes without private parts are noted: the first ones, and those after a request of an unknown route.
const NOTED: u32 = 256;
/// More methods and routes are not noted: they stay unknown.
const MAX_ROUTES: usize = 4096;

/// The methods and routes of which a handler has run, with what is private in their URLs.
#[derive(Debug)]
pub(crate) struct RoutePrivacy {
    known: RwLock<HashMap<String, Vec<PrivateUrl>>>,
    /// Whether one of them has something private.
    has_private: AtomicBool,
    to_note: AtomicU32,
}

impl Default for RoutePrivacy {
    fn default() -> Self {
        Self {
            known: RwLock::default(),
            has_private: AtomicBool::new(false),
            to_note: AtomicU32::new(NOTED),
        }
    }
}

impl RoutePrivacy {
    /// Whether a request is to be noted whose handler has run, and said that this is private.
    #[inline]
    pub(crate) fn wants(&self, private: &[PrivateUrl]) -> bool {
        !private.is_empty() || self.to_note.load(Ordering::Relaxed) > 0
    }

    /// Whether a handler has said that something is private.
    #[inline]
    pub(crate) fn has_private(&self) -> bool {
        self.has_private.load(Ordering::Relaxed)
    }

    /// Notes what is private in the URLs of a route.
    pub(crate) fn note(&self, method: &str, route: &str, private: &[PrivateUrl]) {
        let _ = self
            .to_note
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            });
        let key = key(method, route);
        let is_noted = |known: &HashMap<String, Vec<PrivateUrl>>| {
            let noted = known.get(&key);
            noted.is_some_and(|noted| private.iter().all(|url| noted.contains(url)))
        };
        if is_noted(&self.known.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        if !private.is_empty() {
            self.has_private.store(true, Ordering::Relaxed);
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MAX_ROUTES || known.contains_key(&key) {
            let noted = known.entry(key).or_default();
            for url in private {
                if !noted.contains(url) {
                    noted.push(*url);
                }
            }
        }
    }

    /// What is private in the URLs of a route, if that is known.
    pub(crate) fn of(&self, method: &str, route: &str) -> Option<Vec<PrivateUrl>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&key(method, route)).cloned()
    }

    /// Has the next requests noted: one of an unknown route has reached no handler.
    pub(crate) fn note_next(&self) {
        self.to_note.store(NOTED, Ordering::Relaxed);
    }
}

fn key(method: &str, route: &str) -> String {
    format!("{method} {route}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_route_has_what_its_handler_has_said() {
        let routes = RoutePrivacy::default();
        assert_eq!(routes.of("GET", "/a"), None);
        routes.note("GET", "/a", &[]);
        assert_eq!(routes.of("GET", "/a"), Some(Vec::new()));
        assert_eq!(routes.of("PUT", "/a"), None);
        assert!(!routes.has_private());
        routes.note("GET", "/a", &[PrivateUrl::PATH]);
        routes.note("GET", "/a", &[]);
        assert_eq!(routes.of("GET", "/a"), Some(vec![PrivateUrl::PATH]));
        assert!(routes.has_private());
    }

    #[test]
    fn routes_are_noted_after_one_was_unknown() {
        let routes = RoutePrivacy::default();
        (0..NOTED).for_each(|_| routes.note("GET", "/a", &[]));
        assert!(!routes.wants(&[]) && routes.wants(&[PrivateUrl::PATH]));
        routes.note_next();
        assert!(routes.wants(&[]));
    }
}
