//! How the work under a span came to its end.

use opentelemetry::trace::Status;

use super::local::LocalSpan;
use super::open::OpenSpan;
use crate::attribute::{Key, Tags};

/// How the work under a span came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Completed,
    /// It failed, with an error of that type.
    Failed(&'static str),
    /// Its future was dropped before it was done.
    Cancelled,
    Panicked,
}

const OUTCOME: Key = Key::new("biztrace.outcome");
const ERROR_TYPE: Key = Key::new("error.type");

impl Outcome {
    /// What the outcome adds to the tags of `span`. An error type that the application has set says more than ours.
    pub(super) fn tags(self, span: &LocalSpan, tags: &mut Tags) {
        match self {
            Self::Completed => {}
            Self::Failed(_) if span.has(&ERROR_TYPE) => {}
            Self::Failed(error_type) => tags.set(&ERROR_TYPE, error_type),
            Self::Cancelled => tags.set(&OUTCOME, "cancelled"),
            Self::Panicked => {
                tags.set(&ERROR_TYPE, "panic");
                tags.set(&OUTCOME, "panicked");
            }
        }
    }

    /// Cancelling is no error. An outcome does not overrule a status that the application set.
    pub(super) fn status(self, span: &mut OpenSpan) {
        if matches!(self, Self::Failed(_) | Self::Panicked) && !span.has_status() {
            span.set_status(Status::error(""));
        }
    }
}
