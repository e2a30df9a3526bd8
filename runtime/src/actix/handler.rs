//! What an annotated handler does: it claims its request's SERVER span, or opens a span of its own.

use actix_web::HttpRequest;
use opentelemetry::baggage::Baggage;

use super::route::{method_in_name, set_route};
use super::server::{self, Origin};
use super::trust::Client;
use crate::__private::{AnyTags, Head, NoRequest, Recording, RequestSource, open, record};
use crate::attribute::Tags;
use crate::diag;
use crate::recorder::{
    ActiveSpan, BodySpan, Claim, Current, FUNCTION, LocalSpan, Site, Started, Under, recorder,
};

/// The request among a handler's arguments, if it has one.
pub trait HandlerRequest: RequestSource {
    #[doc(hidden)]
    fn get(&self) -> Option<&HttpRequest>;
}

impl HandlerRequest for NoRequest {
    fn get(&self) -> Option<&HttpRequest> {
        None
    }
}

impl HandlerRequest for &HttpRequest {
    fn get(&self) -> Option<&HttpRequest> {
        Some(self)
    }
}

/// The span of `#[traced_handler]`: the request's SERVER span for the first handler that asks for it, else a child of it.
/// Where there is no SERVER span, the handler has to make do with what it has.
pub fn handler<R: HandlerRequest>(
    site: &'static Site,
    request: R,
    tags: impl Fn(&mut Tags, &Head<'_>),
) -> BodySpan {
    claim(site, &request, &tags)
}

/// The span of `#[traced_handler(child)]`.
pub fn child_handler<R: HandlerRequest>(
    site: &'static Site,
    request: R,
    tags: impl Fn(&mut Tags, &Head<'_>),
) -> BodySpan {
    open_child(site, &request, &tags)
}

fn claim(site: &'static Site, request: &dyn HandlerRequest, tags: &AnyTags<'_>) -> BodySpan {
    let around = Current::get();
    let claim = match &around {
        Current::Local(span) => span.claim(),
        Current::Silent => return BodySpan(Under::Nothing),
        Current::Foreign(_) | Current::Nothing => Claim::NoRequest,
    };
    match claim {
        Claim::Granted(server) => {
            let baggage = tag_handler(site, &server, request, tags);
            BodySpan(Under::around(server, baggage))
        }
        Claim::Taken => open_child(site, request, tags),
        Claim::NoRequest => stand_alone(site, request, tags, around),
    }
}

fn open_child(site: &'static Site, request: &dyn HandlerRequest, tags: &AnyTags<'_>) -> BodySpan {
    open(site, request, &with_function(site, tags))
}

/// Tags a SERVER span for the handler that serves its request. Returns the baggage for its body, if some of them travel.
fn tag_handler(
    site: &'static Site,
    server: &LocalSpan,
    request: &dyn HandlerRequest,
    tags: &AnyTags<'_>,
) -> Option<Baggage> {
    note_route(request, server);
    let tags = with_function(site, tags);
    record(server, &request.head(&Recording(server)), &tags)
}

/// The handler's name beside its tags.
fn with_function(site: &'static Site, tags: &AnyTags<'_>) -> impl Fn(&mut Tags, &Head<'_>) {
    |set, head| {
        set.set(FUNCTION, site.function);
        tags(set, head);
    }
}

/// A handler whose `App` is not wrapped in `RequestTracing`: a SERVER span if it has the request, else an internal one.
fn stand_alone(
    site: &'static Site,
    request: &dyn HandlerRequest,
    tags: &AnyTags<'_>,
    around: Current,
) -> BodySpan {
    let Some(http) = request.get() else {
        let span = open_child(site, request, tags);
        if span.0.span().is_some() {
            warn_once(site);
        }
        return span;
    };
    let Some(recorder) = recorder() else {
        return BodySpan(Under::Nothing);
    };
    let is_trusted = || Client::of_peer(http.peer_addr()).is_private();
    let caller = server::inbound(&recorder, http, is_trusted);
    let origin = Origin {
        via: None,
        has_client: false,
        has_query: true,
        readable: None,
    };
    let server = match server::start(&recorder, http, &origin, &caller, around) {
        Started::Recording(server) => server,
        Started::Dropped(context) => return BodySpan(caller.silent(context, recorder)),
    };
    warn_once(site);
    let mut active = ActiveSpan::new(server);
    active.span().claim();
    if let Some(baggage) = tag_handler(site, active.span(), request, tags) {
        active.carry(baggage);
    }
    BodySpan(Under::Span(active))
}

/// Records the route now, since a request that is cancelled or panics has no response to tell it.
fn note_route(request: &dyn HandlerRequest, server: &LocalSpan) {
    if let Some(http) = request.get()
        && let Some(route) = http.match_pattern()
    {
        let method = method_in_name(server.recorder(), http.method());
        server.turn(|span| set_route(span, method, &route));
    }
}

fn warn_once(site: &Site) {
    static ONCE: diag::Once = diag::Once::new();
    ONCE.warn(format_args!(
        "{} is a traced handler, but no `RequestTracing` is around it: its span has neither status nor the end of the body. \
         Add `.wrap(biztrace::actix::RequestTracing::default())` to the App.",
        site.function
    ));
}
