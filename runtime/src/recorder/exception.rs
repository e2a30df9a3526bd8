//! Errors that spans end with: events of theirs, or events in the log (semantic conventions, "Recording exceptions").

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;
use tracing::Level;

use crate::diag;

/// The name of a span's event.
pub(super) const EXCEPTION: &str = "exception";

const TYPE: &str = "exception.type";
const MESSAGE: &str = "exception.message";

/// More than an event of an error takes beside type and message.
const EVENT_BYTES: usize = 128;

/// An error, as it is recorded.
#[derive(Debug, Clone)]
pub(super) struct Exception {
    pub(super) error_type: Option<&'static str>,
    pub(super) message: String,
}

impl Exception {
    /// The attributes of a span's event that has `room` bytes.
    pub(super) fn attributes(&self, room: usize) -> Vec<KeyValue> {
        let error_type = self.error_type.map(|it| KeyValue::new(TYPE, it));
        let others = EVENT_BYTES + self.error_type.map_or(0, str::len);
        let mut end = self.message.len().min(room.saturating_sub(others));
        while !self.message.is_char_boundary(end) {
            end -= 1;
        }
        let message = KeyValue::new(MESSAGE, self.message[..end].to_owned());
        error_type.into_iter().chain([message]).collect()
    }

    /// Tells the log of it. The span, which is of that kind, must be current.
    pub(super) fn log(&self, kind: &SpanKind) {
        if !diag::has_listener() {
            return warn_of_no_log();
        }
        macro_rules! event {
            ($name:literal) => {
                tracing::event!(
                    name: $name,
                    target: "biztrace",
                    Level::ERROR,
                    { TYPE } = self.error_type,
                    { MESSAGE } = &*self.message,
                )
            };
        }
        match kind {
            SpanKind::Server => event!("http.server.request.exception"),
            SpanKind::Client => event!("http.client.request.exception"),
            SpanKind::Internal | SpanKind::Producer | SpanKind::Consumer => event!("exception"),
        }
    }
}

#[cold]
fn warn_of_no_log() {
    static ONCE: diag::Once = diag::Once::new();
    ONCE.warn(format_args!(
        "errors are to go to the log (OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN, `TelemetryBuilder::exceptions`), and there is none: set up a \
         subscriber of `tracing`, or a logger of `log`, or have them as events of spans"
    ));
}
