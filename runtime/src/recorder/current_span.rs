//! The current span, for code that is not annotated.

use std::error::Error;
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, SpanId, Status, TraceContextExt, TraceId};
use opentelemetry::{Context, KeyValue};

use super::current::{Current, local_span, with_context};
use super::exception::Exception;
use super::exception_policy;
use super::local::LocalSpan;
use super::locked_span::ERROR_TYPE;
use super::open::Attributes;
use crate::attribute::{Key, Tags, Value};
use crate::error::message;
use crate::semconv::{OTHER, Redaction};

/// A handle of the span that was current when it was made, by [`current`]. Where there was none, or none that is recorded, it
/// does nothing.
///
/// It is cheap to clone, and may be taken along to other tasks and threads. It does not keep the span open: once the span has
/// ended, what is set is ignored.
///
/// A span of another implementation of OpenTelemetry is served through the API.
#[derive(Debug, Clone)]
pub struct CurrentSpan(Handle);

#[derive(Debug, Clone)]
enum Handle {
    Local(LocalSpan),
    /// One of another implementation, one that is not recorded, or none.
    Other(Context),
}

/// The span that is current here: that of the innermost annotated function or handler, of a library that uses the OpenTelemetry
/// API, or of the request.
///
/// ```
/// # #[derive(Debug)] struct OutOfStock;
/// # impl std::fmt::Display for OutOfStock {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("out of stock") }
/// # }
/// # impl std::error::Error for OutOfStock {}
/// # fn take(_: u32) -> Result<u32, OutOfStock> { Ok(7) }
/// use biztrace::opentelemetry::KeyValue;
///
/// fn reserve(quantity: u32) {
///     let span = biztrace::current();
///     span.set("order.stage", "reserving");
///     match take(quantity) {
///         Ok(left) => span.set("stock.left", &left),
///         Err(error) => span.record_error(&error),
///     }
///     span.event("stock.checked", [KeyValue::new("stock.warehouse", "north")]);
///     if let Some(trace_id) = span.trace_id() {
///         println!("reserved {quantity}, see trace {trace_id}");
///     }
/// }
/// # reserve(1);
/// ```
#[must_use]
pub fn current() -> CurrentSpan {
    with_context(|cx| CurrentSpan(Handle::of(cx))).unwrap_or_default()
}

impl Handle {
    fn of(cx: &Context) -> Self {
        local_span(cx).map_or_else(|| Self::Other(cx.clone()), Self::Local)
    }
}

impl Default for CurrentSpan {
    fn default() -> Self {
        Self(Handle::Other(Context::new()))
    }
}

impl CurrentSpan {
    /// The SERVER span of the request that is served here. Of one that is not recorded, its ids.
    pub(crate) fn of_request() -> Self {
        match Current::get() {
            Current::Local(span) => match span.server() {
                Some(server) => Self(Handle::Local(server)),
                None => Self::default(),
            },
            Current::Silent => current(),
            Current::Foreign(_) | Current::Nothing => Self::default(),
        }
    }

    /// Sets an attribute, replacing an earlier value. The key may be text, or a [`Key`]; it is not checked against
    /// OpenTelemetry's naming rules.
    pub fn set<'k, V: Value + ?Sized>(&self, key: impl Into<Key<'k>>, value: &V) {
        if !self.is_recording() {
            return;
        }
        match &self.0 {
            Handle::Local(span) => {
                let mut tags = span.tags();
                tags.set(key, value);
                span.append(&tags);
            }
            Handle::Other(cx) => {
                let mut tags = Tags::new();
                tags.set(key, value);
                cx.span().set_attributes(tags.decode());
            }
        }
    }

    /// Adds an event that happens now.
    pub fn event(&self, name: &str, attributes: impl IntoIterator<Item = KeyValue>) {
        if !self.is_recording() {
            return;
        }
        let attributes: Vec<_> = attributes.into_iter().collect();
        match &self.0 {
            Handle::Local(span) => {
                span.add_event(name, SystemTime::now(), Attributes::Own(&attributes));
            }
            Handle::Other(cx) => cx.span().add_event(name.to_owned(), attributes),
        }
    }

    /// Marks the span as failed, and records the error as [`ExceptionSignal`](crate::settings::ExceptionSignal) has it: its message with
    /// those of its sources, and its type. Of a `dyn Error` the type is not known.
    ///
    /// An `error.type` or a status that was set before stands, in a span of biztrace.
    pub fn record_error<E: Error + ?Sized>(&self, error: &E) {
        if !self.is_recording() {
            return;
        }
        let name = std::any::type_name::<E>().trim_start_matches('&');
        let error_type = (!name.starts_with("dyn ")).then_some(name);
        let exception = |redaction| Exception::new(error_type, message(error), redaction);
        let failed_by = error_type.unwrap_or(OTHER);
        match &self.0 {
            Handle::Local(span) => {
                exception_policy::record(span, &exception(span.recorder().redaction()));
                span.fail(failed_by);
            }
            Handle::Other(cx) => {
                let exception = exception(&Redaction::default());
                exception_policy::record_on_other(&cx.span(), &exception);
                cx.span()
                    .set_attribute(KeyValue::new(ERROR_TYPE.as_str(), failed_by));
                cx.span().set_status(Status::error(""));
            }
        }
    }

    /// The id by which the trace is found from a log or an answer, though it be not recorded.
    #[must_use]
    pub fn trace_id(&self) -> Option<TraceId> {
        let id = match &self.0 {
            Handle::Local(span) => span.trace_id(),
            Handle::Other(cx) => cx.span().span_context().trace_id(),
        };
        (id != TraceId::INVALID).then_some(id)
    }

    /// The span's id, though it be not recorded.
    #[must_use]
    pub fn span_id(&self) -> Option<SpanId> {
        let id = match &self.0 {
            Handle::Local(span) => span.id(),
            Handle::Other(cx) => cx.span().span_context().span_id(),
        };
        (id != SpanId::INVALID).then_some(id)
    }

    /// What a link to this span takes. Invalid where there is no span.
    ///
    /// ```
    /// use biztrace::opentelemetry::trace::SpanContext;
    /// use biztrace::traced;
    ///
    /// #[traced(parent = none, links = [cause])]
    /// async fn audit(cause: SpanContext) {}
    ///
    /// # async fn handler() {
    /// audit(biztrace::current().context()).await;
    /// # }
    /// ```
    #[must_use]
    pub fn context(&self) -> SpanContext {
        match &self.0 {
            Handle::Local(span) => span.context(),
            Handle::Other(cx) => cx.span().span_context().clone(),
        }
    }

    fn is_recording(&self) -> bool {
        match &self.0 {
            Handle::Local(span) => span.is_recording(),
            Handle::Other(cx) => cx.span().is_recording(),
        }
    }
}
