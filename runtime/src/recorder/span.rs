//! The OpenTelemetry API's span.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, SpanKind, Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use super::current::EnteredSpan;
use super::exception::Exception;
use super::known_spans::Listed;
use super::local::LocalSpan;
use super::outcome::Outcome;
use super::thread_scope::ThreadScope;
use crate::diag;

/// A span made through the OpenTelemetry API. It ends when it is ended or dropped.
///
/// One that is not recorded, because its trace is not sampled, only carries its context.
#[derive(Debug)]
pub struct Span {
    context: SpanContext,
    local: Option<LocalSpan>,
    /// Has a context that holds this span find it.
    listed: Option<Listed>,
    ends_on_drop: bool,
}

impl Span {
    /// A span that ends when this is ended or dropped.
    pub(super) fn recording(local: LocalSpan) -> Self {
        let mut span = Self::handle(local);
        span.ends_on_drop = true;
        span
    }

    pub(super) fn silent(context: SpanContext) -> Self {
        Self {
            context,
            local: None,
            listed: None,
            ends_on_drop: false,
        }
    }

    #[cfg(test)]
    pub(super) fn buffer_capacity(&self) -> usize {
        self.local.as_ref().map_or(0, LocalSpan::buffer_capacity)
    }

    /// The span as a context holds it, while something else ends it.
    pub(super) fn handle(local: LocalSpan) -> Self {
        let mut span = Self::unlisted(local);
        span.listed = span.local.as_ref().map(Listed::new);
        span
    }

    /// The same for a context that is only entered where the thread notes the span.
    pub(super) fn unlisted(local: LocalSpan) -> Self {
        Self {
            context: local.context(),
            local: Some(local),
            listed: None,
            ends_on_drop: false,
        }
    }
}

/// Ends a span, and logs the error that its body ended with. Returns whether no span of the trace is open any more.
pub(super) fn end(span: &LocalSpan, outcome: Outcome) -> bool {
    let exception = span.exception_for_log();
    let is_last = span.end_with(outcome);
    // The span ends first: a listener is user code, and may panic.
    if let Some((kind, exception)) = exception {
        log(span, &kind, &exception);
    }
    is_last
}

/// Records an error that the body has met.
pub(super) fn add_exception(span: &LocalSpan, exception: &Exception) {
    let signal = span.recorder().exceptions;
    if signal.has_span_events() {
        span.add_exception_event(exception);
    }
    if signal.has_logs()
        && let Some(kind) = span.kind()
    {
        log(span, &kind, exception);
    }
}

/// Logs an error. The log's listeners see the span as the current one, and nothing else.
fn log(span: &LocalSpan, kind: &SpanKind, exception: &Exception) {
    let cx = Context::new().with_span(Span::unlisted(span.clone()));
    let mut scope = ThreadScope::new(cx, Some(EnteredSpan::Span(span.clone())));
    let _entered = scope.enter();
    diag::guarded(|| exception.log(kind));
}

impl opentelemetry::trace::Span for Span {
    fn add_event_with_timestamp<T>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    ) where
        T: Into<Cow<'static, str>>,
    {
        if let Some(local) = &self.local {
            local.add_event(&name.into(), timestamp, &attributes, 0);
        }
    }

    fn span_context(&self) -> &SpanContext {
        &self.context
    }

    fn is_recording(&self) -> bool {
        self.local.as_ref().is_some_and(LocalSpan::is_recording)
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if let Some(local) = &self.local {
            local.tag(|tags| tags.set_any(attribute.key.as_str(), &attribute.value));
        }
    }

    fn set_attributes(&mut self, attributes: impl IntoIterator<Item = KeyValue>) {
        if let Some(local) = &self.local {
            // The iterator is the user's code.
            let mut tags = local.tags();
            for attribute in attributes {
                tags.set_any(attribute.key.as_str(), &attribute.value);
            }
            local.append(&tags);
        }
    }

    fn set_status(&mut self, status: Status) {
        if let Some(local) = &self.local {
            local.set_status(status);
        }
    }

    fn update_name<T>(&mut self, new_name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        if let Some(local) = &self.local {
            local.set_name(&new_name.into());
        }
    }

    fn add_link(&mut self, span_context: SpanContext, attributes: Vec<KeyValue>) {
        if let Some(local) = &self.local {
            local.add_link(&span_context, &attributes, 0);
        }
    }

    fn end(&mut self) {
        if let Some(local) = &self.local
            && end(local, Outcome::Ok)
        {
            local.give_cell_back();
        }
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        if let Some(local) = &self.local {
            local.end_with_timestamp(timestamp);
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if self.ends_on_drop
            && let Some(mut local) = self.local.take()
        {
            // The list's reference goes first, so that ours is the last and the trace's buffers are reused.
            self.listed = None;
            if end(&local, Outcome::Ok) {
                local.recycle();
            }
        }
    }
}
