//! How the work under a span came to its end.

/// How the work under a span came to its end: what the span is told, and whatever else counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    /// The caller made a mistake (4xx), which is no error of this side.
    ClientError,
    /// This side answered that it failed (5xx).
    ServerError,
    /// It failed, with an error of that type.
    Failed(&'static str),
    /// Its future was dropped before it was done, which is no error.
    Cancelled,
    Panicked,
    /// It took longer than it may (408, 504).
    TimedOut,
}
