//! The request's span and its id among a handler's arguments.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::error::ErrorInternalServerError;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest};

use crate::inbound::RequestId;
use crate::recorder::CurrentSpan;

/// An extractor of the request's SERVER span, as [`RequestTracing`](super::RequestTracing) started it: that span even where a
/// child of it is current. Without `RequestTracing` it does nothing.
///
/// [`Default`] makes such a one, for calling a handler directly.
///
/// ```
/// use actix_web::{HttpResponse, post, web};
/// use biztrace::actix::RequestSpan;
///
/// #[post("/orders/{id}")]
/// async fn create(id: web::Path<u64>, span: RequestSpan) -> HttpResponse {
///     span.set("order.id", &*id);
///     let mut response = HttpResponse::Created();
///     if let Some(trace_id) = span.trace_id() {
///         response.insert_header(("x-trace-id", trace_id.to_string()));
///     }
///     response.finish()
/// }
/// ```
#[derive(Debug, Clone, Default)]
pub struct RequestSpan(CurrentSpan);

impl Deref for RequestSpan {
    type Target = CurrentSpan;

    fn deref(&self) -> &CurrentSpan {
        &self.0
    }
}

impl FromRequest for RequestSpan {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        // Extractors run within the middleware's scope.
        ready(Ok(Self(CurrentSpan::of_request())))
    }
}

impl FromRequest for RequestId {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.extensions().get::<Self>().cloned();
        ready(id.ok_or_else(|| {
            ErrorInternalServerError("requests have no id here: see `RequestTracing::request_id`")
        }))
    }
}
