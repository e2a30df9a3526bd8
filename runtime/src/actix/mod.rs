//! The integration with actix-web: the middleware and what annotated handlers ask of it.
//!
//! Stands beside the pipeline, on the recorder.

mod answer;
mod body;
mod exchange;
mod extractor;
mod forwarded;
mod future;
pub(crate) mod handler;
mod head;
mod headers;
mod host;
mod middleware;
mod request_id;
mod route;
mod server;
mod trust;

pub use self::answer::{request_id, trace_id};
pub use self::body::TracedBody;
pub use self::extractor::RequestSpan;
pub use self::future::RequestFuture;
pub use self::middleware::{RequestTracing, RequestTracingService};
pub use self::request_id::RequestId;
pub use self::trust::Trust;
