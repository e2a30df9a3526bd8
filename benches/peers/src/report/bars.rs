//! What biztrace is to reach, and whether it does.

use serde::Serialize;

use super::summary::Summary;
use crate::run::{Scenario, Variant};
use crate::stats::median;

/// A value that is to stay within a limit.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Bar {
    pub(crate) what: String,
    /// Nothing, if what it takes was not measured.
    pub(crate) value: Option<f64>,
    pub(crate) limit: Limit,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Limit {
    AtMost(f64),
    Below(f64),
    Exactly(f64),
}

impl Bar {
    pub(crate) fn verdict(&self) -> &'static str {
        let Some(value) = self.value else {
            return "not measured";
        };
        let met = match self.limit {
            Limit::AtMost(limit) => value <= limit,
            Limit::Below(limit) => value < limit,
            Limit::Exactly(limit) => value == limit,
        };
        if met { "met" } else { "missed" }
    }
}

impl Summary<'_> {
    pub(crate) fn bars(&self) -> Vec<Bar> {
        use Scenario::{All, None as Nothing, Tenth};
        use Variant::{Bare, Biztrace, Gin};

        let upper_end = self.added(All, Biztrace).map(|added| added.high);
        let added = |scenario| Some(self.added(scenario, Biztrace)?.median);
        let best = |scenario| Some(self.best_peer(scenario)?.1);
        let best_name = |scenario| match self.best_peer(scenario) {
            Some((peer, _)) if scenario.ratio() < 1.0 => {
                format!("{}'s, the best peer with a sampler", peer.name())
            }
            Some((peer, _)) => format!("{}'s, the best peer", peer.name()),
            None => "the best peer's".into(),
        };
        let cpu = |variant| Some(self.row(All, variant)?.cpu);
        let memory = |variant| Some(self.row(All, variant)?.peak_memory);
        let p99 = self.paired(All, Biztrace, Bare, |round| Some(round.latency?.p99));

        let bar = |what: String, value, limit| Bar { what, value, limit };
        vec![
            bar(
                format!(
                    "CPU added, all recorded: upper end of biztrace's ÷ {} (aim: 0.125)",
                    best_name(All)
                ),
                ratio(upper_end, best(All)),
                Limit::AtMost(0.2),
            ),
            bar(
                format!(
                    "CPU added: biztrace's, all recorded ÷ {}, a tenth recorded",
                    best_name(Tenth)
                ),
                ratio(added(All), best(Tenth)),
                Limit::Below(1.0),
            ),
            bar(
                format!(
                    "CPU added, nothing recorded: biztrace's ÷ {}",
                    best_name(Nothing)
                ),
                ratio(added(Nothing), best(Nothing)),
                Limit::AtMost(1.0 / 3.0),
            ),
            bar(
                "CPU: biztrace's, all recorded ÷ gin's, without tracing".into(),
                ratio(cpu(Biztrace), cpu(Gin)),
                Limit::Below(1.0),
            ),
            bar(
                "p99, all recorded: biztrace's ÷ bare's, median of the rounds".into(),
                median(p99.map(|(with, without)| with / without)),
                Limit::AtMost(1.1),
            ),
            bar(
                "spans of biztrace: delivered ÷ recorded".into(),
                self.delivered(Biztrace),
                Limit::Exactly(1.0),
            ),
            bar(
                "peak memory, all recorded: biztrace's ÷ bare's".into(),
                ratio(memory(Biztrace), memory(Bare)),
                Limit::AtMost(1.5),
            ),
            bar(
                "CPU of biztrace's export thread for a span, all recorded, in µs".into(),
                self.export(All),
                Limit::AtMost(1.0),
            ),
        ]
    }

    /// The share of the spans that arrived, in all scenarios that say how many there are.
    fn delivered(&self, variant: Variant) -> Option<f64> {
        let rows = self.rows.iter().filter(|row| row.variant == variant);
        let (delivered, expected) = rows
            .filter_map(|row| Some((row.delivered_spans, row.expected_spans?)))
            .fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
        (expected > 0).then(|| delivered as f64 / expected as f64)
    }
}

/// What is compared to nothing, or to less, is infinitely more: noise must not meet a bar.
fn ratio(value: Option<f64>, other: Option<f64>) -> Option<f64> {
    let (value, other) = (value?, other?);
    Some(if other > 0.0 {
        value / other
    } else {
        f64::INFINITY
    })
}
