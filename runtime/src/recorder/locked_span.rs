//! What is done to an open span while its trace's lock is held.

use opentelemetry::trace::Status;

use super::open::OpenSpan;
use crate::attribute::{Key, Tags, Value};
use crate::config::Limits;

pub(super) const ERROR_TYPE: Key<'_> = Key::new("error.type");

/// An open span while the lock is held: user code must not run meanwhile.
pub(crate) struct LockedSpan<'a> {
    pub(super) span: &'a mut OpenSpan,
    limits: &'a Limits,
    /// Bytes that the span may still take.
    room: usize,
}

impl<'a> LockedSpan<'a> {
    pub(super) fn new(span: &'a mut OpenSpan, limits: &'a Limits, room: usize) -> Self {
        Self { span, limits, room }
    }

    /// Whether the attribute is set.
    pub(crate) fn has(&mut self, key: &Key<'_>) -> bool {
        self.span.has(key)
    }

    /// The value of an attribute that is a string.
    pub(crate) fn text(&mut self, key: &Key<'_>) -> Option<String> {
        self.span.text(key)
    }

    /// Sets attributes where they belong.
    pub(crate) fn tag(&mut self, write: impl FnOnce(&mut Tags)) {
        let before = self.span.len();
        self.span.write(self.limits, self.room, write);
        // What an earlier value gave back is there the next time.
        let added = self.span.len().saturating_sub(before);
        self.room = self.room.saturating_sub(added);
    }

    /// Sets an attribute beside what the limits allow: the tags of a handler must not push out what a request is found by.
    pub(crate) fn set(&mut self, key: Key<'_>, value: &(impl Value + ?Sized)) {
        self.span.replace(&key, |tags| tags.set(key, value));
    }

    /// Adds ` {suffix}` to the name, if it is `initial` still.
    pub(crate) fn extend_name(&mut self, initial: &str, suffix: &str) {
        if self.span.name == initial {
            self.span.extend_name(suffix);
        }
    }

    /// Marks the span as an error. What the application has said of it stands: it knows more.
    pub(crate) fn fail(&mut self, error_type: &str) {
        if !self.has(&ERROR_TYPE) {
            self.set(ERROR_TYPE, error_type);
        }
        if !self.span.has_status() {
            self.span.set_status(Status::error(""));
        }
    }

    /// Notes when the response's head was sent.
    pub(crate) fn answer(&mut self, at: u64) {
        self.span.answered = Some(at);
    }

    /// The error was the client's: a response of 4xx says enough.
    pub(crate) fn forget_exception(&mut self) {
        self.span.exception = None;
    }
}
