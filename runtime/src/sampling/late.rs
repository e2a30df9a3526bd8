//! What brings a trace back that its verdict has dropped: the verdict may come before the trace is over.

use std::time::Duration;

/// The ends of spans that bring a dropped trace back. The default is none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Late {
    /// That of a span that has failed.
    pub(super) errors: bool,
    /// That of the first span, if it has taken longer.
    pub(super) slower_than: Option<Duration>,
}

impl Late {
    /// Why a span that has ended brings its trace back, if it does. `latency` is that of the first span, and `None` for others.
    pub(crate) fn reason(
        self,
        has_failed: bool,
        latency: Option<Duration>,
    ) -> Option<&'static str> {
        if self.errors && has_failed {
            return Some("late_error");
        }
        let is_slow = self
            .slower_than
            .zip(latency)
            .is_some_and(|(least, it)| it > least);
        is_slow.then_some("late_slow")
    }
}
