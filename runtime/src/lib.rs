//! Business-aware distributed tracing for actix-web, on OpenTelemetry.
//!
//! Annotate a handler, name its business fields, and every request becomes an OpenTelemetry trace that people can search
//! in business terms. A *tag* is an attribute that the application sets.
//!
//! ```no_run
//! use actix_web::{App, HttpServer, post, web};
//! use biztrace::{biz_attrs, traced_handler};
//!
//! #[post("/orders/{id}")]
//! #[traced_handler]
//! #[biz_attrs(order.id = *id, tenant.id = header("x-tenant-id"))]
//! async fn create(id: web::Path<u64>) -> String {
//!     format!("order {id}")
//! }
//!
//! #[actix_web::main]
//! async fn main() -> std::io::Result<()> {
//!     let telemetry = biztrace::init().expect("telemetry settings");
//!     let server = HttpServer::new(|| App::new().wrap(biztrace::actix::RequestTracing::new()).service(create))
//!         .h1_allow_half_closed(false)
//!         .bind("127.0.0.1:8080")?
//!         .run();
//!     telemetry.shutdown_after(server).await
//! }
//! ```
//!
//! # Features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `actix` | yes | the middleware [`actix::RequestTracing`] and `#[traced_handler]` |
//! | `otlp-http` | yes | the OTLP exporter over HTTP |
//! | `json` | no | OTLP in JSON, to files or stdout |
//! | `otlp-grpc` | no | the OTLP exporter over gRPC |
//! | `zipkin` | no | the Zipkin exporter |
//! | `tls` | yes | `https` receivers, and client certificates |
//! | `reqwest`, `awc` | no | [`client`]: requests of reqwest 0.13 and awc 3 as spans |
//! | `testing` | no | `biztrace::testing`: the spans of one test |
//! | `uuid`, `rust_decimal`, `chrono`, `time` | no | [`Value`] for types of uuid 1, rust_decimal 1, chrono 0.4 and time 0.3 |

#![forbid(unsafe_code)]

#[doc(hidden)]
pub mod __private;
#[cfg(feature = "actix")]
pub mod actix;
mod attribute;
#[cfg(any(feature = "awc", feature = "reqwest"))]
pub mod client;
mod config;
mod diag;
mod error;
mod exporter;
mod hex;
#[cfg(feature = "_inbound")]
mod inbound;
#[cfg_attr(
    not(all(feature = "_inbound", any(feature = "awc", feature = "reqwest"))),
    allow(dead_code, reason = "servers and clients each need a part of it")
)]
mod network;
mod pipeline;
#[cfg_attr(
    not(feature = "_inbound"),
    allow(dead_code, reason = "servers extract")
)]
mod propagation;
mod provider;
#[cfg_attr(
    not(feature = "_inbound"),
    allow(
        dead_code,
        unused_imports,
        reason = "it records requests for servers and clients"
    )
)]
mod recorder;
#[cfg(feature = "otlp-grpc")]
mod remote_sampling;
mod sampling;
#[cfg_attr(
    not(feature = "_inbound"),
    allow(
        dead_code,
        unused_imports,
        unused_macros,
        reason = "it is for servers and clients, but for the known methods"
    )
)]
mod semconv;
#[cfg(feature = "testing")]
pub mod testing;
mod thread;
mod token;

pub use attribute::{BizAttrs, BizValue, Tags, Value};
#[cfg(feature = "actix")]
pub use biztrace_macros::traced_handler;
pub use biztrace_macros::{BizAttrs, BizValue, biz_attrs, traced};
pub use error::Error;
/// The version of the OpenTelemetry API that this crate implements: another one would not see its spans.
pub use opentelemetry;
/// The version of the SDK whose samplers, id generators and exporters are accepted.
pub use opentelemetry_sdk;
pub use provider::{Telemetry, TelemetryBuilder, init};
pub use recorder::{CurrentSpan, current};

/// The types of [`Value`]'s signature, for values of your own types.
pub mod value {
    pub use crate::attribute::{ArrayEncoder, Encoder, Key};
}

/// What a [`TelemetryBuilder`] takes, and how a [`Telemetry`] describes it.
pub mod settings {
    pub use crate::attribute::PiiPolicy;
    pub use crate::config::{ExceptionSignal, Limits, Propagator, Source};
    #[cfg(feature = "json")]
    pub use crate::exporter::json_lines::JsonFile;
    #[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
    pub use crate::exporter::otlp::Otlp;
    #[cfg(feature = "zipkin")]
    pub use crate::exporter::zipkin::Zipkin;
    pub use crate::provider::{Description, Setting};
    #[cfg(feature = "otlp-grpc")]
    pub use crate::remote_sampling::JaegerRemote;
    pub use crate::sampling::{
        Keep, Number, Parent, ParentBased, Policy, Rule, RuleCondition, Sampler, Tenants, Tier,
    };
}

/// What has become of the spans, in numbers: sent, dropped and why, still held.
pub mod report {
    pub use crate::pipeline::{DropReason, Dropped, ExporterReport, Report, TierReport};
}

/// The tracing API of OpenTelemetry, as this crate implements it: for spans by hand, and for libraries that take a tracer.
pub mod otel {
    pub use crate::recorder::{Span, Tracer, TracerProvider};
}

/// Tags the current span from anywhere below it: entries as in [`#[biz_attrs]`](macro@biz_attrs), but for those on a result.
///
/// Where no span is recorded, the values are not evaluated.
///
/// ```
/// # let stock = 3_u32;
/// biztrace::tag!(order.stage = "reserved", #[when(stock < 5)] stock.low = true);
/// ```
#[macro_export]
macro_rules! tag {
    ($($entries:tt)*) => {
        $crate::__private::tag!([$crate] $($entries)*)
    };
}

/// The examples of the README, compiled.
#[cfg(all(doctest, feature = "actix"))]
#[doc = include_str!("../../README.md")]
struct Readme;
