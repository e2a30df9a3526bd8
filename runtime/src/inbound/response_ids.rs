//! The ids of a request that its response tells.

use opentelemetry::trace::{SpanContext, TraceId};

use super::request_id::{self, RequestId};
use crate::attribute::Key;
use crate::recorder::{CurrentSpan, RunScope};

const REQUEST_ID: Key<'_> = Key::new("request.id");

const TRACE_RESPONSE: &str = "traceresponse";
const TRACE_ID: &str = "x-trace-id";

/// The ids that an application asks for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct IdOptions {
    pub(crate) request_id: bool,
    pub(crate) trace_response: bool,
    pub(crate) trace_id: bool,
}

/// The ids of one request.
#[derive(Debug)]
pub(crate) struct ResponseIds {
    options: IdOptions,
    request: Option<RequestId>,
    span: Option<SpanContext>,
}

impl IdOptions {
    #[inline]
    pub(crate) fn is_any(self) -> bool {
        self.request_id || self.trace_response || self.trace_id
    }

    /// Finds or makes the ids of a request that is to run under `scope`. `sent` finds the id that its caller has sent, if the caller is
    /// trusted. A request that `has_id` has been given one by another middleware.
    pub(crate) fn ids(
        self,
        scope: &RunScope,
        has_id: bool,
        sent: impl FnOnce() -> Option<RequestId>,
    ) -> ResponseIds {
        let id = (self.request_id && !has_id).then(|| sent().unwrap_or_default());
        if let Some(id) = &id {
            match scope.span() {
                Some(span) => span.tag(|tags| tags.set(REQUEST_ID, id.as_str())),
                None => CurrentSpan::of_request().set(REQUEST_ID, id.as_str()),
            }
        }
        let span = scope.context();
        let span = span.unwrap_or_else(|| CurrentSpan::of_request().context());
        // With the off switch it is the caller's that is passed on.
        let span = (span.is_valid() && !span.is_remote()).then_some(span);
        ResponseIds {
            options: self,
            request: id,
            span,
        }
    }
}

impl ResponseIds {
    /// The request's id, if it is given here.
    pub(crate) fn request_id(&self) -> Option<&RequestId> {
        self.request.as_ref()
    }

    pub(crate) fn trace_id(&self) -> Option<TraceId> {
        self.span.as_ref().map(SpanContext::trace_id)
    }

    /// Has the headers of the response inserted that tell them.
    pub(crate) fn write(&self, mut insert: impl FnMut(&'static str, &str)) {
        if let Some(id) = &self.request {
            insert(request_id::HEADER, id.as_str());
        }
        let Some(span) = &self.span else {
            return;
        };
        if self.options.trace_id {
            insert(TRACE_ID, &span.trace_id().to_string());
        }
        if self.options.trace_response {
            let (trace_id, span_id) = (span.trace_id(), span.span_id());
            let flags = span.trace_flags().to_u8();
            insert(
                TRACE_RESPONSE,
                &format!("00-{trace_id}-{span_id}-{flags:02x}"),
            );
        }
    }
}
