//! The URL of a request that is over or has its response: what of it is private is known now.

use crate::attribute::PrivateUrl;
use crate::recorder::{LockedSpan, RoutePrivacy};
use crate::semconv::keys::ROUTE;

/// What is hidden while it is not known what is private.
const ALL: PrivateUrl = PrivateUrl {
    path: true,
    query: true,
    parameters: &[],
};

/// Has a request's span hide what is private in its URL. The handler has said so if it has run; otherwise, earlier requests of its route
/// have. `status` is that of the response, if there is one.
#[inline]
pub(super) fn hide_url(
    span: &mut LockedSpan<'_>,
    routes: &RoutePrivacy,
    method: &str,
    status: Option<u16>,
) {
    if !span.is_claimed() {
        hide_unclaimed(span, routes, method, status);
    } else if routes.wants(span.private_url())
        && let Some(route) = span.text(&ROUTE)
    {
        routes.note(method, &route, span.private_url());
    }
}

/// The same where no handler has said something: none has run, or one without `#[traced_handler]`. That has run if the response is a
/// success, unless a middleware has answered in its place, as those of CORS do to each `OPTIONS`.
fn hide_unclaimed(
    span: &mut LockedSpan<'_>,
    routes: &RoutePrivacy,
    method: &str,
    status: Option<u16>,
) {
    let seems_run = method != "OPTIONS" && status.is_some_and(|status| status < 300);
    if seems_run && !routes.wants(&[]) && !routes.has_private() {
        return;
    }
    // Without a route there is no handler.
    let Some(route) = span.text(&ROUTE) else {
        return;
    };
    if seems_run {
        routes.note(method, &route, &[]);
    }
    match routes.of(method, &route) {
        Some(private) => private.into_iter().for_each(|url| span.hide_url(url)),
        None if seems_run => {}
        None => {
            span.hide_url(ALL);
            if method != "OPTIONS" {
                routes.note_next();
            }
        }
    }
}

/// Has a request's span hide its URL, since its route is in doubt. Unless a handler has said what is private.
pub(super) fn hide_doubtful(span: &mut LockedSpan<'_>) {
    if !span.is_claimed() {
        span.hide_url(ALL);
    }
}
