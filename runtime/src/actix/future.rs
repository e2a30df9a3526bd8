//! The future of a request: inside the span's scope until its response is there, or until it is dropped.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::{Method, StatusCode};
use pin_project_lite::pin_project;

use super::answer::Ids;
use super::body::TracedBody;
use super::middleware::RequestTracing;
use super::server;
use crate::recorder::{LocalSpan, Outcome, Site, Under};

pin_project! {
    /// The future that [`RequestTracingService`](super::RequestTracingService) answers with.
    pub struct RequestFuture<F> {
        #[pin]
        future: Option<F>,
        under: Under,
        method: Method,
        hooks: Option<Rc<RequestTracing>>,
        ids: Option<Box<Ids>>,
    }

    impl<F> PinnedDrop for RequestFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let entered = this.under.enter();
            this.future.set(None);
            drop(entered);
            if let Some(span) = this.under.span() {
                guess_route(span, this.method);
            }
        }
    }
}

impl<F> RequestFuture<F> {
    pub(super) fn new(
        future: F,
        under: Under,
        method: Method,
        hooks: Option<Rc<RequestTracing>>,
        ids: Option<Box<Ids>>,
    ) -> Self {
        Self {
            future: Some(future),
            under,
            method,
            hooks,
            ids,
        }
    }
}

impl<F: std::fmt::Debug> std::fmt::Debug for RequestFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestFuture")
            .field("future", &self.future)
            .field("under", &self.under)
            .finish_non_exhaustive()
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
        let entered = this.under.enter();
        let result = ready!(future.poll(cx));
        this.future.set(None);
        drop(entered);
        Poll::Ready(match result {
            Ok(response) => {
                let (request, response) = response.into_parts();
                let (response, body) = response.into_parts();
                let mut response = ServiceResponse::new(request, response);
                if let Some(ids) = this.ids {
                    ids.write(response.headers_mut());
                }
                if let Some(span) = this.under.span() {
                    respond(span, this.method, &response);
                    if let Some(hooks) = this.hooks {
                        hooks.see_response(this.under, &response);
                    }
                }
                let under = std::mem::replace(this.under, Under::Nothing);
                let status = response.status();
                // RFC 9112, section 6.3.
                let has_none = *this.method == Method::HEAD
                    || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
                let outcome = outcome(status);
                Ok(response.map_body(|_, ()| TracedBody::new(body, under, outcome, has_none)))
            }
            Err(mut error) => {
                if let Some(span) = this.under.span() {
                    fail(span, this.method, &error);
                }
                this.under
                    .end(outcome(error.as_response_error().status_code()));
                if let Some(ids) = this.ids.take() {
                    ids.write_on_error(&mut error);
                }
                Err(error)
            }
        })
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

/// Records the response's head; the span goes on with the body.
fn respond(span: &LocalSpan, method: &Method, response: &ServiceResponse<()>) {
    let method = server::method_in_name(span.recorder(), method);
    let learned = span.turn(|span| {
        let route = match server::has_route(span) {
            true => None,
            // actix-web's look-up runs none of the application's code, so it may run under the lock.
            false => response.request().match_pattern(),
        };
        if let Some(route) = &route {
            server::set_route(span, method, route);
        }
        server::set_status(span, response.status());
        route.zip(span.handler())
    });
    if let Some((route, handler)) = learned.flatten() {
        handler.learn_route(&route);
    }
}

/// Records that a middleware failed: actix answers with the error's response, and nobody sees the request again.
fn fail(span: &LocalSpan, method: &Method, error: &Error) {
    guess_route(span, method);
    let status = error.as_response_error().status_code();
    span.turn(|span| server::set_status(span, status));
}

/// No response will tell the route: the handler may know it from earlier ones.
fn guess_route(span: &LocalSpan, method: &Method) {
    let handler = span.turn(|span| span.handler().filter(|_| !server::has_route(span)));
    if let Some(route) = handler.flatten().and_then(Site::route)
        && server::may_be_of(span, route)
    {
        let method = server::method_in_name(span.recorder(), method);
        span.turn(|span| server::set_route(span, method, route));
    }
}
