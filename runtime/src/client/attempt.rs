//! One request on its way: its span, what the headers tell of it, and how it ends (HTTP semantic conventions, "HTTP client").

use std::borrow::Cow;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll, ready};

use opentelemetry::global;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::SpanKind;
use pin_project_lite::pin_project;

use super::ClientTracing;
use super::payload::{HeaderInjector, Payload};
use super::url::full_url;
use crate::attribute::{Key, Tags, truncate};
use crate::error::text;
use crate::recorder::{
    ActiveSpan, Current, Enter, Recorder, RunScope, ScopeGuard, Scoped, Start, Started,
};
use crate::semconv::keys::{
    METHOD, METHOD_ORIGINAL, PROTOCOL_VERSION, SERVER_ADDRESS, SERVER_PORT, STATUS_CODE,
};
use crate::semconv::{self, Outcome, Side};

const RESEND_COUNT: Key<'_> = Key::new("http.request.resend_count");
const URL: Key<'_> = Key::new("url.full");
const URL_TEMPLATE: Key<'_> = Key::new("url.template");

/// Longer methods and URLs are cut.
const METHOD_CHARS: usize = 1024;
const URL_CHARS: usize = 2048;

/// What is sent, as far as its span tells of it.
pub(super) struct OutgoingRequest<'r> {
    pub(super) method: &'r str,
    pub(super) url: &'r dyn Display,
    pub(super) scheme: &'r str,
    /// With the brackets of an IPv6 address, or without.
    pub(super) host: &'r str,
    /// If it is not that of the scheme.
    pub(super) port: Option<u16>,
}

/// Defines `RequestHeaders` over the `HeaderMap` that is in scope: clients have one each, as they have the crate http in one version or
/// another.
macro_rules! request_headers {
    () => {
        /// What does not fit into a header is left out.
        struct RequestHeaders<'h>(&'h mut HeaderMap);

        impl super::payload::HeaderInjector for RequestHeaders<'_> {
            fn remove(&mut self, name: &str) {
                self.0.remove(name);
            }
        }

        impl opentelemetry::propagation::Injector for RequestHeaders<'_> {
            fn set(&mut self, key: &str, value: String) {
                let name = HeaderName::from_bytes(key.as_bytes());
                let value = HeaderValue::from_maybe_shared(value.into_bytes());
                if let (Ok(name), Ok(value)) = (name, value) {
                    self.0.insert(name, value);
                }
            }
        }
    };
}
pub(super) use request_headers;

/// A request on its way, or its response's body.
#[derive(Debug)]
pub(super) struct Attempt {
    recorder: Option<Arc<Recorder>>,
    scope: RunScope,
    payload: Payload,
    until_body_end: bool,
    outcome: Outcome,
}

impl Attempt {
    /// Starts the span of a request below the current one.
    pub(super) fn start(tracing: &ClientTracing, request: &OutgoingRequest<'_>) -> Self {
        let (recorder, scope) = open(tracing, request);
        Self {
            payload: Payload::of(tracing, request.host, recorder.as_deref()),
            recorder,
            scope,
            until_body_end: tracing.until_body_end,
            outcome: Outcome::Ok,
        }
    }

    /// Writes the context of the span into the headers of the request.
    pub(super) fn inject(&mut self, headers: &mut impl HeaderInjector) {
        if Current::is_suppressed() {
            return;
        }
        let _entered = self.scope.enter();
        let mut inject = |propagator: &dyn TextMapPropagator| {
            self.payload.inject(propagator, headers);
        };
        match &self.recorder {
            Some(recorder) => inject(recorder.propagators()),
            None => global::get_text_map_propagator(inject),
        }
    }

    /// Runs `future`, which sends the request, under the span.
    pub(super) fn send<F: Future>(self, future: F) -> Sending<F> {
        Sending {
            scoped: Scoped::new(future, Some(self)),
        }
    }

    /// Records the response's head, with which the span ends unless it lasts until the body's end. Returns what the body
    /// belongs to.
    pub(super) fn answered(mut self, status: u16, version: Option<&'static str>) -> Self {
        if let Some(span) = self.scope.span() {
            span.tag(|tags| {
                tags.set(STATUS_CODE, &status);
                tags.set(PROTOCOL_VERSION, &version);
            });
            if Side::Client.is_error(status) {
                span.fail(&status.to_string());
            }
        }
        self.outcome = Side::Client.outcome(status);
        if !self.until_body_end {
            self.complete();
        }
        self
    }

    /// Whether the span lasts until the body's end.
    #[cfg(feature = "reqwest")]
    pub(super) fn lasts(&self) -> bool {
        self.scope.span().is_some()
    }

    /// Ends the span: the body has been read.
    pub(super) fn complete(&mut self) {
        self.scope.end(self.outcome);
    }

    /// Ends the span with an error of that type.
    pub(super) fn fail(&mut self, error_type: &'static str) {
        if error_type == TIMEOUT {
            if let Some(span) = self.scope.span() {
                span.fail(error_type);
            }
            self.scope.end(Outcome::TimedOut);
        } else {
            self.scope.end(Outcome::Failed(error_type));
        }
    }

    /// Runs `f`, which asks for more of the body, under the span.
    pub(super) fn within<R>(&mut self, f: impl FnOnce() -> R) -> R {
        let _entered = self.scope.enter();
        f()
    }
}

/// The type of the errors that say that there was no time left.
pub(super) const TIMEOUT: &str = "timeout";

/// Opens the span of a request. With it comes the recorder whose propagators are to be used.
fn open(
    tracing: &ClientTracing,
    request: &OutgoingRequest<'_>,
) -> (Option<Arc<Recorder>>, RunScope) {
    let around = Current::get();
    let recorder = match &around {
        Current::Local(parent) => Some(Arc::clone(parent.recorder())),
        Current::Silent => return (Current::recorder(), RunScope::Nothing),
        // The caller's span is one of another process, where the off switch passes it on.
        Current::Foreign(_) | Current::Nothing => Current::recorder(),
    };
    let Some(recorder) = recorder else {
        return (None, RunScope::Nothing);
    };
    let method = recorder.known_methods().in_name(request.method);
    let name = match &tracing.url_template {
        Some(template) => Cow::Owned(format!("{method} {template}")),
        None => Cow::Borrowed(method),
    };
    let tags = |tags: &mut Tags| tag(&recorder, tracing, request, tags);
    let start = Start {
        tags: Some(&tags),
        ..Start::now(&name, SpanKind::Client)
    };
    let started = match around {
        Current::Local(parent) => parent.start_child(start),
        Current::Foreign(parent) => recorder.start(Some(&parent), start),
        Current::Silent | Current::Nothing => recorder.start(None, start),
    };
    let scope = match started {
        Started::Recording(span) => RunScope::Span(ActiveSpan::new(span)),
        Started::Dropped(context) => RunScope::silent(context, Some(Arc::clone(&recorder))),
    };
    (Some(recorder), scope)
}

fn tag(
    recorder: &Recorder,
    tracing: &ClientTracing,
    request: &OutgoingRequest<'_>,
    tags: &mut Tags,
) {
    let (method, original) = recorder.known_methods().in_attributes(request.method);
    tags.set(METHOD, method);
    tags.set(
        METHOD_ORIGINAL,
        &original.map(|method| truncate(method, METHOD_CHARS)),
    );
    let url = full_url(&text(request.url), tracing, recorder.redaction());
    tags.set(URL, truncate(&url, URL_CHARS));
    tags.set(URL_TEMPLATE, &tracing.url_template.as_deref());
    let address = Some(semconv::address(request.host)).filter(|address| !address.is_empty());
    tags.set(SERVER_ADDRESS, &address);
    tags.set(SERVER_PORT, &request.port.or(default_port(request.scheme)));
    if tracing.resend_count > 0 {
        tags.set(RESEND_COUNT, &tracing.resend_count);
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

pin_project! {
    /// A request being sent, under its span: every poll, and its drop if it is given up. Gives what came of it, and the attempt,
    /// which is to be told.
    #[derive(Debug)]
    pub(super) struct Sending<F> {
        #[pin]
        scoped: Scoped<F, Option<Attempt>>,
    }
}

impl Enter for Option<Attempt> {
    fn enter(&mut self) -> Option<ScopeGuard<'_>> {
        self.as_mut()?.scope.enter()
    }
}

impl<F: Future> Future for Sending<F> {
    type Output = (F::Output, Attempt);

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let mut scoped = self.project().scoped;
        let output = scoped.as_mut().poll(|future| future.poll(cx), |_| true);
        let output = ready!(output.expect("a future is not polled again after it is done"));
        let attempt = scoped.owner().take();
        Poll::Ready((output, attempt.expect("it is there while the future is")))
    }
}
