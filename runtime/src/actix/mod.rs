//! The integration with actix-web: the middleware and what annotated handlers ask of it.
//!
//! Stands beside the pipeline, on the recorder.

mod body;
mod extractor;
mod forwarded;
mod future;
pub(crate) mod handler;
mod head;
mod middleware;
mod server;
mod trust;

pub use self::body::TracedBody;
pub use self::extractor::RequestSpan;
pub use self::future::RequestFuture;
pub use self::middleware::{RequestTracing, RequestTracingService};
pub use self::trust::Trust;
