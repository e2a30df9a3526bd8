//! The pipeline, as the recorder sees it.

use std::fmt::Debug;

use super::encoded_spans::EncodedSpans;
use crate::sampling::TierId;

/// Where ended spans go.
pub(crate) trait Sink: Debug + Send + Sync {
    /// A span has ended, and waits in its trace.
    fn ended(&self);
    /// These spans are kept. `ended` has not counted `new` of them. A trace has a tier if there was a verdict.
    fn kept(&self, spans: &EncodedSpans, new: u64, tier: Option<TierId>);
    /// `spans` ended spans are dropped: their trace is not kept.
    fn dropped(&self, spans: u64, tier: Option<TierId>);
    /// A span was not recorded.
    fn refused(&self, why: Refusal);
}

/// Which of the ended spans that wait in their traces are handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// Spans that have waited for `Limits::hold`. A trace without a verdict is decided then.
    Overdue,
    /// Also spans of decided traces.
    Decided,
    /// All waiting spans. Traces without a verdict are decided.
    All,
}

/// Why a span that the sampler wants is not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The trace has reached its limits.
    Trace,
    /// The instance has reached `Limits::memory`.
    Memory,
}
