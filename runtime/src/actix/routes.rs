//! The routes that a worker has learned: a guess for a request that ends without a response.
//!
//! actix-web does not let a middleware keep a request while it is routed. So the route is lost if a request is cancelled, panics, or fails
//! in a middleware. A worker asks for the routes of its first requests before they are routed, and learns them. A guess that may be wrong
//! is none: a span without a route misleads nobody.

use std::cell::{Cell, RefCell};

use actix_web::dev::ServiceRequest;

use super::pattern::{Match, Pattern};

/// Requests that a worker asks for their routes before they are routed: its first ones, and some after a route was missed.
const ASKED: u32 = 256;
/// Routes that a worker remembers.
const KNOWN: usize = 256;
/// Longer paths are neither learned nor guessed: the span has only a part of them.
const MAX_PATH: usize = 1000;

/// The routes that a worker has learned.
#[derive(Debug)]
pub(super) struct Routes {
    known: RefCell<Vec<Route>>,
    to_ask: Cell<u32>,
}

#[derive(Debug)]
struct Route {
    pattern: Pattern,
    /// A path that the application's routing has this route for, by the path alone.
    example: Box<str>,
    /// Whether a request of such a path was answered by another route: guards, or a middleware that changes the path, decide.
    is_doubtful: bool,
}

impl Route {
    /// Whether this route is registered before `other`, as far as both match: it was chosen though the other one matches, too.
    fn goes_before(&self, other: &Self) -> bool {
        other.pattern.matches(&self.example) == Match::Yes
    }
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
        self.note(&route, request.path());
        Some(route.into())
    }

    fn note(&self, route: &str, path: &str) {
        let mut known = self.known.borrow_mut();
        let is_new = known.iter().all(|other| other.pattern.text() != route);
        if is_new && known.len() < KNOWN && path.len() <= MAX_PATH {
            known.push(Route {
                pattern: Pattern::new(route),
                example: path.into(),
                is_doubtful: false,
            });
        }
    }

    /// Learns that a request that was `asked` for its route has been answered by `route`.
    #[cold]
    pub(super) fn compare(&self, asked: &str, route: Option<&str>) {
        if route == Some(asked) {
            return;
        }
        let mut known = self.known.borrow_mut();
        let wrong = known.iter_mut().filter(|it| it.pattern.text() == asked);
        wrong.for_each(|route| route.is_doubtful = true);
    }

    /// The route of a request that ends without a response. `asked` is what it was asked for before it was routed.
    pub(super) fn of(&self, path: &str, asked: Option<&str>) -> Option<String> {
        let known = self.known.borrow();
        if let Some(asked) = asked {
            let mut known = known.iter();
            let is_doubtful = known.any(|it| it.is_doubtful && it.pattern.text() == asked);
            return (!is_doubtful).then(|| asked.to_owned());
        }
        let route = Self::guess(&known, path);
        if route.is_none() {
            self.to_ask.set(ASKED);
        }
        route
    }

    /// The route that goes before all others that a path may be of. Not one of all the paths below it: routes that the worker has not met
    /// may be among these.
    fn guess(known: &[Route], path: &str) -> Option<String> {
        if path.len() > MAX_PATH {
            return None;
        }
        let candidates = || {
            let known = known.iter();
            known.filter(|route| route.pattern.matches(path) != Match::No)
        };
        let is_first = |route: &&Route| {
            let mut others = candidates().filter(|other| !std::ptr::eq(*other, *route));
            others.all(|other| route.goes_before(other))
        };
        let first = candidates().find(is_first)?;
        let is_sure = first.pattern.matches(path) == Match::Yes
            && !first.pattern.is_open()
            && !first.is_doubtful;
        is_sure.then(|| first.pattern.text().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A worker that has been asked for these paths.
    fn learned(routes: &[(&str, &str)]) -> Routes {
        let known = Routes::default();
        for (route, path) in routes {
            known.note(route, path);
        }
        known.to_ask.set(0);
        known
    }

    #[track_caller]
    fn assert_guesses(routes: &[(&str, &str)], cases: &[(&str, Option<&str>)]) {
        let routes = learned(routes);
        for (path, expected) in cases {
            assert_eq!(routes.of(path, None).as_deref(), *expected, "{path}");
        }
    }

    #[test]
    fn path_is_of_the_route_that_goes_before_all_others() {
        assert_guesses(
            &[
                ("/orders/{id}", "/orders/1"),
                ("/orders/new", "/orders/new"),
                ("/a/{x}/c", "/a/1/c"),
                ("/a/b/{y}", "/a/b/1"),
                ("/{tail}*", "/elsewhere"),
            ],
            &[
                ("/orders/7", Some("/orders/{id}")),
                ("/orders/new", Some("/orders/new")),
                ("/a/1/c", Some("/a/{x}/c")),
                // Nobody knows which of the two is registered first.
                ("/a/b/c", None),
                ("/unknown", None),
            ],
        );
    }

    #[test]
    fn route_of_all_paths_is_no_guess() {
        let files = [("/files/{tail}*", "/files/a"), ("/{page}", "/about")];
        assert_guesses(
            &files,
            &[("/files/private/7", None), ("/home", Some("/{page}"))],
        );
    }

    #[test]
    fn patterns_that_are_not_understood_are_no_guess_and_leave_none() {
        assert_guesses(
            &[
                (r"/a/{id:\d+}", "/a/7"),
                ("/a/{name}", "/a/x"),
                ("/b-{x}/y", "/b-1/y"),
            ],
            &[("/a/8", None), ("/a/z", None), ("/b-2/y", None)],
        );
    }

    #[test]
    fn nested_scopes_may_repeat_names_and_have_many_parameters() {
        let deep: String = (0..20).map(|i| format!("/{{p{i}}}")).collect();
        let path = "/1".repeat(20);
        assert_guesses(
            &[("/{id}/items/{id}", "/1/items/2"), (&deep, &path)],
            &[
                ("/7/items/8", Some("/{id}/items/{id}")),
                (&"/2".repeat(20), Some(&deep)),
            ],
        );
    }

    #[test]
    fn route_that_another_one_answered_for_is_not_used_again() {
        let routes = learned(&[("/{page}", "/orders")]);
        assert_eq!(routes.of("/about", None).as_deref(), Some("/{page}"));
        routes.compare("/{page}", Some("/{page}"));
        assert!(routes.of("/about", None).is_some());
        routes.compare("/{page}", Some("/orders"));
        assert_eq!(routes.of("/about", None), None);
        assert_eq!(routes.of("/orders", Some("/{page}")), None);
    }

    #[test]
    fn missed_route_has_the_worker_ask_again() {
        let routes = learned(&[("/orders/{id}", "/orders/1")]);
        assert!(routes.of("/orders/7", None).is_some());
        assert_eq!(routes.to_ask.get(), 0);
        assert!(routes.of("/carts/7", None).is_none());
        assert_eq!(routes.to_ask.get(), ASKED);
    }
}
