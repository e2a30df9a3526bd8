//! One request, from its head to the end of its response's body.
//!
//! It moves from the future to the body of the response, and ends once: with the outcome that it is told, or as unfinished work when
//! it is dropped. Sampled or not, the span and the observer learn of it here and nowhere else.

use std::sync::Arc;
use std::time::Instant;

use actix_web::dev::ServiceResponse;
use actix_web::http::{Method, StatusCode};
use actix_web::{Error, HttpRequest};
use opentelemetry::trace::SpanContext;

use super::route::{Routes, has_route, method_in_name, set_route};
use super::server::{self, PATH};
use crate::recorder::{Enter, Entered, ObservedRequest, Observer, Outcome, Recorder, Under};

#[derive(Debug)]
pub(super) struct Exchange {
    under: Under,
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
    method: Method,
    path: Box<str>,
    route: Option<Box<str>>,
    status: Option<StatusCode>,
    span: Option<SpanContext>,
}

impl Exchange {
    /// A request that runs under `under`.
    pub(super) fn new(under: Under) -> Self {
        Self {
            under,
            outcome: Outcome::Ok,
            observed: None,
        }
    }

    /// Tells the observer of `recorder`, if there is one, that the request begins.
    #[inline]
    pub(super) fn observe(&mut self, recorder: &Arc<Recorder>, request: &HttpRequest) {
        if let Some(observer) = recorder.observer() {
            let span = self.under.context();
            self.observed = Some(Observed::begin(observer, recorder, request, span));
        }
    }

    /// Of a request that is not traced, or is over.
    pub(super) fn over() -> Self {
        Self::new(Under::Nothing)
    }

    /// Whether a span or an observer is to be told of its route.
    #[inline]
    pub(super) fn wants_route(&self) -> bool {
        self.under.span().is_some() || self.observed.is_some()
    }

    pub(super) fn under(&mut self) -> &mut Under {
        &mut self.under
    }

    /// Records the response's head; the request goes on with the body.
    pub(super) fn answered(&mut self, method: &Method, response: &ServiceResponse<()>) {
        self.outcome = outcome(response.status());
        if let Some(span) = self.under.span() {
            let method = method_in_name(span.recorder(), method);
            span.turn(|span| {
                if !has_route(span) {
                    // actix-web's look-up runs none of the application's code, so it may run under the lock.
                    if let Some(route) = response.request().match_pattern() {
                        set_route(span, method, &route);
                    }
                }
                server::set_status(span, response.status());
            });
        }
        if let Some(observed) = &mut self.observed {
            observed.route = response.request().match_pattern().map(Into::into);
            observed.status = Some(response.status());
        }
    }

    /// Ends it: a middleware has failed. actix answers with the error's response, and nobody sees the request again.
    pub(super) fn failed(&mut self, error: &Error) {
        let status = error.as_response_error().status_code();
        if let Some(span) = self.under.span() {
            span.turn(|span| server::set_status(span, status));
        }
        if let Some(observed) = &mut self.observed {
            observed.status = Some(status);
        }
        self.finish(outcome(status));
    }

    /// Records the route of a request that ends without a response, unless the application has: `asked` if the request was asked
    /// before it was routed, else what the worker has learned of its path.
    pub(super) fn guess_route(&mut self, method: &Method, routes: &Routes, asked: Option<&str>) {
        let span = self.under.span();
        let of_span = span.and_then(|span| {
            span.turn(|span| (!has_route(span)).then(|| span.text(&PATH)).flatten())
                .flatten()
        });
        let of_observed = self.observed.as_ref().map(|observed| &*observed.path);
        let Some(path) = of_observed.or(of_span.as_deref()) else {
            return;
        };
        let Some(route) = asked.map(Into::into).or_else(|| routes.of(path)) else {
            return;
        };
        if let (Some(span), Some(_)) = (span, &of_span) {
            let method = method_in_name(span.recorder(), method);
            span.turn(|span| set_route(span, method, &route));
        }
        if let Some(observed) = &mut self.observed {
            observed.route = Some(route.into());
        }
    }

    /// Ends it: the whole response has been taken.
    pub(super) fn complete(&mut self) {
        self.finish(self.outcome);
    }

    /// Ends it. From then on there is nothing to run under.
    pub(super) fn finish(&mut self, outcome: Outcome) {
        self.under.end(outcome);
        if let Some(observed) = self.observed.take() {
            observed.end(outcome);
        }
    }
}

impl Enter for Exchange {
    #[inline]
    fn enter(&mut self) -> Option<Entered<'_>> {
        self.under.enter()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(observed) = self.observed.take() {
            observed.end(self.under.unfinished());
        }
    }
}

impl Observed {
    #[cold]
    fn begin(
        observer: &Arc<dyn Observer>,
        recorder: &Arc<Recorder>,
        request: &HttpRequest,
        span: Option<SpanContext>,
    ) -> Box<Self> {
        let method = request.method();
        observer.request_began(recorder.known_methods().in_attributes(method.as_str()).0);
        Box::new(Self {
            observer: Arc::clone(observer),
            recorder: Arc::clone(recorder),
            began: Instant::now(),
            method: method.clone(),
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
            method: methods.in_attributes(self.method.as_str()).0,
            route: self.route.as_deref(),
            status: self.status.map(|status| status.as_u16()),
            outcome,
            duration: self.began.elapsed(),
            span: self.span.as_ref(),
        });
    }
}

/// What a response says of its request.
fn outcome(status: StatusCode) -> Outcome {
    match status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => Outcome::TimedOut,
        _ if status.is_client_error() => Outcome::ClientError,
        _ if status.is_server_error() => Outcome::ServerError,
        _ => Outcome::Ok,
    }
}

#[cfg(test)]
mod tests;
