//! Business-aware distributed tracing for actix-web, on OpenTelemetry.
//!
//! Annotate a handler, name its business fields, and every request becomes an OpenTelemetry trace that people can search
//! in business terms.
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
//!     let served = HttpServer::new(|| App::new().wrap(biztrace::actix::RequestTracing::default()).service(create))
//!         .h1_allow_half_closed(false)
//!         .bind("127.0.0.1:8080")?
//!         .run()
//!         .await;
//!     println!("{}", telemetry.shutdown().await);
//!     served
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
//! | `reqwest`, `awc` | no | [`client`]: requests of these HTTP clients as spans |
//! | `testing` | no | `biztrace::testing`: the spans of one test |
//! | `uuid`, `rust_decimal`, `chrono`, `time` | no | [`Value`] for the types of these crates |

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

pub use attribute::{ArrayEncoder, BizAttrs, BizValue, Encoder, Key, PiiPolicy, Tags, Value};
#[cfg(feature = "actix")]
pub use biztrace_macros::traced_handler;
pub use biztrace_macros::{BizAttrs, BizValue, biz_attrs, traced};
pub use config::{ExceptionSignal, Limits, Propagator, Source};
pub use error::Error;
#[cfg(feature = "json")]
pub use exporter::json_lines::JsonFile;
#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
pub use exporter::otlp::Otlp;
#[cfg(feature = "zipkin")]
pub use exporter::zipkin::Zipkin;
/// The version of the OpenTelemetry API that this crate implements: another one would not see its spans.
pub use opentelemetry;
/// The version of the SDK whose samplers, id generators and exporters are accepted.
pub use opentelemetry_sdk;
pub use pipeline::{DropReason, Dropped, ExporterReport, Report};
pub use provider::{Builder, Description, Setting, Telemetry, init};
pub use recorder::{CurrentSpan, Span, Tracer, TracerProvider, current};
#[cfg(feature = "otlp-grpc")]
pub use remote_sampling::JaegerRemote;
pub use sampling::{ParentBased, Sampler};

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
