//! What an annotated handler does: it claims its request's SERVER span, or opens a span of its own.

use opentelemetry::baggage::Baggage;

use super::annotated::{FunctionTags, open, record};
use super::current::Current;
use super::instrument::BodySpan;
use super::local::{Claim, LocalSpan};
use super::request_reader::{NoRequest, Recording, RequestReader, RequestSource};
use super::run_scope::RunScope;
use super::site::Site;
use crate::attribute::Tags;
use crate::diag;
use crate::semconv::keys::FUNCTION;

/// The request among a handler's arguments, if it has one.
pub trait HandlerRequest: RequestSource {
    /// Records the request's route now, since a request that is cancelled or panics has no response to tell it.
    #[doc(hidden)]
    fn note_route(&self, server: &Recording<'_>);

    /// Starts the SERVER span of a request that no middleware has begun. `None` if no argument is a request.
    #[doc(hidden)]
    fn begin(&self) -> Option<BodySpan>;
}

impl HandlerRequest for NoRequest {
    fn note_route(&self, _: &Recording<'_>) {}

    fn begin(&self) -> Option<BodySpan> {
        None
    }
}

/// The span of `#[traced_handler]`: the request's SERVER span for the first handler that asks for it, else a child of it.
/// Where there is no SERVER span, the handler has to make do with what it has.
pub fn handler<R: HandlerRequest>(
    site: &'static Site,
    request: R,
    tags: impl Fn(&mut Tags, &RequestReader<'_>),
) -> BodySpan {
    claim(site, &request, &tags)
}

/// The span of `#[traced_handler(child)]`.
pub fn child_handler<R: HandlerRequest>(
    site: &'static Site,
    request: R,
    tags: impl Fn(&mut Tags, &RequestReader<'_>),
) -> BodySpan {
    open_child(site, &request, &tags)
}

fn claim(site: &'static Site, request: &dyn HandlerRequest, tags: &dyn FunctionTags) -> BodySpan {
    let claim = match Current::get() {
        Current::Local(span) => span.claim(),
        Current::Silent => return BodySpan(RunScope::Nothing),
        Current::Foreign(_) | Current::Nothing => Claim::NoRequest,
    };
    match claim {
        Claim::Granted(server) => {
            let baggage = tag_handler(site, &server, request, tags);
            BodySpan(RunScope::around(server, baggage))
        }
        Claim::Taken => open_child(site, request, tags),
        Claim::NoRequest => stand_alone(site, request, tags),
    }
}

fn open_child(
    site: &'static Site,
    request: &dyn HandlerRequest,
    tags: &dyn FunctionTags,
) -> BodySpan {
    open(site, request, &with_function(site, tags))
}

/// Tags a SERVER span for the handler that serves its request. Returns the baggage for its body, if some of them travel.
fn tag_handler(
    site: &'static Site,
    server: &LocalSpan,
    request: &dyn HandlerRequest,
    tags: &dyn FunctionTags,
) -> Option<Baggage> {
    let server = Recording(server);
    request.note_route(&server);
    let tags = with_function(site, tags);
    record(server.0, &server, &request.head(&server), &tags)
}

/// The handler's name beside its tags.
fn with_function(
    site: &'static Site,
    tags: &dyn FunctionTags,
) -> impl Fn(&mut Tags, &RequestReader<'_>) {
    |set, request| {
        set.set(FUNCTION, site.function);
        tags.set(set, request);
    }
}

/// A handler without a middleware around it: a SERVER span if it has the request, else an internal one.
fn stand_alone(
    site: &'static Site,
    request: &dyn HandlerRequest,
    tags: &dyn FunctionTags,
) -> BodySpan {
    let Some(mut span) = request.begin() else {
        let span = open_child(site, request, tags);
        if span.0.span().is_some() {
            warn_once(site);
        }
        return span;
    };
    if let RunScope::Span(active) = &mut span.0 {
        warn_once(site);
        active.span().claim();
        if let Some(baggage) = tag_handler(site, active.span(), request, tags) {
            active.carry(baggage);
        }
    }
    span
}

fn warn_once(site: &Site) {
    static ONCE: diag::Once = diag::Once::new();
    ONCE.warn(format_args!(
        "{} is a traced handler, but no `RequestTracing` is around it: its span has neither status nor the end of the body. \
         Add `.wrap(biztrace::actix::RequestTracing::default())` to the App.",
        site.function
    ));
}
