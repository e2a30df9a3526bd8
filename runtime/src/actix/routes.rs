//! The routes that a worker has learned: a guess for a request that ends without a response.
//!
//! actix-web lets nobody hold a request while it is routed, so that a request that is cancelled, panics, or fails in a middleware
//! takes its route with it. A worker asks for the routes of its first requests before they are routed, and learns them.

use std::cell::{Cell, RefCell};

use actix_web::dev::{ResourceDef, ServiceRequest};

/// Requests that a worker asks for their routes before they are routed: its first ones, and some after a route was missed.
const ASKED: u32 = 256;
/// Routes that a worker remembers.
const KNOWN: usize = 256;

/// The routes that a worker has learned.
#[derive(Debug)]
pub(super) struct Routes {
    known: RefCell<Vec<ResourceDef>>,
    to_ask: Cell<u32>,
}

impl Default for Routes {
    fn default() -> Self {
        Self {
            known: RefCell::default(),
            to_ask: Cell::new(ASKED),
        }
    }
}

impl Routes {
    /// The route of a request that has not been routed yet, as long as the worker asks.
    #[inline]
    pub(super) fn ask(&self, request: &ServiceRequest) -> Option<Box<str>> {
        (self.to_ask.get() > 0).then(|| self.learn(request))?
    }

    #[cold]
    fn learn(&self, request: &ServiceRequest) -> Option<Box<str>> {
        self.to_ask.set(self.to_ask.get() - 1);
        let route = request.match_pattern()?;
        let mut known = self.known.borrow_mut();
        let is_new = known.iter().all(|other| other.pattern() != Some(&route));
        if is_new && known.len() < KNOWN {
            known.push(ResourceDef::new(&*route));
        }
        Some(route.into())
    }

    /// The one route that a path can be of: one without parameters takes precedence.
    pub(super) fn of(&self, path: &str) -> Option<String> {
        let known = self.known.borrow();
        let mut matching = known.iter().filter(|route| route.is_match(path));
        let route = match (matching.next(), matching.next()) {
            (Some(only), None) => Some(only),
            _ => known.iter().find(|route| route.pattern() == Some(path)),
        };
        if route.is_none() {
            self.to_ask.set(ASKED);
        }
        route?.pattern().map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(patterns: &[&str]) -> Routes {
        let routes = Routes::default();
        let known = patterns.iter().map(|route| ResourceDef::new(*route));
        routes.known.borrow_mut().extend(known);
        routes.to_ask.set(0);
        routes
    }

    #[test]
    fn path_is_of_the_only_route_that_matches_or_of_the_one_that_is_equal() {
        let routes = learned(&["/orders/{id}", "/orders/new", "/a/{x}/c", "/a/b/{y}"]);
        for (path, expected) in [
            ("/orders/7", Some("/orders/{id}")),
            ("/orders/new", Some("/orders/new")),
            ("/a/b/c", None),
            ("/a/1/c", Some("/a/{x}/c")),
            ("/unknown", None),
        ] {
            assert_eq!(routes.of(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn missed_route_has_the_worker_ask_again() {
        let routes = learned(&["/orders/{id}"]);
        assert!(routes.of("/orders/7").is_some());
        assert_eq!(routes.to_ask.get(), 0);
        assert!(routes.of("/carts/7").is_none());
        assert_eq!(routes.to_ask.get(), ASKED);
    }
}
