//! An error as data, with its attributes (semantic conventions, "Recording exceptions"). `exception_policy` says where it is recorded.

use opentelemetry::KeyValue;

/// The name of a span's event.
pub(super) const EXCEPTION: &str = "exception";

pub(super) const TYPE: &str = "exception.type";
pub(super) const MESSAGE: &str = "exception.message";

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
}
