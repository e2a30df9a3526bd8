//! The URL of a request that is over or has its response: what of it is private is known now.

use crate::recorder::{LockedSpan, RoutePrivacy};
use crate::semconv::keys::ROUTE;

/// Has a request's span hide what is private in its URL. The handler has said so if it has run; otherwise, earlier requests of its route
/// have. `status` is that of the response, if there is one.
///
/// A handler without `#[traced_handler]` says nothing. It has run if the response is a success.
#[inline]
pub(super) fn hide_url(
    span: &mut LockedSpan<'_>,
    routes: &RoutePrivacy,
    method: &str,
    status: Option<u16>,
) {
    let has_run = span.is_claimed() || status.is_some_and(|status| status < 300);
    if !has_run || routes.wants(span.private_url()) {
        hide_or_note(span, routes, method, has_run);
    }
}

#[inline(never)]
fn hide_or_note(span: &mut LockedSpan<'_>, routes: &RoutePrivacy, method: &str, has_run: bool) {
    // Without a route there is no handler.
    let Some(route) = span.text(&ROUTE) else {
        return;
    };
    if has_run {
        routes.note(method, &route, span.private_url());
    } else {
        for url in routes.of(method, &route) {
            span.hide_url(url);
        }
    }
}
