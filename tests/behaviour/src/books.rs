//! Whether an instance accounts for each span.

use biztrace::report::{DropReason, Dropped, Report};

/// Spans that were to be delivered, and were not.
#[must_use]
pub fn lost(dropped: &Dropped) -> u64 {
    dropped.total() - dropped.get(DropReason::SampledOut)
}

/// Checks that each recorded span is in one place, and each span of a tier.
///
/// # Panics
///
/// If the books do not balance.
#[track_caller]
pub fn assert_balanced(report: &Report) {
    let sum = report.delivered + report.dropped.total() + report.waiting;
    assert_eq!(report.recorded, sum, "{report}");
    for tier in &report.tiers {
        let sum = tier.delivered + lost(&tier.dropped) + tier.waiting;
        assert_eq!(tier.kept, sum, "{report}");
    }
}
