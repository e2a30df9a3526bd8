//! Whether a report adds up, by exporter and by tier, and goes on from an earlier one.

use biztrace::report::{DropReason, Dropped, ExporterReport, Report, TierReport};

/// Why spans of a tier are dropped. Other reasons may come before the tier is certain.
const OF_TIERS: [DropReason; 6] = [
    DropReason::QueueFull,
    DropReason::Unreachable,
    DropReason::Refused,
    DropReason::Rejected,
    DropReason::Unknown,
    DropReason::SampledOut,
];

pub(crate) fn assert_balanced(report: &Report) {
    let parts = |it: &ExporterReport| it.delivered + it.dropped.total() + it.waiting;
    for exporter in &report.exporters {
        assert_eq!(exporter.recorded, parts(exporter), "{report:?}");
        assert_tiers_balance(exporter);
    }
    let total = report.delivered + report.dropped.total() + report.waiting;
    assert_eq!(report.recorded, total, "{report:?}");
    let tiers = report.exporters.iter().flat_map(|it| &it.tiers);
    let kept: u64 = tiers.map(|tier| tier.kept).sum();
    assert_eq!(sum(&report.tiers, |tier| tier.kept), kept, "{report:?}");
}

fn assert_tiers_balance(exporter: &ExporterReport) {
    let tiers = &*exporter.tiers;
    for tier in tiers {
        let lost = tier.dropped.total() - tier.dropped.get(DropReason::SampledOut);
        let parts = tier.delivered + lost + tier.waiting;
        assert_eq!(tier.kept, parts, "{exporter:?}");
    }
    if tiers.is_empty() {
        return;
    }
    let delivered = sum(tiers, |tier| tier.delivered);
    assert_eq!(delivered, exporter.delivered, "{exporter:?}");
    assert!(sum(tiers, |tier| tier.waiting) <= exporter.waiting);
    for (why, spans) in exporter.dropped.iter() {
        let of_tiers = sum(tiers, |tier| tier.dropped.get(why));
        let is_right = match OF_TIERS.contains(&why) {
            true => of_tiers == spans,
            false => of_tiers <= spans,
        };
        assert!(is_right, "{why:?}: {exporter:?}");
    }
}

fn sum(tiers: &[TierReport], number: impl Fn(&TierReport) -> u64) -> u64 {
    tiers.iter().map(number).sum()
}

pub(crate) fn assert_closed(report: &Report) {
    assert_balanced(report);
    assert_eq!(report.waiting, 0, "{report:?}");
}

/// `after` balances, and counts no less than `before`.
pub(crate) fn assert_follows(before: &Report, after: &Report) {
    assert_balanced(after);
    for (before, after) in before.exporters.iter().zip(&after.exporters) {
        let mut is_right = before.recorded <= after.recorded
            && before.delivered <= after.delivered
            && follow(&before.dropped, &after.dropped);
        for (before, after) in before.tiers.iter().zip(&after.tiers) {
            is_right &= before.kept <= after.kept
                && before.delivered <= after.delivered
                && follow(&before.dropped, &after.dropped);
        }
        assert!(is_right, "{before:?}\nand then {after:?}");
    }
}

fn follow(before: &Dropped, after: &Dropped) -> bool {
    before.iter().all(|(why, spans)| after.get(why) >= spans)
}
