//! An error as data, with its attributes (semantic conventions, "Recording exceptions"). `exception_policy` says where it is recorded.

use opentelemetry::KeyValue;

use crate::semconv::Redaction;

/// The name of a span's event.
pub(super) const EXCEPTION: &str = "exception";

pub(super) const TYPE: &str = "exception.type";
pub(super) const MESSAGE: &str = "exception.message";

/// More than an event of an error takes beside type and message.
const EVENT_BYTES: usize = 128;

/// An error, as it is recorded: HTTP clients and others have URLs in their messages, whose secrets are redacted.
#[derive(Debug, Clone)]
pub(super) struct Exception {
    error_type: Option<&'static str>,
    message: String,
}

impl Exception {
    pub(super) fn new(
        error_type: Option<&'static str>,
        message: String,
        redaction: &Redaction,
    ) -> Self {
        Self {
            error_type,
            message: redaction.of_text(message),
        }
    }

    pub(super) fn error_type(&self) -> Option<&'static str> {
        self.error_type
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

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
}
