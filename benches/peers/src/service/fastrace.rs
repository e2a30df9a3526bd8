//! fastrace, over OpenTelemetry's exporter.
//!
//! No integration with actix-web is published: the middleware here is written as that for axum, fastrace-axum 0.2, is.
//! Values are strings in fastrace, numbers and bools included, and so they arrive.

use std::borrow::Cow;
use std::future::{Future, Ready, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready as poll_ready};

use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{self, HeaderMap};
use actix_web::http::{Method, Version};
use actix_web::{App, Error, HttpRequest, web};
use fastrace::collector::Config;
use fastrace::future::InSpan;
use fastrace::prelude::*;
use fastrace_opentelemetry::{OpenTelemetryReporter, SPAN_KIND};
use opentelemetry::InstrumentationScope;
use pin_project_lite::pin_project;

use super::orders::{self, NewOrder, PATH, Receipt, TENANT, UPDATE_STOCK};
use super::{Protocol, SERVICE_NAME, ServeArgs, otlp};
use crate::process::{self, Telemetry};

pub(super) fn serve(args: &ServeArgs) -> io::Result<()> {
    let mut reporter = OpenTelemetryReporter::new(
        otlp::exporter(&args.export)?,
        Cow::Owned(otlp::resource()),
        InstrumentationScope::builder(SERVICE_NAME).build(),
    );
    if args.export.protocol == Protocol::Grpc {
        reporter = reporter.with_block_on(|export| otlp::RUNTIME.block_on(export));
    }
    // There is neither a queue nor a batch size to set: it exports in one request what a second, or half of a thread's ring
    // of 10,240 messages, has brought. What a full ring does not take waits in the thread for the thread's next span: a flush
    // does not reach it, and it is lost at the end.
    fastrace::set_reporter(
        reporter,
        Config::default().report_interval(args.export.schedule_delay()),
    );
    let ratio = args.ratio;
    process::run(args.workers, Collector, move || {
        App::new()
            .wrap(RequestTracing { ratio })
            .route(PATH, web::post().to(create))
    })
}

async fn create(
    id: web::Path<i64>,
    order: web::Json<NewOrder>,
    request: HttpRequest,
) -> web::Json<Receipt> {
    LocalSpan::add_properties(|| {
        let tenant = text(request.headers(), TENANT);
        [
            ("order.id", id.to_string()),
            ("order.sku", order.sku.clone()),
            ("order.amount", order.amount.to_string()),
            ("order.express", order.express.to_string()),
            ("tenant.id", tenant.unwrap_or_default().to_owned()),
        ]
    });
    let left = reserve(order.quantity).await;
    web::Json(Receipt { order: *id, left })
}

async fn reserve(quantity: i64) -> i64 {
    // What `#[fastrace::trace(properties = { … })]` makes; that takes format strings only, and the statement is a constant.
    let span = Span::enter_with_local_parent("reserve").with_properties(|| {
        [
            (SPAN_KIND, Cow::Borrowed("client")),
            ("db.system.name", Cow::Borrowed("sqlite")),
            ("db.query.text", Cow::Borrowed(UPDATE_STOCK)),
            ("stock.quantity", Cow::Owned(quantity.to_string())),
        ]
    });
    orders::reserve(quantity).in_span(span).await
}

/// One SERVER span a request.
struct RequestTracing {
    ratio: f64,
}

impl<S, B> Transform<S, ServiceRequest> for RequestTracing
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = RequestTracingService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        let ratio = self.ratio;
        ready(Ok(RequestTracingService { service, ratio }))
    }
}

struct RequestTracingService<S> {
    service: S,
    ratio: f64,
}

impl<S, B> Service<ServiceRequest> for RequestTracingService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = InSpan<RecordStatus<S::Future>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        // What is not sampled gets a no-op span, as the documentation of fastrace-axum has it.
        let span = match sample(request.headers(), self.ratio) {
            Some(parent) => root(&request, parent),
            None => Span::noop(),
        };
        let response = self.service.call(request);
        RecordStatus { response }.in_span(span)
    }
}

/// The parent of a request's span; none if the request is not to be recorded.
fn sample(headers: &HeaderMap, ratio: f64) -> Option<SpanContext> {
    let caller = text(headers, "traceparent").and_then(SpanContext::decode_w3c_traceparent);
    if let Some(caller) = caller {
        return caller.sampled.then_some(caller);
    }
    let context = SpanContext::random();
    let randomness = (context.trace_id.0 as u64) >> 11;
    ((randomness as f64) < ratio * (1_u64 << 53) as f64).then_some(context)
}

fn root(request: &ServiceRequest, parent: SpanContext) -> Span {
    let method: Cow<'static, str> = match *request.method() {
        Method::GET => "GET".into(),
        Method::POST => "POST".into(),
        ref other => other.to_string().into(),
    };
    let route = request.match_pattern();
    let name = match &route {
        Some(route) => format!("{method} {route}").into(),
        None => method.clone(),
    };
    Span::root(name, parent).with_properties(|| {
        let secure = request.app_config().secure();
        let host = text(request.headers(), header::HOST).unwrap_or_default();
        let (address, port) = host.split_once(':').unwrap_or((host, "80"));
        let user_agent = text(request.headers(), header::USER_AGENT).unwrap_or_default();
        let protocol_version = match request.version() {
            Version::HTTP_2 => "2",
            Version::HTTP_10 => "1.0",
            _ => "1.1",
        };
        [
            (SPAN_KIND, "server".into()),
            ("http.request.method", method),
            ("http.route", route.unwrap_or_default().into()),
            ("url.path", request.path().to_owned().into()),
            ("url.scheme", if secure { "https" } else { "http" }.into()),
            ("server.address", address.to_owned().into()),
            ("server.port", port.to_owned().into()),
            ("network.protocol.version", protocol_version.into()),
            ("user_agent.original", user_agent.to_owned().into()),
        ]
    })
}

fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

pin_project! {
    struct RecordStatus<F> {
        #[pin]
        response: F,
    }
}

impl<F, B> Future for RecordStatus<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = poll_ready!(self.project().response.poll(cx));
        if let Ok(response) = &outcome {
            LocalSpan::add_property(|| {
                let status = response.status().as_str().to_owned();
                ("http.response.status_code", status)
            });
        }
        Poll::Ready(outcome)
    }
}

/// The one of the process, which fastrace keeps itself.
struct Collector;

impl Telemetry for Collector {
    fn flush(&self) -> io::Result<()> {
        fastrace::flush();
        Ok(())
    }

    fn shutdown(&self) -> io::Result<()> {
        self.flush()
    }
}
