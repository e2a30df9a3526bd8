//! Where errors of spans are recorded.

use std::fmt;

use super::format::Format;

/// How an error is recorded, with its type and its message: as a span event, as a log event, or both (semantic conventions, "Recording exceptions"). The span is marked as
/// failed in any case. `OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN`.
///
/// In the log it is an event of [`tracing`](https://docs.rs/tracing), of level ERROR and named `http.server.request.exception` on a
/// request's span, `http.client.request.exception` on that of a request to others, and `exception` otherwise, with `exception.type` and
/// `exception.message`. The span is current meanwhile, so that what takes such events to OpenTelemetry's logs,
/// for example `opentelemetry-appender-tracing`, relates them to it; lines of `tracing_subscriber::fmt` do not name the span. Where no
/// subscriber is set, `log` has it, without the span.
///
/// ```
/// use biztrace::Telemetry;
/// use biztrace::settings::ExceptionSignal;
///
/// let telemetry = Telemetry::builder().exceptions(ExceptionSignal::Logs);
/// # let _ = telemetry;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ExceptionSignal {
    /// An event of the span: the default, which the conventions are about to leave.
    #[default]
    SpanEvents,
    /// An event in the log; `logs`.
    Logs,
    /// Both, for as long as something reads either; `logs/dup`.
    Both,
}

impl fmt::Display for ExceptionSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SpanEvents => "span events",
            Self::Logs => "logs",
            Self::Both => "logs/dup",
        })
    }
}

pub(super) const EXCEPTIONS: Format<ExceptionSignal> = Format {
    parse: |value, refused| {
        let mut all = [ExceptionSignal::Logs, ExceptionSignal::Both].into_iter();
        let signal = all.find(|it| value.eq_ignore_ascii_case(&it.to_string()));
        refused.or_add(signal, value, "logs or logs/dup")
    },
    shown: |signal| Some(signal.to_string()),
    written: ExceptionSignal::to_string,
};
