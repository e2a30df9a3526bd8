//! Without telemetry, behind the least that a middleware can be.

use std::future::{Ready, ready};
use std::io;

use actix_web::dev::{Service, ServiceRequest, Transform, forward_ready};
use actix_web::{App, web};

use super::orders::PATH;
use super::{ServeArgs, bare};
use crate::process;

pub(super) fn serve(args: &ServeArgs) -> io::Result<()> {
    process::run(args.workers, (), || {
        let route = web::post().to(bare::create);
        App::new().wrap(Forward).route(PATH, route)
    })
}

struct Forward;

impl<S: Service<ServiceRequest>> Transform<S, ServiceRequest> for Forward {
    type Response = S::Response;
    type Error = S::Error;
    type Transform = ForwardService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(ForwardService { service }))
    }
}

struct ForwardService<S> {
    service: S,
}

impl<S: Service<ServiceRequest>> Service<ServiceRequest> for ForwardService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        self.service.call(request)
    }
}
