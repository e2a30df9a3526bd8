//! The ids of a request: in its extensions, for what handles and logs it, and in the headers of its response.

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{Error, HttpMessage};
use opentelemetry::trace::TraceId;

use crate::inbound::{IdOptions, RequestId, ResponseIds};
use crate::recorder::{RunScope, current};

/// In a request's extensions: the id of its trace, for what logs it once its span has ended.
struct NotedTrace(TraceId);

/// Finds or makes the ids of a request that is to run under `scope`, and notes them in its extensions.
pub(super) fn ids(
    options: IdOptions,
    request: &ServiceRequest,
    scope: &RunScope,
    is_trusted: impl FnOnce() -> bool,
) -> ResponseIds {
    let has_id = request.extensions().contains::<RequestId>();
    let sent = || RequestId::sent(request.headers()).filter(|_| is_trusted());
    let ids = options.ids(scope, has_id, sent);
    let mut extensions = request.extensions_mut();
    if let Some(id) = ids.request_id() {
        extensions.insert(id.clone());
    }
    if let Some(id) = ids.trace_id() {
        extensions.insert(NotedTrace(id));
    }
    drop(extensions);
    ids
}

/// Writes them into the headers of the response.
pub(super) fn write(ids: &ResponseIds, headers: &mut HeaderMap) {
    ids.write(|name, value| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    });
}

/// Has them written into the response that actix makes of `error`.
pub(super) fn write_on_error(ids: Box<ResponseIds>, error: &mut Error) {
    error.add_response_mapper(move |mut response| {
        write(&ids, response.headers_mut());
        response
    });
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
    let noted = response
        .request()
        .extensions()
        .get()
        .map(|NotedTrace(id)| *id);
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
    use crate::recorder::{Mode, Received, Recorder, TracerProvider};

    /// The answer of an empty app to a caller who is traced.
    async fn answer(mode: Mode) -> [Option<String>; 2] {
        let (limits, sink) = (Limits::default(), Arc::new(Received::default()));
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
