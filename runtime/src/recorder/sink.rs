//! The pipeline, as the recorder sees it.

use std::fmt::Debug;

use super::runs::Runs;

/// Where ended spans go.
pub(crate) trait Sink: Debug + Send + Sync {
    /// A span has ended, and waits in its trace.
    fn ended(&self);
    /// These spans are kept. So many of them are `new`: `ended` was not told of them.
    fn kept(&self, spans: &Runs, new: u64);
    /// So many ended spans are dropped, since their trace is not kept.
    fn dropped(&self, spans: u64);
    /// A span was not recorded.
    fn refused(&self, why: Refusal);
}

/// Which of the ended spans that wait in their traces are handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// Those that have waited for `Limits::hold`. A trace without a verdict is decided then.
    Overdue,
    /// Also those of traces that have a verdict.
    Decided,
    /// All of them. Traces without a verdict are decided.
    All,
}

/// Why a span is not recorded that the sampler wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Its trace has had its share.
    Trace,
    /// All telemetry has.
    Memory,
}
