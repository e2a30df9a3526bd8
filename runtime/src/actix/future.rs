//! The future of a request: inside the span's scope until its response is there, or until it is dropped.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::http::{Method, StatusCode};
use pin_project_lite::pin_project;

use super::body::TracedBody;
use super::options::RequestTracing;
use super::response_ids;
use super::routes::Routes;
use crate::inbound::{Exchange, ResponseIds};
use crate::recorder::Scoped;

pin_project! {
    /// The future that [`RequestTracingService`](super::RequestTracingService) answers with.
    pub struct RequestFuture<F> {
        #[pin]
        scoped: Scoped<F, Exchange>,
        pending: PendingRequest,
    }

    impl<F> PinnedDrop for RequestFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.scoped.as_mut().finish();
            this.pending.unanswered(this.scoped.owner());
        }
    }
}

/// What the requests of a worker share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) tracing: RequestTracing,
    pub(super) routes: Routes,
}

/// What is needed of a request until there is a response.
pub(super) struct PendingRequest {
    pub(super) method: Method,
    pub(super) shared: Rc<Shared>,
    pub(super) ids: Option<Box<ResponseIds>>,
}

impl PendingRequest {
    fn answered(&self, exchange: &mut Exchange, response: &mut ServiceResponse<()>) {
        if let Some(ids) = &self.ids {
            response_ids::write(ids, response.headers_mut());
        }
        // actix-web's look-up runs none of the application's code.
        let routes = &self.shared.routes;
        let route = || routes.of_answered(response.request());
        routes.compare(response.request());
        let status = response.status().as_u16();
        let headers = response.headers();
        let content_type = || Some(headers.get(CONTENT_TYPE)?.as_bytes());
        exchange.answered(self.method.as_str(), status, content_type, route);
        let hooks = &self.shared.tracing.hooks;
        hooks.see_response(exchange.scope(), response);
    }

    /// No response will tell the route.
    #[inline]
    fn unanswered(&self, exchange: &mut Exchange) {
        if exchange.wants_route() {
            let routes = &self.shared.routes;
            exchange.unanswered(self.method.as_str(), |path| routes.of(path));
        }
    }
}

impl<F> RequestFuture<F> {
    /// Calls the service within. Routing and the synchronous parts of inner middleware run in this call: they belong to the span, too.
    pub(super) fn new(
        exchange: Exchange,
        pending: PendingRequest,
        call: impl FnOnce() -> F,
    ) -> Self {
        let mut this = Self {
            scoped: Scoped::unstarted(exchange),
            pending,
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
        let (exchange, pending) = (this.scoped.owner(), this.pending);
        Poll::Ready(match result {
            Ok(response) => {
                let (request, response) = response.into_parts();
                let (response, body) = response.into_parts();
                let mut response = ServiceResponse::new(request, response);
                pending.answered(exchange, &mut response);
                let status = response.status();
                // RFC 9112, section 6.3.
                let has_none = pending.method == Method::HEAD
                    || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
                let exchange = std::mem::replace(exchange, Exchange::over());
                Ok(response.map_body(|_, ()| TracedBody::new(body, exchange, has_none)))
            }
            Err(mut error) => {
                pending.unanswered(exchange);
                exchange.failed(error.as_response_error().status_code().as_u16());
                if let Some(ids) = pending.ids.take() {
                    response_ids::write_on_error(ids, &mut error);
                }
                Err(error)
            }
        })
    }
}
