//! The SERVER span of a request: what it is named and tagged with (HTTP semantic conventions, "HTTP server").

use std::sync::Arc;

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanContext, SpanKind};
use opentelemetry::{Context, ContextGuard};

use super::client::Client;
use super::header_lines::{HeaderCarrier, HeaderLines as _};
use super::host;
use super::proxies::Proxies;
use super::request_head::{IncomingRequest, RequestHead, cut};
use super::route::method_in_name;
use super::sampled_head::SampledHead;
use super::tenant;
use crate::attribute::{Display, PrivateUrl, Tags};
use crate::propagation::ParentDecision;
use crate::recorder::{
    ActiveSpan, Current, HeadCopy, LockedSpan, Recorder, RunScope, Sampled, Start, Started,
    recorder,
};
use crate::semconv::Side;
use crate::semconv::keys::{
    CLIENT_ADDRESS, METHOD, METHOD_ORIGINAL, PATH, PEER_ADDRESS, PEER_PORT, QUERY, STATUS_CODE,
    USER_AGENT,
};

/// The caller of a request, as its headers name it. What else it sends is current as long as this lives.
pub(super) struct Caller {
    span: Option<SpanContext>,
    decision: ParentDecision,
    is_trusted: bool,
    /// With what else it sends.
    context: Option<ContextGuard>,
}

impl Caller {
    /// Reads what a request brings: its caller's span, and what else there is, which is made current for its own span to be made
    /// over it. Of a caller that is not trusted the span alone counts, as something to link to.
    pub(super) fn read(
        recorder: &Recorder,
        request: &impl RequestHead,
        is_trusted: impl FnOnce() -> bool,
    ) -> Self {
        let headers = HeaderCarrier(request.headers());
        let mut inbound = recorder.propagators().extract(&headers);
        let span = inbound.caller.take();
        let has_more = inbound.has_more();
        let decision = inbound.decision;
        let is_there = span.is_some()
            || decision != ParentDecision::FromFlags
            || has_more
            || (recorder.tenants()).is_some_and(|tenants| tenant::needs_trust(tenants, request));
        let is_trusted = is_there && is_trusted();
        let context = if has_more && is_trusted {
            Some(Context::map_current(|cx| inbound.over(cx)).attach())
        } else {
            None
        };
        Self {
            span,
            decision: match is_trusted {
                true => decision,
                false => ParentDecision::FromFlags,
            },
            is_trusted,
            context,
        }
    }

    /// Its span, if a trace is taken over from it.
    pub(super) fn parent(&self) -> Option<&SpanContext> {
        self.span.as_ref().filter(|_| self.is_trusted)
    }

    /// What its request runs under that is not recorded, whose span would have had that context: what it sends is passed on.
    pub(super) fn silent(&self, span: SpanContext, recorder: Arc<Recorder>) -> RunScope {
        if !span.is_valid() && self.context.is_some() {
            RunScope::silent_here(recorder)
        } else {
            RunScope::silent(span, Some(recorder))
        }
    }
}

/// Starts the SERVER span of a request that no middleware has begun, below what is current.
pub(crate) fn start_alone(request: &impl RequestHead) -> RunScope {
    let Some(recorder) = recorder() else {
        return RunScope::Nothing;
    };
    let caller = Caller::read(&recorder, request, || {
        Proxies::default().is_private_throughout(request.peer(), None, request.headers())
    });
    let request = IncomingRequest {
        head: request,
        forwarded: None,
        has_client: false,
        has_path: true,
        has_query: true,
        readable: None,
        tenant: None,
    };
    start(&recorder, &request, &caller, Current::get())
}

/// Starts the SERVER span of a request: below the caller's span if there is one that is trusted, else below `around`. Nothing is read
/// of a request that the sampler drops.
pub(super) fn start<R: RequestHead>(
    recorder: &Arc<Recorder>,
    request: &IncomingRequest<'_, R>,
    caller: &Caller,
    around: Current,
) -> RunScope {
    match start_span(recorder, request, caller, around) {
        Started::Recording(span) => RunScope::Span(ActiveSpan::new(span)),
        Started::Dropped(context) => caller.silent(context, Arc::clone(recorder)),
    }
}

fn start_span<R: RequestHead>(
    recorder: &Arc<Recorder>,
    request: &IncomingRequest<'_, R>,
    caller: &Caller,
    around: Current,
) -> Started {
    let name = method_in_name(recorder, request.head.method());
    let around = match around {
        Current::Local(span) if span.is_of(recorder) && caller.parent().is_none() => {
            return describe(recorder, request, name, caller, |start| {
                span.start_child(start)
            });
        }
        Current::Local(span) => Some(span.context()),
        Current::Foreign(span) => Some(span),
        Current::Silent | Current::Nothing => None,
    };
    let parent = caller.parent().or(around.as_ref());
    let head = SampledHead {
        request,
        recorder,
        is_trusted: caller.is_trusted,
    };
    match recorder.sample(
        parent,
        caller.decision,
        name,
        &SpanKind::Server,
        Some(&head),
    ) {
        Sampled::Record(new) => describe(recorder, request, name, caller, |start| {
            recorder.record(new, start)
        }),
        Sampled::Drop(context) => Started::Dropped(context),
    }
}

/// Describes the span of a request, for `record` to record it.
fn describe<R: RequestHead>(
    recorder: &Recorder,
    request: &IncomingRequest<'_, R>,
    name: &str,
    caller: &Caller,
    record: impl FnOnce(Start<'_>) -> Started,
) -> Started {
    let tags = |tags: &mut Tags| tag_request(recorder, request, tags);
    let copy = |head: &mut HeadCopy| request.copy(head);
    let started = record(Start {
        tags: Some(&tags),
        head: Some(&copy),
        ..Start::now(name, SpanKind::Server)
    });
    if !request.has_path
        && let Started::Recording(span) = &started
    {
        span.hide_url(PrivateUrl::PATH);
    }
    if !caller.is_trusted
        && let (Some(caller), Started::Recording(span)) = (&caller.span, &started)
    {
        span.link(caller);
    }
    started
}

fn tag_request<R: RequestHead>(
    recorder: &Recorder,
    request: &IncomingRequest<'_, R>,
    tags: &mut Tags,
) {
    let head = request.head;
    let (method, original) = recorder.known_methods().in_attributes(head.method());
    tags.set(METHOD, method);
    tags.set(METHOD_ORIGINAL, &original.map(cut));
    tags.set(PATH, cut(head.path()));
    let query = head.query();
    if !query.is_empty() && request.has_query {
        tags.set(QUERY, cut(&recorder.redaction().of(query)));
    }
    host::tag(head, request.forwarded.as_ref(), tags);
    if request.has_client {
        tag_client(request, tags);
    }
    let user_agent = head.headers().lines("user-agent").next();
    let user_agent = user_agent.and_then(|line| std::str::from_utf8(line).ok());
    tags.set(USER_AGENT, &user_agent.map(cut));
}

/// Tags a request with what travels under these keys.
pub(crate) fn tag_baggage(keys: &[String], tags: &mut Tags) {
    Context::map_current(|cx| {
        for key in keys {
            let value = cx.baggage().get(key);
            tags.set(key, &value.map(|value| cut(value.as_str())));
        }
    });
}

/// Records where the request comes from: from the client, and from the other end of the connection.
fn tag_client<R: RequestHead>(request: &IncomingRequest<'_, R>, tags: &mut Tags) {
    let peer = request.head.peer();
    let client = match &request.forwarded {
        Some(forwarded) => forwarded.client,
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
pub(super) fn set_status(span: &mut LockedSpan<'_>, status: u16) {
    span.set(STATUS_CODE, &status);
    match status {
        400..500 => span.forget_exception(),
        _ if Side::Server.is_error(status) => span.fail(&status.to_string()),
        _ => {}
    }
}
