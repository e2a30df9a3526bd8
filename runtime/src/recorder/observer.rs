//! What counts requests beside their spans.

use std::fmt::Debug;
use std::time::Duration;

use opentelemetry::trace::SpanContext;

use crate::semconv::Outcome;

/// Told of each request once when it begins and once when it ends, sampled or not. Skipped requests are left out.
pub(crate) trait Observer: Debug + Send + Sync {
    /// A request of that method begins, as the semantic conventions name it.
    fn request_began(&self, method: &str);
    fn request_ended(&self, request: &ObservedRequest<'_>);
}

/// A request that has ended.
#[derive(Debug)]
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "request metrics are to read it")
)]
pub(crate) struct ObservedRequest<'a> {
    /// As the semantic conventions name it.
    pub(crate) method: &'a str,
    /// `None` if the request matched none.
    pub(crate) route: Option<&'a str>,
    /// `None` if there was no response.
    pub(crate) status: Option<u16>,
    pub(crate) outcome: Outcome,
    /// From the head of the request to the end of the response's body.
    pub(crate) duration: Duration,
    /// The context of its span, recorded or not.
    pub(crate) span: Option<&'a SpanContext>,
}
