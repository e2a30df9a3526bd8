//! Where errors are recorded: as events of their spans, in the log, or both, as [`ExceptionSignal`] says (semantic conventions,
//! "Recording exceptions").
//!
//! An error that the body has met is recorded at once. An error that the body ends with waits for the end of the span: a response
//! of 4xx may still say enough. Spans only store errors.

use std::time::SystemTime;

use opentelemetry::Context;
use opentelemetry::trace::{SpanKind, SpanRef, TraceContextExt};
use tracing::Level;

use super::current::EnteredSpan;
use super::exception::{EXCEPTION, Exception, MESSAGE, TYPE};
use super::local::LocalSpan;
use super::span::Span;
use super::thread_scope::ThreadScope;
use crate::config::ExceptionSignal;
use crate::diag;
use crate::semconv::Outcome;

/// Records an error that the body has met.
pub(super) fn record(span: &LocalSpan, exception: &Exception) {
    let signal = span.recorder().exceptions;
    if signal != ExceptionSignal::Logs {
        span.add_exception_event(exception);
    }
    if signal != ExceptionSignal::SpanEvents
        && let Some(kind) = span.kind()
    {
        log(span, &kind, exception);
    }
}

/// Records an error on a span of another implementation, which the settings do not reach.
pub(super) fn record_on_other(span: &SpanRef<'_>, exception: &Exception) {
    span.add_event(EXCEPTION, exception.attributes(usize::MAX));
}

/// Ends a span, and records the error that its body ended with. Returns whether no span of the trace is open any more.
pub(super) fn end(span: &LocalSpan, outcome: Outcome) -> bool {
    end_by(span, || span.end_with(outcome))
}

/// Ends a span at `time`, and records the error that its body ended with.
pub(super) fn end_with_timestamp(span: &LocalSpan, time: SystemTime) {
    end_by(span, || span.end_with_timestamp(time));
}

/// Runs `end`, which makes the error that the span still has an event of the span.
#[inline]
fn end_by<R>(span: &LocalSpan, end: impl FnOnce() -> R) -> R {
    let for_log = match span.recorder().exceptions {
        ExceptionSignal::SpanEvents => None,
        ExceptionSignal::Logs => span.take_exception(),
        ExceptionSignal::Both => span.exception(),
    };
    let ended = end();
    // The span ends first: a listener is user code, and may panic.
    if let Some((kind, exception)) = for_log {
        log(span, &kind, &exception);
    }
    ended
}

/// Logs an error. The log's listeners see the span as the current one, and nothing else.
fn log(span: &LocalSpan, kind: &SpanKind, exception: &Exception) {
    let cx = Context::new().with_span(Span::unlisted(span.clone()));
    let mut scope = ThreadScope::new(cx, Some(EnteredSpan::Span(span.clone())));
    let _entered = scope.enter();
    diag::guarded(|| log_current(kind, exception));
}

/// Logs an error of the current span, which is of that kind.
fn log_current(kind: &SpanKind, exception: &Exception) {
    if !diag::has_listener() {
        return warn_of_no_log();
    }
    macro_rules! event {
        ($name:literal) => {
            tracing::event!(
                name: $name,
                target: "biztrace",
                Level::ERROR,
                { TYPE } = exception.error_type(),
                { MESSAGE } = exception.message(),
            )
        };
    }
    match kind {
        SpanKind::Server => event!("http.server.request.exception"),
        SpanKind::Client => event!("http.client.request.exception"),
        SpanKind::Internal | SpanKind::Producer | SpanKind::Consumer => event!("exception"),
    }
}

#[cold]
fn warn_of_no_log() {
    static ONCE: diag::Once = diag::Once::new();
    ONCE.warn(format_args!(
        "errors are configured to be logged (OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN, `TelemetryBuilder::exceptions`), but no `tracing` subscriber \
         or `log` logger is installed. Install one, or have errors recorded as events of spans"
    ));
}
