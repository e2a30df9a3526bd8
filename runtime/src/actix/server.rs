//! The SERVER span of a request: what it is named and tagged with (HTTP semantic conventions, "HTTP server").

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderName;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanContext, SpanKind};
use opentelemetry::{Context, ContextGuard};

use super::forwarded::Via;
use super::head::{self, Headers, cut};
use super::host;
use super::route::method_in_name;
use super::trust::Client;
use crate::attribute::{Display, Key, Tags};
use crate::propagation::ParentDecision;
use crate::recorder::{Current, Head, Recorder, Sampled, Start, Started, Turn, Under};
use crate::semconv::{self, KnownMethods};

const METHOD: Key<'_> = Key::new("http.request.method");
const METHOD_ORIGINAL: Key<'_> = Key::new("http.request.method_original");
pub(super) const PATH: Key<'_> = Key::new("url.path");
const QUERY: Key<'_> = Key::new("url.query");
const CLIENT_ADDRESS: Key<'_> = Key::new("client.address");
const PEER_ADDRESS: Key<'_> = Key::new("network.peer.address");
const PEER_PORT: Key<'_> = Key::new("network.peer.port");
const USER_AGENT: Key<'_> = Key::new("user_agent.original");
const STATUS_CODE: Key<'_> = Key::new("http.response.status_code");

/// The caller of a request, as its headers name it. What else it sends is current as long as this lives.
pub(super) struct Caller {
    span: Option<SpanContext>,
    decision: ParentDecision,
    is_trusted: bool,
    /// With what else it sends.
    context: Option<ContextGuard>,
}

impl Caller {
    /// Its span, if a trace is taken over from it.
    pub(super) fn parent(&self) -> Option<&SpanContext> {
        self.span.as_ref().filter(|_| self.is_trusted)
    }

    /// What its request runs under that is not recorded, whose span would have had that context: what it sends is passed on.
    pub(super) fn silent(&self, span: SpanContext, recorder: Arc<Recorder>) -> Under {
        if !span.is_valid() && self.context.is_some() {
            Under::silent_here(recorder)
        } else {
            Under::silent(span, Some(recorder))
        }
    }
}

/// Reads what a request brings: its caller's span, and what else there is, which is made current for its own span to be made
/// over it. Of a caller that is not trusted the span alone counts, as something to link to.
pub(super) fn inbound(
    recorder: &Recorder,
    request: &HttpRequest,
    is_trusted: impl FnOnce() -> bool,
) -> Caller {
    let headers = Headers(request.headers());
    let mut inbound = recorder.propagators().extract(&headers);
    let span = inbound.caller.take();
    let has_more = inbound.has_more();
    let decision = inbound.decision;
    let is_trusted = (span.is_some() || decision != ParentDecision::FromFlags || has_more) && is_trusted();
    let context =
        (has_more && is_trusted).then(|| Context::map_current(|cx| inbound.over(cx)).attach());
    Caller {
        span,
        decision: match is_trusted {
            true => decision,
            false => ParentDecision::FromFlags,
        },
        is_trusted,
        context,
    }
}

/// What is told of a request's origin beside the request itself, and what of its head is kept for tags.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'r> {
    pub(super) via: Option<Via<'r>>,
    /// Whether the client's address is recorded.
    pub(super) has_client: bool,
    /// Whether the query is.
    pub(super) has_query: bool,
    /// The headers that tags may read after routing, if not all.
    pub(super) readable: Option<&'r [HeaderName]>,
}

/// Starts the SERVER span of a request: below the caller's span if there is one that is trusted, else below `around`. Nothing is read
/// of a request that the sampler drops.
pub(super) fn start(
    recorder: &Arc<Recorder>,
    request: &HttpRequest,
    origin: &Origin<'_>,
    caller: &Caller,
    around: Current,
) -> Started {
    let name = method_in_name(recorder, request.method());
    let around = match around {
        Current::Local(span) if span.is_of(recorder) && caller.parent().is_none() => {
            return describe(recorder, request, name, origin, caller, |start| {
                span.start_child(start)
            });
        }
        Current::Local(span) => Some(span.context()),
        Current::Foreign(span) => Some(span),
        Current::Silent | Current::Nothing => None,
    };
    let parent = caller.parent().or(around.as_ref());
    match recorder.sample(parent, caller.decision, name) {
        Sampled::Record(new) => describe(recorder, request, name, origin, caller, |start| {
            recorder.record(new, start)
        }),
        Sampled::Drop(context) => Started::Dropped(context),
    }
}

/// Describes the span of a request, for `record` to record it.
fn describe(
    recorder: &Recorder,
    request: &HttpRequest,
    name: &str,
    origin: &Origin<'_>,
    caller: &Caller,
    record: impl FnOnce(Start<'_>) -> Started,
) -> Started {
    let methods = recorder.known_methods();
    let tags = |tags: &mut Tags| tag_request(request, methods, origin, tags);
    let copy = |head: &mut Head| head::copy(request, origin.readable, head);
    let started = record(Start {
        tags: Some(&tags),
        head: Some(&copy),
        ..Start::now(name, SpanKind::Server)
    });
    if !caller.is_trusted
        && let (Some(caller), Started::Recording(span)) = (&caller.span, &started)
    {
        span.add_link(caller, &[], 0);
    }
    started
}

fn tag_request(
    request: &HttpRequest,
    methods: &KnownMethods,
    origin: &Origin<'_>,
    tags: &mut Tags,
) {
    let (method, original) = methods.in_attributes(request.method().as_str());
    tags.set(METHOD, method);
    tags.set(METHOD_ORIGINAL, &original.map(cut));
    tags.set(PATH, cut(request.path()));
    let query = request.query_string();
    if !query.is_empty() && origin.has_query {
        tags.set(QUERY, cut(&semconv::query(query)));
    }
    host::tag(request, origin.via.as_ref(), tags);
    if origin.has_client {
        tag_client(request, origin, tags);
    }
    let user_agent = request
        .headers()
        .get(&head::USER_AGENT)
        .and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
    tags.set(USER_AGENT, &user_agent.map(cut));
}

/// Tags a request with what travels under these keys.
pub(super) fn tag_baggage(keys: &[String], tags: &mut Tags) {
    Context::map_current(|cx| {
        for key in keys {
            let value = cx.baggage().get(key);
            tags.set(key, &value.map(|value| cut(value.as_str())));
        }
    });
}

/// Records where the request comes from: from the client, and from the other end of the connection.
fn tag_client(request: &HttpRequest, origin: &Origin<'_>, tags: &mut Tags) {
    let peer = request.peer_addr();
    let client = match origin.via {
        Some(via) => via.client,
        None => Client::of_peer(peer),
    };
    if let Client::At(ip) = client {
        tags.set(CLIENT_ADDRESS, &Display(&ip));
    }
    if let Some(peer) = peer {
        tags.set(PEER_ADDRESS, &Display(&peer.ip().to_canonical()));
        tags.set(PEER_PORT, &peer.port());
    }
}

/// Records the response. A 4xx is the client's mistake, a 5xx an error of this server's.
pub(super) fn set_status(span: &mut Turn<'_>, status: StatusCode) {
    span.tag(|tags| tags.set(STATUS_CODE, &status.as_u16()));
    if status.is_server_error() {
        span.fail(status.as_str());
    } else if status.is_client_error() {
        span.forget_exception();
    }
}
