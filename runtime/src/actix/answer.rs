//! What a request's answer says of its ids, and what logs of the request do.

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{Error, HttpMessage};
use opentelemetry::trace::{SpanContext, TraceId};

use super::request_id::{self, RequestId};
use crate::attribute::Key;
use crate::recorder::{CurrentSpan, Under, current};

const REQUEST_ID: Key<'_> = Key::new("request.id");

const TRACE_RESPONSE: HeaderName = HeaderName::from_static("traceresponse");
const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// The ids that an application asks for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted {
    pub(super) request_id: bool,
    pub(super) trace_response: bool,
    pub(super) trace_id: bool,
}

/// The ids of one request, for its answer.
#[derive(Debug)]
pub(super) struct Ids {
    wanted: Wanted,
    request: Option<RequestId>,
    span: Option<SpanContext>,
}

/// In a request's extensions: the id of its trace, for what logs it once its span has ended.
struct Noted(TraceId);

impl Wanted {
    pub(super) fn is_any(self) -> bool {
        self.request_id || self.trace_response || self.trace_id
    }

    /// Finds or makes the ids of a request that is to run under `under`, and notes them there and in its extensions.
    pub(super) fn ids(
        self,
        request: &ServiceRequest,
        under: &Under,
        is_trusted: impl FnOnce() -> bool,
    ) -> Ids {
        // Another `RequestTracing` around this one may have given it an id.
        let is_first = !request.extensions().contains::<RequestId>();
        let id = (self.request_id && is_first).then(|| {
            let sent = RequestId::sent(request.headers()).filter(|_| is_trusted());
            sent.unwrap_or_default()
        });
        if let Some(id) = &id {
            match under.span() {
                Some(span) => span.tag(|tags| tags.set(REQUEST_ID, id.as_str())),
                None => CurrentSpan::of_request().set(REQUEST_ID, id.as_str()),
            }
            request.extensions_mut().insert(id.clone());
        }
        let span = under.context();
        let span = span.unwrap_or_else(|| CurrentSpan::of_request().context());
        // With the off switch it is the caller's that is passed on.
        let span = (span.is_valid() && !span.is_remote()).then_some(span);
        if let Some(span) = &span {
            request.extensions_mut().insert(Noted(span.trace_id()));
        }
        Ids {
            wanted: self,
            request: id,
            span,
        }
    }
}

impl Ids {
    /// Writes them into the headers of the answer.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let mut insert = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        if let Some(id) = &self.request {
            insert(request_id::HEADER, id.as_str());
        }
        let Some(span) = &self.span else {
            return;
        };
        if self.wanted.trace_id {
            insert(TRACE_ID, &span.trace_id().to_string());
        }
        if self.wanted.trace_response {
            let (trace_id, span_id) = (span.trace_id(), span.span_id());
            let flags = span.trace_flags().to_u8();
            insert(
                TRACE_RESPONSE,
                &format!("00-{trace_id}-{span_id}-{flags:02x}"),
            );
        }
    }

    /// Has them written into the answer that actix makes of `error`.
    pub(super) fn write_on_error(self: Box<Self>, error: &mut Error) {
        error.add_response_mapper(move |mut response| {
            self.write(response.headers_mut());
            response
        });
    }
}

/// The id of a request's trace, for actix's `Logger`: `-` if there is none.
///
/// A `Logger` within [`RequestTracing`](super::RequestTracing) finds it always. One around it, whose line is written once the span has ended,
/// does so where the middleware has [`request_id`](super::RequestTracing::request_id),
/// [`trace_response`](super::RequestTracing::trace_response) or [`trace_id_header`](super::RequestTracing::trace_id_header).
///
/// ```
/// use actix_web::{App, middleware::Logger};
/// use biztrace::actix::{self, RequestTracing};
///
/// let logger = Logger::new("%r %s %{trace_id}xo %{request_id}xo")
///     .custom_response_replace("trace_id", actix::trace_id)
///     .custom_response_replace("request_id", actix::request_id);
/// let app = App::new().wrap(RequestTracing::default().request_id()).wrap(logger);
/// # let _ = app;
/// ```
#[must_use]
pub fn trace_id<B>(response: &ServiceResponse<B>) -> String {
    let noted = response.request().extensions().get().map(|Noted(id)| *id);
    let id = noted.or_else(|| current().trace_id());
    id.map_or_else(|| "-".to_owned(), |id| id.to_string())
}

/// The id of a request, for actix's `Logger`: `-` if there is none. See [`trace_id`].
#[must_use]
pub fn request_id<B>(response: &ServiceResponse<B>) -> String {
    let extensions = response.request().extensions();
    let id = extensions.get::<RequestId>();
    id.map_or("-", RequestId::as_str).to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use actix_web::App;
    use actix_web::test::{TestRequest, call_service, init_service};

    use crate::actix::RequestTracing;
    use crate::config::Limits;
    use crate::recorder::{Mode, Nowhere, Recorder, TracerProvider};

    /// The answer of an empty app to a caller who is traced.
    async fn answer(mode: Mode) -> [Option<String>; 2] {
        let (limits, sink) = (Limits::default(), Arc::new(Nowhere));
        let recorder = Arc::new(Recorder::for_tests(mode, limits, sink));
        let tracing = RequestTracing::default()
            .tracer_provider(TracerProvider::new(recorder))
            .request_id()
            .trace_response();
        let app = init_service(App::new().wrap(tracing)).await;
        let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let request = TestRequest::get()
            .insert_header(("traceparent", traceparent))
            .insert_header(("x-request-id", "7"));
        let response = call_service(&app, request.to_request()).await;
        ["x-request-id", "traceresponse"].map(|name| {
            let line = response.headers().get(name)?;
            Some(line.to_str().unwrap().to_owned())
        })
    }

    #[actix_web::test]
    async fn with_the_off_switch_a_request_has_an_id_and_no_span() {
        assert_eq!(answer(Mode::Disabled).await, [Some("7".to_owned()), None]);
        for mode in [Mode::Record, Mode::Propagate] {
            let [id, span] = answer(mode).await;
            assert_eq!(id.as_deref(), Some("7"), "{mode:?}");
            let span = span.unwrap();
            assert!(
                span.starts_with("00-0af7651916cd43dd8448eb211c80319c-"),
                "{mode:?}: {span}"
            );
            assert!(!span.contains("b7ad6b7169203331"), "{mode:?}: {span}");
        }
    }
}
