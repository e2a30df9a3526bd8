//! The future of a request: inside the span's scope until its response is there, or until it is dropped.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use opentelemetry::Context as OtelContext;
use opentelemetry::trace::SpanContext;
use pin_project_lite::pin_project;

use super::body::TracedBody;
use super::middleware::SpanName;
use super::server;
use crate::recorder::{ActiveSpan, Entered, Outcome, silent_context};

/// What a request runs in.
#[derive(Debug)]
pub(super) enum RequestScope {
    /// Nothing of this middleware's.
    None,
    /// A context in which nothing is recorded.
    Silent(OtelContext),
    Span(ServerSpan),
}

/// The SERVER span of a request that has no response yet.
pub(super) struct ServerSpan {
    pub(super) active: ActiveSpan,
    pub(super) method: &'static str,
    pub(super) name: Option<SpanName>,
}

impl RequestScope {
    pub(super) fn silent(context: SpanContext) -> Self {
        silent_context(context).map_or(Self::None, Self::Silent)
    }

    pub(super) fn enter(&self) -> Option<Entered<'_>> {
        match self {
            Self::None => None,
            Self::Silent(cx) => Some(Entered::silent(cx)),
            Self::Span(server) => Some(server.active.enter()),
        }
    }
}

impl ServerSpan {
    /// Records the response's head; the span goes on with the body.
    fn respond<B: MessageBody>(
        self,
        response: ServiceResponse<B>,
    ) -> ServiceResponse<TracedBody<B>> {
        let span = self.active.span();
        let request = response.request();
        if let Some(route) = request.match_pattern() {
            server::set_route(span, self.method, &route);
            if let Some(handler) = span.handler() {
                handler.learn_route(&route);
            }
        }
        if let Some(name) = self.name.and_then(|name| name(request)) {
            span.set_name(&name);
        }
        server::set_status(span, response.status());
        let is_head = *request.method() == Method::HEAD;
        response.map_body(|_, body| TracedBody::new(body, self.active, is_head))
    }

    /// Records that a middleware failed: actix answers with the error's response, and nobody sees the request again.
    fn fail(self, error: &Error) {
        self.guess_route();
        server::set_status(self.active.span(), error.as_response_error().status_code());
        self.active.end(Outcome::Completed);
    }

    /// No response will tell the route: the handler may know it from earlier ones.
    fn guess_route(&self) {
        let span = self.active.span();
        if let Some(route) = span.handler().and_then(|handler| handler.route()) {
            server::set_route(span, self.method, route);
        }
    }
}

impl std::fmt::Debug for ServerSpan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerSpan")
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The future that [`RequestTracingService`](super::RequestTracingService) answers with.
    #[derive(Debug)]
    pub struct RequestFuture<F> {
        #[pin]
        future: Option<F>,
        scope: RequestScope,
    }

    impl<F> PinnedDrop for RequestFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let entered = this.scope.enter();
            this.future.set(None);
            drop(entered);
            if let RequestScope::Span(server) = this.scope {
                server.guess_route();
            }
        }
    }
}

impl<F> RequestFuture<F> {
    pub(super) fn new(future: F, scope: RequestScope) -> Self {
        Self {
            future: Some(future),
            scope,
        }
    }
}

impl<F, B> Future for RequestFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<TracedBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let future = this
            .future
            .as_mut()
            .as_pin_mut()
            .expect("a future is not polled again after it is done");
        let entered = this.scope.enter();
        let result = ready!(future.poll(cx));
        this.future.set(None);
        drop(entered);
        let scope = std::mem::replace(this.scope, RequestScope::None);
        Poll::Ready(match (scope, result) {
            (RequestScope::Span(server), Ok(response)) => Ok(server.respond(response)),
            (RequestScope::Span(server), Err(error)) => {
                server.fail(&error);
                Err(error)
            }
            (_, result) => {
                result.map(|response| response.map_body(|_, body| TracedBody::untraced(body)))
            }
        })
    }
}
