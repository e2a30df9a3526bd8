//! The id of one request: its caller's, or a fresh one.

use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::error::ErrorInternalServerError;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

const MAX_LEN: usize = 128;

/// The id of a request, where [`RequestTracing::request_id`](super::RequestTracing::request_id) is asked for: 1 to 128 letters,
/// digits and `-_.:/+=@~`. An extractor, and in the request's extensions for other middleware.
///
/// Without that option a handler that takes one fails with status 500; `Option<RequestId>` is `None` then. [`Default`] makes a
/// fresh one, for calling a handler directly.
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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The one that the caller has sent, if it is one.
    pub(super) fn sent(headers: &HeaderMap) -> Option<Self> {
        let mut lines = headers.get_all(&HEADER);
        let (Some(line), None) = (lines.next(), lines.next()) else {
            return None;
        };
        // What is logged, and copied into a header, is plain.
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@~".contains(byte);
        let text = line.to_str().ok()?;
        let is_id = (1..=MAX_LEN).contains(&text.len()) && text.as_bytes().iter().all(is_plain);
        is_id.then(|| Self(text.into()))
    }
}

/// A fresh one: 32 random hexadecimal digits.
impl Default for RequestId {
    fn default() -> Self {
        let random = RandomIdGenerator::default().new_trace_id();
        Self(random.to_string().into())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
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
