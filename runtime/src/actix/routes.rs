//! The route of a request that ends without a response, by its path.
//!
//! actix-web does not let a middleware keep a request while it is routed. So the route is lost if a request is cancelled, panics, or fails
//! in a middleware. A worker keeps the application's map of resources instead, and asks it at such an end.

use std::cell::{Cell, OnceCell, RefCell};

use actix_web::HttpRequest;
use actix_web::dev::{ResourceMap, ServiceRequest, Url};
use actix_web::http::Uri;

use crate::inbound::RouteGuess;

/// Answered requests whose route is compared with that of their path: a worker's first ones, and those after a route by the path alone.
const COMPARED: u32 = 256;
/// Routes that a worker remembers not to use.
const MAX_DOUBTFUL: usize = 64;

/// The routes of a worker's application.
#[derive(Debug)]
pub(super) struct Routes {
    map: OnceCell<ResourceMap>,
    to_compare: Cell<u32>,
    /// Routes that a path alone does not tell: guards, or a middleware that changes the path, decide.
    doubtful: RefCell<Vec<String>>,
}

impl Default for Routes {
    fn default() -> Self {
        Self {
            map: OnceCell::new(),
            to_compare: Cell::new(COMPARED),
            doubtful: RefCell::default(),
        }
    }
}

impl Routes {
    /// Keeps the map of the application that `request` is for. Its nodes are shared.
    #[inline]
    pub(super) fn keep(&self, request: &ServiceRequest) {
        self.map.get_or_init(|| request.resource_map().clone());
    }

    /// Compares the route of an answered request with that of its path, as long as the worker does.
    #[inline]
    pub(super) fn compare(&self, request: &HttpRequest) {
        if self.to_compare.get() > 0 {
            self.compare_now(request);
        }
    }

    #[cold]
    fn compare_now(&self, request: &HttpRequest) {
        self.to_compare.set(self.to_compare.get() - 1);
        let by_path = self.by_path(request.path());
        if let Some(route) = by_path
            && request.match_pattern().as_ref() != Some(&route)
        {
            let mut doubtful = self.doubtful.borrow_mut();
            if doubtful.len() < MAX_DOUBTFUL && !doubtful.contains(&route) {
                doubtful.push(route);
            }
        }
    }

    /// The route of an answered request.
    #[inline]
    pub(super) fn of_answered(&self, request: &HttpRequest) -> RouteGuess {
        match request.match_pattern() {
            Some(route) => RouteGuess::Route(route),
            None => self.of_unrouted(request.path()),
        }
    }

    /// The route of a request that ends without a response. `path` is as it was sent.
    pub(super) fn of(&self, path: &str) -> RouteGuess {
        self.to_compare.set(COMPARED);
        let Ok(uri) = path.parse::<Uri>() else {
            return RouteGuess::Doubtful;
        };
        let url = Url::new(uri);
        match self.by_path(url.path()) {
            None => self.of_unrouted(url.path()),
            Some(route) if self.doubtful.borrow().contains(&route) => RouteGuess::Doubtful,
            Some(route) => RouteGuess::Route(route),
        }
    }

    /// A path that no route has. In doubt if one has it with fewer or more slashes: a middleware may have answered before one that
    /// normalizes the path.
    #[cold]
    fn of_unrouted(&self, path: &str) -> RouteGuess {
        let mut normal = String::with_capacity(path.len() + 1);
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            normal.extend(["/", segment]);
        }
        let is_route = self.by_path(&normal).is_some();
        normal.push('/');
        match is_route || self.by_path(&normal).is_some() {
            true => RouteGuess::Doubtful,
            false => RouteGuess::Nowhere,
        }
    }

    fn by_path(&self, path: &str) -> Option<String> {
        self.map.get()?.match_pattern(path)
    }
}
