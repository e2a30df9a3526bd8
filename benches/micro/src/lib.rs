//! The service that is measured: a handler with five tags that awaits one child span with three attributes.

pub mod callgrind;
pub mod receiver;

use std::hint::black_box;
use std::time::Duration;

use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error, HttpResponse, web};
use biztrace::actix::RequestTracing;
use biztrace::settings::{Keep, Policy, Sampler};
use biztrace::{Telemetry, biz_attrs, traced, traced_handler};

async fn bare(id: web::Path<u64>) -> HttpResponse {
    reserve_bare(*id).await
}

async fn reserve_bare(id: u64) -> HttpResponse {
    tokio::task::yield_now().await;
    if id > 0 {
        HttpResponse::Ok().body("reserved")
    } else {
        HttpResponse::Conflict().finish()
    }
}

#[traced_handler]
#[biz_attrs(
    order.id = *id,
    order.amount = 99.5,
    order.express = true,
    payment.method = "card",
    tenant.id = header("x-tenant-id"),
)]
async fn annotated(id: web::Path<u64>) -> HttpResponse {
    reserve(*id).await
}

#[traced(kind = "client", attrs(order.id = id, db.system.name = "sqlite", db.query.text = "UPDATE stock SET left = left - 1"))]
async fn reserve(id: u64) -> HttpResponse {
    reserve_bare(id).await
}

/// Tags that a handler of [`Variant::More`] has beside those of the annotated handler: several, for their mean.
pub const MORE: usize = 4;

/// The annotated handler with [`MORE`] tags of one value.
#[rustfmt::skip]
macro_rules! with_more_tags {
    ($name:ident, $value:expr) => {
        #[traced_handler]
        #[biz_attrs(
                                                    order.id = *id,
                                                    order.amount = 99.5,
                                                    order.express = true,
                                                    payment.method = "card",
                                                    tenant.id = header("x-tenant-id"),
                                                    invoice.customer.first = black_box($value),
                                                    invoice.customer.second = black_box($value),
                                                    invoice.customer.third = black_box($value),
                                                    invoice.customer.fourth = black_box($value),
                                                )]
        async fn $name(id: web::Path<u64>) -> HttpResponse {
            reserve(*id).await
        }
    };
}

with_more_tags!(with_integers, 1_234_567_i64);
with_more_tags!(with_floats, 1234.5);
with_more_tags!(with_short_texts, "0123456789");
with_more_tags!(
    with_long_texts,
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
);

/// What is done to each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Served by a handler without attributes, through a middleware that does nothing.
    Bare,
    /// Served by the annotated handler within `RequestTracing`, and recorded.
    Traced,
    /// The same, while the sampler drops every trace.
    Unsampled,
    /// Recorded and kept by the verdict, which keeps errors and slow requests beside all that the sampler keeps.
    Kept,
    /// Recorded and dropped by the verdict, which keeps errors and slow requests beside nothing.
    Dropped,
    /// The same, with 20 policies on four tags that the trace does not pass.
    Policies,
    /// Recorded, while no format of context is read.
    Alone,
    /// Recorded, with [`MORE`] tags of that kind.
    More(Kind),
    /// As [`Bare`](Self::Bare), for clients that all differ.
    BareForStrangers,
    /// As [`Traced`](Self::Traced), for clients that all differ.
    Strangers,
}

/// The kind of a tag's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An `i64`.
    Integer,
    /// An `f64`.
    Float,
    /// A `&str` of 10 bytes.
    ShortText,
    /// A `&str` of 100 bytes.
    LongText,
}

impl Variant {
    /// All of them, by the names that the command line has for them.
    pub const ALL: [(&str, Self); 13] = [
        ("bare", Self::Bare),
        ("traced", Self::Traced),
        ("unsampled", Self::Unsampled),
        ("kept", Self::Kept),
        ("dropped", Self::Dropped),
        ("policies", Self::Policies),
        ("alone", Self::Alone),
        ("more-integers", Self::More(Kind::Integer)),
        ("more-floats", Self::More(Kind::Float)),
        ("more-short-texts", Self::More(Kind::ShortText)),
        ("more-long-texts", Self::More(Kind::LongText)),
        ("bare-for-strangers", Self::BareForStrangers),
        ("strangers", Self::Strangers),
    ];

    /// Whether tracing takes no part.
    fn is_bare(self) -> bool {
        matches!(self, Self::Bare | Self::BareForStrangers)
    }

    /// The `n`th request of a client: each of the others names a host and an agent of its own.
    #[must_use]
    pub fn request(self, n: usize) -> actix_http::Request {
        if matches!(self, Self::BareForStrangers | Self::Strangers) {
            let host = format!("shop{n}.example.com");
            request_to(&host, &format!("Mozilla/5.0 (X11; Linux x86_64) {n}"))
        } else {
            request()
        }
    }
}

/// An instance that sends to the receiver at `endpoint`, with a queue that never fills.
///
/// # Panics
///
/// If no thread can be started.
pub fn telemetry(variant: Variant, endpoint: &str) -> Telemetry {
    let sampler = match variant {
        Variant::Unsampled | Variant::Dropped | Variant::Policies => Sampler::always_off(),
        _ => Sampler::always_on(),
    };
    let mut builder = Telemetry::builder().otlp(endpoint).sampler(sampler);
    match variant {
        Variant::Alone => builder = builder.propagators([]),
        Variant::Kept | Variant::Dropped => {
            builder = builder.keep(errors_and_slow());
        }
        Variant::Policies => builder = builder.keep(with_policies(errors_and_slow())),
        _ => {}
    }
    let telemetry = builder.max_queue_size(10_000_000).build();
    telemetry.expect("these settings are right")
}

fn errors_and_slow() -> Keep {
    Keep::errors().slower_than(Duration::from_millis(500))
}

/// Five policies on each of four tags: order.id is on both spans, two others on the request's, and one on none.
fn with_policies(keep: Keep) -> Keep {
    (0..5).fold(keep, |keep, n| {
        keep.policy(Policy::equals("order.id", 1_000 + n))
            .policy(Policy::glob("tenant.id", format!("globex-{n}-*")))
            .policy(Policy::equals("payment.method", format!("voucher-{n}")))
            .policy(Policy::equals("risk.review", n))
    })
}

/// The service, to be called in process.
pub async fn service(
    variant: Variant,
    telemetry: &Telemetry,
) -> impl Service<
    actix_http::Request,
    Response = ServiceResponse<impl actix_web::body::MessageBody>,
    Error = Error,
> {
    let tracing = match variant.is_bare() {
        // Nothing is installed, so this passes each request through.
        true => RequestTracing::default(),
        false => RequestTracing::default().tracer_provider(telemetry.tracer_provider()),
    };
    let route = match variant {
        Variant::Bare | Variant::BareForStrangers => web::post().to(bare),
        Variant::More(Kind::Integer) => web::post().to(with_integers),
        Variant::More(Kind::Float) => web::post().to(with_floats),
        Variant::More(Kind::ShortText) => web::post().to(with_short_texts),
        Variant::More(Kind::LongText) => web::post().to(with_long_texts),
        _ => web::post().to(annotated),
    };
    init_service(App::new().wrap(tracing).route("/orders/{id}", route)).await
}

/// A request as a browser's client would send it.
#[must_use]
pub fn request() -> actix_http::Request {
    request_to("shop.example.com", "Mozilla/5.0 (X11; Linux x86_64)")
}

fn request_to(host: &str, agent: &str) -> actix_http::Request {
    TestRequest::post()
        .uri("/orders/42?source=web")
        .insert_header(("host", host))
        .insert_header(("user-agent", agent))
        .insert_header(("accept", "application/json"))
        .insert_header(("content-type", "application/json"))
        .insert_header(("x-tenant-id", "acme"))
        .insert_header((
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ))
        .to_request()
}

/// Serves a request and takes its response's body.
///
/// # Panics
///
/// If it is not served.
pub async fn serve<S, B>(service: &S, request: actix_http::Request)
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error>,
    B: actix_web::body::MessageBody,
{
    let response = service.call(request).await.expect("the service answers");
    assert_eq!(response.status(), StatusCode::OK);
    let body = actix_web::body::to_bytes(response.into_body()).await;
    assert!(body.is_ok_and(|body| &body[..] == b"reserved"));
}
