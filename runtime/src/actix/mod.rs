//! The integration with actix-web: the middleware, and what its types are to annotated handlers.
//!
//! Stands on the module `inbound`, which knows what a request brings.

mod body;
mod extractor;
mod future;
mod hooks;
mod options;
mod request;
mod response_ids;
mod routes;
mod service;
#[cfg(test)]
mod tests;
mod trust;
mod values;

pub use self::body::TracedBody;
pub use self::extractor::RequestSpan;
pub use self::future::RequestFuture;
pub use self::options::RequestTracing;
pub use self::response_ids::{request_id, trace_id};
pub use self::service::RequestTracingService;
pub use self::trust::Trust;
/// An extractor of the id that [`RequestTracing::request_id`] gives to each request. It is in the request's extensions, too, for
/// other middleware.
///
/// Without that option a handler that takes one fails with status 500; `Option<RequestId>` is `None` then.
///
/// ```
/// use actix_web::get;
/// use biztrace::actix::RequestId;
///
/// #[get("/")]
/// async fn index(id: RequestId) -> String {
///     format!("ask us about {id}")
/// }
/// ```
pub use crate::inbound::RequestId;
