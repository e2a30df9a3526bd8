//! Requests that the service sends: a CLIENT span each, and the trace in their headers.
//!
//! Stands beside the middleware, on the recorder. [`ClientTracing`] says what a span is to be like; a module for each HTTP client has
//! the way to send with it.

mod attempt;
#[cfg(feature = "awc")]
pub mod awc;
mod payload;
#[cfg(feature = "reqwest")]
pub mod reqwest;
mod url;

use std::borrow::Cow;

/// How requests are traced: the defaults are right for most.
///
/// A request is a span of kind CLIENT, below the span that is current where it is sent: named by its method, and tagged with
/// its URL and what came of it. Secrets in its query are redacted, and so are its user name and password. An answer of 4xx or 5xx is an error,
/// and so is a request without an answer: `error.type` is the status code, or a word like `timeout` or `connect`. One that is
/// given up before its answer is tagged `biztrace.outcome=cancelled`, and is no error.
///
/// The headers carry the trace in the formats of [`Propagator`](crate::settings::Propagator) that the instance has, whether the request is
/// recorded or not. While telemetry is suppressed, there are neither spans nor headers.
///
/// The trace goes to every host. Baggage goes to one's own hosts only, and to those that `TelemetryBuilder::baggage_to` or
/// `BIZTRACE_BAGGAGE_TO` lists. One's own are loopback, private and link-local addresses, names of a single label, `localhost`, and what ends
/// in `.localhost`, `.internal`, `.svc` or `.cluster.local`. A warning says once that baggage is withheld.
#[derive(Debug, Clone, Default)]
pub struct ClientTracing {
    url_template: Option<Cow<'static, str>>,
    resend_count: u32,
    until_body_end: bool,
    without_path: bool,
    without_query: bool,
    without_baggage: bool,
    without_context: bool,
}

impl ClientTracing {
    /// Names the span `{method} {template}`, and tags it `url.template`: `/orders/{id}`, say. What differs from request to
    /// request has no place in it.
    #[must_use]
    pub fn url_template(mut self, template: impl Into<Cow<'static, str>>) -> Self {
        self.url_template = Some(template.into());
        self
    }

    /// Tags the span `http.request.resend_count`: 1 for the first time that a request is sent again. For code that repeats
    /// requests itself; below a middleware of `reqwest-middleware` that does so, it is counted.
    #[must_use]
    pub fn resend_count(mut self, count: u32) -> Self {
        self.resend_count = count;
        self
    }

    /// Has the [template](Self::url_template) in place of the path in `url.full`, or `/REDACTED` without one: for paths with values that
    /// no span may have.
    #[must_use]
    pub fn without_path(mut self) -> Self {
        self.without_path = true;
        self
    }

    /// Leaves the query and the fragment out of `url.full`, where they hold what no span may have. The values of parameters that
    /// usually hold secrets are redacted in any case: see [`redact_query`](crate::TelemetryBuilder::redact_query).
    #[must_use]
    pub fn without_query(mut self) -> Self {
        self.without_query = true;
        self
    }

    /// Sends no baggage, whatever the host is.
    #[must_use]
    pub fn without_baggage(mut self) -> Self {
        self.without_baggage = true;
        self
    }

    /// Sends neither the trace nor baggage: the request has none of the headers of the propagators. It is a span all the same.
    #[must_use]
    pub fn without_context(mut self) -> Self {
        self.without_context = true;
        self
    }

    /// Has the span last until the response's body has been read, and fail with it. By default it ends with the response's head,
    /// as the semantic conventions have it.
    ///
    /// A body that is dropped before its end is tagged `biztrace.outcome=cancelled`, which is no error.
    #[must_use]
    pub fn until_body_end(mut self) -> Self {
        self.until_body_end = true;
        self
    }
}
