//! Errors as events of a span (semantic conventions, "Exceptions on spans").

use std::error::Error;
use std::fmt::{Display, Write};

use opentelemetry::KeyValue;

/// The name of the event.
pub(super) const EXCEPTION: &str = "exception";

/// What becomes of an error whose type is not known: the conventions' word for it.
pub(crate) const OTHER: &str = "_OTHER";

/// The attributes of the event.
pub(super) fn exception(error_type: Option<&'static str>, message: String) -> Vec<KeyValue> {
    let error_type = error_type.map(|error_type| KeyValue::new("exception.type", error_type));
    let message = KeyValue::new("exception.message", message);
    error_type.into_iter().chain([message]).collect()
}

/// An error's message and those of its sources, as `anyhow` joins them.
pub(crate) fn message(error: &(impl Error + ?Sized)) -> String {
    let mut message = text(error);
    let mut source = error.source();
    // Errors may form a cycle, by mistake.
    for _ in 0..MAX_SOURCES {
        let Some(error) = source else { break };
        let cause = text(error);
        // Some errors have their source's message in their own.
        if !message.ends_with(&cause) {
            message += ": ";
            message += &cause;
        }
        source = error.source();
    }
    message
}

/// What `shown` says of itself, as far as it gets: `to_string` would panic where it fails.
pub(crate) fn text(shown: &(impl Display + ?Sized)) -> String {
    let mut text = String::new();
    let _ = write!(text, "{shown}");
    text
}

const MAX_SOURCES: usize = 32;
