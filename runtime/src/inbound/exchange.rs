//! One request, from its head to the end of its response's body.
//!
//! It moves from the future to the body of the response, and ends once: with the outcome that it is told, or as unfinished work when
//! it is dropped. Sampled or not, the span and the observer learn of it here and nowhere else.

use std::sync::Arc;
use std::time::Instant;

use opentelemetry::trace::SpanContext;

use super::request_head::{IncomingRequest, RequestHead};
use super::route::{RouteGuess, has_route, method_in_name, set_route};
use super::route_url::{hide_doubtful, hide_url};
use super::server_span::{self, Caller, set_status};
use crate::recorder::{Current, Enter, ObservedRequest, Observer, Recorder, RunScope, ScopeGuard};
use crate::semconv::keys::PATH;
use crate::semconv::{Outcome, Side};

#[derive(Debug)]
pub(crate) struct Exchange {
    scope: RunScope,
    /// What its response stands for, once the body is taken to its end.
    outcome: Outcome,
    observed: Option<Box<Observed>>,
}

/// What the observer is to be told when the request ends.
#[derive(Debug)]
struct Observed {
    observer: Arc<dyn Observer>,
    recorder: Arc<Recorder>,
    began: Instant,
    method: Box<str>,
    path: Box<str>,
    route: Option<String>,
    status: Option<u16>,
    span: Option<SpanContext>,
}

impl Exchange {
    /// Begins a request, unless the one that is current has begun it.
    pub(crate) fn begin<R: RequestHead>(
        recorder: Arc<Recorder>,
        request: &IncomingRequest<'_, R>,
        is_trusted: impl FnOnce() -> bool,
        is_skipped: impl FnOnce() -> bool,
    ) -> Self {
        let around = Current::get();
        match &around {
            // Another middleware of the same request, or one that records nothing: pass through.
            Current::Local(span) if span.is_of(&recorder) && span.in_request() => {
                return Self::over();
            }
            Current::Silent => return Self::over(),
            _ => {}
        }
        let caller = Caller::read(&recorder, request.head, is_trusted);
        if is_skipped() {
            return Self::new(caller.silent(recorder.skip(caller.parent()), recorder));
        }
        let scope = server_span::start(&recorder, request, &caller, around);
        let mut exchange = Self::new(scope);
        exchange.observe(&recorder, request.head);
        exchange
    }

    /// A request that runs under `scope`.
    fn new(scope: RunScope) -> Self {
        Self {
            scope,
            outcome: Outcome::Ok,
            observed: None,
        }
    }

    /// Tells the observer of `recorder`, if there is one, that the request begins.
    #[inline]
    fn observe(&mut self, recorder: &Arc<Recorder>, request: &impl RequestHead) {
        if let Some(observer) = recorder.observer() {
            let span = self.scope.context();
            self.observed = Some(Observed::begin(observer, recorder, request, span));
        }
    }

    /// Of a request that is not traced, or is over.
    pub(crate) fn over() -> Self {
        Self::new(RunScope::Nothing)
    }

    /// Whether a span or an observer is to be told of its route.
    #[inline]
    pub(crate) fn wants_route(&self) -> bool {
        self.scope.span().is_some() || self.observed.is_some()
    }

    pub(crate) fn scope(&mut self) -> &mut RunScope {
        &mut self.scope
    }

    /// Records the response's head; the request goes on with the body. `content_type` reads that header. `route` runs under a lock, so
    /// none of the application's code may run in it.
    pub(crate) fn answered<'r>(
        &mut self,
        method: &str,
        status: u16,
        content_type: impl FnOnce() -> Option<&'r [u8]>,
        route: impl Fn() -> RouteGuess,
    ) {
        self.outcome = Side::Server.outcome(status);
        if let Some(span) = self.scope.span() {
            let privacy = span.recorder().route_privacy();
            let method = method_in_name(span.recorder(), method);
            let now = span.now_if_counted(|| goes_on(status, content_type()));
            span.with_locked(|span| {
                if let Some(now) = now {
                    span.answer(now);
                }
                if !has_route(span) {
                    match route() {
                        RouteGuess::Route(route) => set_route(span, method, &route),
                        RouteGuess::Doubtful => hide_doubtful(span),
                        RouteGuess::Nowhere => {}
                    }
                }
                set_status(span, status);
                hide_url(span, privacy, method, Some(status));
            });
        }
        if let Some(observed) = &mut self.observed {
            observed.route = route().route();
            observed.status = Some(status);
        }
    }

    /// Ends it: a middleware has failed. The server answers with that status, and nobody sees the request again.
    pub(crate) fn failed(&mut self, status: u16) {
        if let Some(span) = self.scope.span() {
            span.with_locked(|span| set_status(span, status));
        }
        if let Some(observed) = &mut self.observed {
            observed.status = Some(status);
        }
        self.finish(Side::Server.outcome(status));
    }

    /// Records the route of a request that ends without a response: what `guess` makes of its path. Hides what is private in its URL.
    pub(crate) fn unanswered(&mut self, method: &str, guess: impl FnOnce(&str) -> RouteGuess) {
        let is_doubtful = self.guess_route(method, guess);
        if let Some(span) = self.scope.span() {
            let privacy = span.recorder().route_privacy();
            let method = method_in_name(span.recorder(), method);
            span.with_locked(|span| {
                if is_doubtful {
                    hide_doubtful(span);
                }
                hide_url(span, privacy, method, None);
            });
        }
    }

    /// Records the route of a request, unless the application has. Returns whether it stays in doubt.
    fn guess_route(&mut self, method: &str, guess: impl FnOnce(&str) -> RouteGuess) -> bool {
        let span = self.scope.span();
        let of_span = span.and_then(|span| {
            span.with_locked(|span| (!has_route(span)).then(|| span.text(&PATH)).flatten())
                .flatten()
        });
        let of_observed = self.observed.as_ref().map(|observed| &*observed.path);
        let Some(path) = of_observed.or(of_span.as_deref()) else {
            return false;
        };
        let limit = span.map(|span| span.recorder().limits().text_length());
        if limit.is_some_and(|limit| path.chars().count() >= limit) {
            // A part of a path is of another route.
            return true;
        }
        let route = match guess(path) {
            RouteGuess::Route(route) => route,
            RouteGuess::Doubtful => return true,
            RouteGuess::Nowhere => return false,
        };
        if let (Some(span), Some(_)) = (span, &of_span) {
            let method = method_in_name(span.recorder(), method);
            span.with_locked(|span| set_route(span, method, &route));
        }
        if let Some(observed) = &mut self.observed {
            observed.route = Some(route);
        }
        false
    }

    /// Ends it: the whole response has been taken.
    pub(crate) fn complete(&mut self) {
        self.finish(self.outcome);
    }

    /// Ends it. From then on there is nothing to run under.
    pub(crate) fn finish(&mut self, outcome: Outcome) {
        self.scope.end(outcome);
        if let Some(observed) = self.observed.take() {
            observed.end(outcome);
        }
    }
}

/// Whether a response goes on by design: with another protocol, or with events.
fn goes_on(status: u16, content_type: Option<&[u8]>) -> bool {
    let media_type = content_type.and_then(|it| it.split(|byte| *byte == b';').next());
    status == 101
        || media_type.is_some_and(|it| it.trim_ascii().eq_ignore_ascii_case(b"text/event-stream"))
}

impl Enter for Exchange {
    #[inline]
    fn enter(&mut self) -> Option<ScopeGuard<'_>> {
        self.scope.enter()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(observed) = self.observed.take() {
            observed.end(self.scope.unfinished());
        }
    }
}

impl Observed {
    #[cold]
    fn begin(
        observer: &Arc<dyn Observer>,
        recorder: &Arc<Recorder>,
        request: &impl RequestHead,
        span: Option<SpanContext>,
    ) -> Box<Self> {
        let method = request.method();
        observer.request_began(recorder.known_methods().in_attributes(method).0);
        Box::new(Self {
            observer: Arc::clone(observer),
            recorder: Arc::clone(recorder),
            began: Instant::now(),
            method: method.into(),
            path: request.path().into(),
            route: None,
            status: None,
            span,
        })
    }

    #[cold]
    fn end(&self, outcome: Outcome) {
        let methods = self.recorder.known_methods();
        self.observer.request_ended(&ObservedRequest {
            method: methods.in_attributes(&self.method).0,
            route: self.route.as_deref(),
            status: self.status,
            outcome,
            duration: self.began.elapsed(),
            span: self.span.as_ref(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::goes_on;

    #[test]
    fn responses_that_go_on_by_design_are_known() {
        for (status, content_type, expected) in [
            (101, None, true),
            (200, Some("text/event-stream"), true),
            (200, Some("Text/Event-Stream ; charset=utf-8"), true),
            (200, Some("text/event-streams"), false),
            (200, Some("text/plain; a=text/event-stream"), false),
            (200, Some(""), false),
            (200, None, false),
        ] {
            let header = content_type.map(str::as_bytes);
            assert_eq!(goes_on(status, header), expected, "{content_type:?}");
        }
    }
}
