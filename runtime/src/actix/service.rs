//! The middleware: begins a request, and has its future end it.

use std::cell::OnceCell;
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
use crate::diag;
use crate::inbound::{Exchange, ForwardedInfo, IncomingRequest, ResponseIds};
use crate::recorder::{RunScope, recorder};

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
        let arrival = Arrival::new(tracing, &request);
        let mut exchange = arrival.begin();
        let ids = arrival.ids(exchange.scope());
        tracing.hooks.tag_request(exchange.scope(), &request);
        routes.keep(&request);
        let pending = PendingRequest {
            method: request.method().clone(),
            shared: Rc::clone(&self.shared),
            ids,
        };
        RequestFuture::new(exchange, pending, || self.service.call(request))
    }
}

/// No telemetry instance records the request.
#[cold]
fn say_untraced() {
    static SAID: diag::Once = diag::Once::new();
    SAID.warn(format_args!(
        "requests are not traced: no telemetry is set up. Call `biztrace::init` at the start of `main`, or give `RequestTracing` the \
         `tracer_provider` of an instance"
    ));
}

/// A request that comes in. None of this is generic, so that it is compiled with this crate.
struct Arrival<'r> {
    tracing: &'r RequestTracing,
    request: &'r ServiceRequest,
    /// What trusted proxies say of it.
    forwarded: Option<ForwardedInfo<'r>>,
    is_trusted: OnceCell<bool>,
}

impl<'r> Arrival<'r> {
    #[inline]
    fn new(tracing: &'r RequestTracing, request: &'r ServiceRequest) -> Self {
        let (peer, headers) = (request.peer_addr(), request.headers());
        Self {
            tracing,
            request,
            forwarded: tracing.proxies.read(peer, headers),
            is_trusted: OnceCell::new(),
        }
    }

    /// Whether its caller is trusted. Asks the application once.
    fn is_trusted(&self) -> bool {
        *self.is_trusted.get_or_init(|| {
            let (request, said) = (self.request, self.forwarded.as_ref());
            self.tracing.trust.admits(request, || {
                let (peer, headers) = (request.peer_addr(), request.headers());
                self.tracing
                    .proxies
                    .is_private_throughout(peer, said, headers)
            })
        })
    }

    fn begin(&self) -> Exchange {
        let tracing = self.tracing;
        let Some(recorder) = tracing.recorder.clone().or_else(recorder) else {
            say_untraced();
            return Exchange::over();
        };
        let tenant = tracing.hooks.tenant.as_deref();
        let tenant = tenant.map(|tenant| || tenant(self.request));
        let incoming = IncomingRequest {
            head: self.request.request(),
            forwarded: self.forwarded,
            has_client: tracing.client_address,
            has_path: !tracing.without_path,
            has_query: !tracing.without_query,
            readable: tracing.readable.as_deref(),
            tenant: tenant.as_ref().map(|tenant| tenant as _),
        };
        let is_skipped = || tracing.hooks.skips(self.request);
        Exchange::begin(recorder, &incoming, || self.is_trusted(), is_skipped)
    }

    #[inline]
    fn ids(&self, scope: &RunScope) -> Option<Box<ResponseIds>> {
        let is_any = self.tracing.ids.is_any();
        is_any.then(|| self.make_ids(scope))
    }

    fn make_ids(&self, scope: &RunScope) -> Box<ResponseIds> {
        let is_trusted = || self.is_trusted();
        let ids = response_ids::ids(self.tracing.ids, self.request, scope, is_trusted);
        Box::new(ids)
    }
}
