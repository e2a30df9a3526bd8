//! How the work under a span came to its end.

/// How the work under a span came to its end. Cancelling is no error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Completed,
    /// It failed, with an error of that type.
    Failed(&'static str),
    /// Its future was dropped before it was done.
    Cancelled,
    Panicked,
}
