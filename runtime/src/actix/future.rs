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
use super::exchange::Exchange;
use super::middleware::Shared;
use crate::recorder::Scoped;

pin_project! {
    /// The future that [`RequestTracingService`](super::RequestTracingService) answers with.
    pub struct RequestFuture<F> {
        #[pin]
        scoped: Scoped<F, Exchange>,
        head: Head,
    }

    impl<F> PinnedDrop for RequestFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.scoped.as_mut().finish();
            this.head.guess_route(this.scoped.owner());
        }
    }
}

/// What is needed of a request until there is a response.
pub(super) struct Head {
    pub(super) method: Method,
    pub(super) shared: Rc<Shared>,
    pub(super) ids: Option<Box<Ids>>,
    /// The route, if the request was asked for it before it was routed.
    pub(super) asked: Option<Box<str>>,
}

impl Head {
    /// No response will tell the route.
    #[inline]
    fn guess_route(&self, exchange: &mut Exchange) {
        if exchange.wants_route() {
            exchange.guess_route(&self.method, &self.shared.routes, self.asked.as_deref());
        }
    }
}

impl<F> RequestFuture<F> {
    /// Calls the service within. Routing and the synchronous parts of inner middleware run in this call: they belong to the span, too.
    pub(super) fn new(exchange: Exchange, head: Head, call: impl FnOnce() -> F) -> Self {
        let mut this = Self {
            scoped: Scoped::unstarted(exchange),
            head,
        };
        this.scoped.start(call);
        this
    }
}

impl<F: std::fmt::Debug> std::fmt::Debug for RequestFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestFuture")
            .field("scoped", &self.scoped)
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
        let result = this
            .scoped
            .as_mut()
            .poll(|future| future.poll(cx), |_| true);
        let result = ready!(result.expect("a future is not polled again after it is done"));
        let (exchange, head) = (this.scoped.owner(), this.head);
        Poll::Ready(match result {
            Ok(response) => {
                let (request, response) = response.into_parts();
                let (response, body) = response.into_parts();
                let mut response = ServiceResponse::new(request, response);
                if let Some(ids) = &head.ids {
                    ids.write(response.headers_mut());
                }
                exchange.answered(&head.method, &response);
                head.shared
                    .tracing
                    .see_response(exchange.under(), &response);
                let status = response.status();
                // RFC 9112, section 6.3.
                let has_none = head.method == Method::HEAD
                    || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
                let exchange = std::mem::replace(exchange, Exchange::over());
                Ok(response.map_body(|_, ()| TracedBody::new(body, exchange, has_none)))
            }
            Err(mut error) => {
                head.guess_route(exchange);
                exchange.failed(&error);
                if let Some(ids) = head.ids.take() {
                    ids.write_on_error(&mut error);
                }
                Err(error)
            }
        })
    }
}
