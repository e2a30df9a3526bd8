//! The middleware: begins a request, and has its future end it.

use std::cell::LazyCell;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};

use super::body::TracedBody;
use super::future::{PendingRequest, RequestFuture, Shared};
use super::options::RequestTracing;
use super::response_ids;
use super::routes::Routes;
use crate::inbound::{Client, Exchange, ForwardedInfo, IncomingRequest};
use crate::recorder::recorder;

impl RequestTracing {
    /// What trusted proxies say of the request.
    fn forwarded<'r>(&self, request: &'r ServiceRequest) -> Option<ForwardedInfo<'r>> {
        let proxies = self.proxies.as_ref()?;
        proxies.read(request.peer_addr(), request.headers())
    }

    fn trusts(&self, request: &ServiceRequest, forwarded: Option<&ForwardedInfo<'_>>) -> bool {
        let client = match forwarded {
            Some(forwarded) => forwarded.client,
            None => Client::of_peer(request.peer_addr()),
        };
        self.trust.admits(request, client)
    }

    /// Begins a request.
    fn begin<'r>(
        &'r self,
        request: &'r ServiceRequest,
        forwarded: Option<ForwardedInfo<'r>>,
        is_trusted: impl FnOnce() -> bool,
    ) -> Exchange {
        let Some(recorder) = self.recorder.clone().or_else(recorder) else {
            return Exchange::over();
        };
        let incoming = IncomingRequest {
            head: request.request(),
            forwarded,
            has_client: self.client_address,
            has_query: !self.without_query,
            readable: self.readable.as_deref(),
        };
        let is_skipped = || self.hooks.skips(request);
        Exchange::begin(recorder, &incoming, is_trusted, is_skipped)
    }
}

impl<S, B> Transform<S, ServiceRequest> for RequestTracing
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<TracedBody<B>>;
    type Error = Error;
    type Transform = RequestTracingService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(RequestTracingService {
            service,
            shared: Rc::new(Shared {
                tracing: self.clone(),
                routes: Routes::default(),
            }),
        }))
    }
}

/// The service that [`RequestTracing`] makes of the one it wraps.
#[derive(Debug)]
pub struct RequestTracingService<S> {
    service: S,
    shared: Rc<Shared>,
}

impl<S, B> Service<ServiceRequest> for RequestTracingService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<TracedBody<B>>;
    type Error = Error;
    type Future = RequestFuture<S::Future>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let Shared { tracing, routes } = &*self.shared;
        let forwarded = tracing.forwarded(&request);
        let is_trusted = LazyCell::new(|| tracing.trusts(&request, forwarded.as_ref()));
        let mut exchange = tracing.begin(&request, forwarded, || *is_trusted);
        let ids = tracing.ids.is_any().then(|| {
            let under = exchange.under();
            Box::new(response_ids::ids(tracing.ids, &request, under, || {
                *is_trusted
            }))
        });
        tracing.hooks.tag_request(exchange.under(), &request);
        let asked = exchange
            .wants_route()
            .then(|| routes.ask(&request))
            .flatten();
        let pending = PendingRequest {
            method: request.method().clone(),
            shared: Rc::clone(&self.shared),
            ids,
            asked,
        };
        RequestFuture::new(exchange, pending, || self.service.call(request))
    }
}
