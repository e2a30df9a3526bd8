//! The route of a request: an attribute of its SERVER span, and a part of the span's name.

use crate::recorder::{LocalSpan, LockedSpan, Recorder};
use crate::semconv::keys::ROUTE;

/// The route of a request, as far as the server knows.
pub(crate) enum RouteGuess {
    /// No route has such a path.
    Nowhere,
    /// Other things than the path decide.
    Doubtful,
    Route(String),
}

impl RouteGuess {
    /// The route, if it is not in doubt.
    pub(super) fn route(self) -> Option<String> {
        match self {
            Self::Route(route) => Some(route),
            Self::Nowhere | Self::Doubtful => None,
        }
    }
}

/// Records the route of a request that its handler knows, unless the application has set it itself.
pub(crate) fn note_route(server: &LocalSpan, method: &str, route: &str) {
    let method = method_in_name(server.recorder(), method);
    server.with_locked(|span| {
        if !has_route(span) {
            set_route(span, method, route);
        }
    });
}

/// Whether the application has set the route itself.
pub(super) fn has_route(span: &mut LockedSpan<'_>) -> bool {
    span.has(&ROUTE)
}

/// Records where the request went. The span is named after it, unless it is no longer called `method`: then the application has
/// given it a name of its own.
pub(super) fn set_route(span: &mut LockedSpan<'_>, method: &str, route: &str) {
    // The App's own root has no name in a scope without one.
    let route = if route.is_empty() { "/" } else { route };
    span.set(ROUTE, route);
    span.extend_name(method, route);
}

/// What a span is called after the request's method.
pub(super) fn method_in_name<'m>(recorder: &Recorder, method: &'m str) -> &'m str {
    recorder.known_methods().in_name(method)
}
