//! What biztrace is to reach, and whether it does.

use std::fmt;

use serde::Serialize;

use super::markdown::round;
use super::summary::Summary;
use crate::load::Latency;
use crate::run::{Measurement, Scenario, Variant};
use crate::stats::median;

/// A value that is to stay within a limit; the upper end of its interval, if it has one.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Bar {
    pub(crate) what: String,
    /// Nothing, if what it takes was not measured.
    pub(crate) value: Option<f64>,
    pub(crate) upper_end: Option<f64>,
    pub(crate) limit: Limit,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
    Below(f64),
    Exactly(f64),
}

impl Bar {
    pub(crate) fn verdict(&self) -> &'static str {
        let Some(value) = self.upper_end.or(self.value) else {
            return "not measured";
        };
        let met = match self.limit {
            Limit::AtMost(limit) => value <= limit,
            Limit::AtLeast(limit) => value >= limit,
            Limit::Below(limit) => value < limit,
            Limit::Exactly(limit) => value == limit,
        };
        if met { "met" } else { "missed" }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, limit) = match *self {
            Self::AtMost(limit) => ('≤', limit),
            Self::AtLeast(limit) => ('≥', limit),
            Self::Below(limit) => ('<', limit),
            Self::Exactly(limit) => ('=', limit),
        };
        write!(f, "{sign} {}", round(limit))
    }
}

impl Summary<'_> {
    pub(crate) fn bars(&self) -> Vec<Bar> {
        use Scenario::{All, Keep, None as Nothing, Tenth};
        use Variant::{Bare, Biztrace, Fastrace, Gin};

        let added = |what: &str, scenario, against, peer: Option<Variant>, limit| {
            let name = match peer {
                Some(Fastrace) if against != All => "fastrace's, which has no sampler",
                Some(peer) => &format!("{}'s, the best peer", peer.name()),
                None => "the best peer's",
            };
            let ratio =
                peer.and_then(|peer| self.ratio_of_added((scenario, Biztrace), (against, peer)));
            Bar {
                what: format!("CPU added, {what} recorded: biztrace's ÷ {name}"),
                value: ratio.map(|ratio| ratio.median),
                upper_end: ratio.map(|ratio| ratio.high),
                limit,
            }
        };
        let against_best = |what, scenario, against, limit| {
            added(what, scenario, against, self.best_peer(against), limit)
        };
        let against_fastrace =
            |what, scenario, against, limit| added(what, scenario, against, Some(Fastrace), limit);
        let all_to_tenth = "all and a tenth";
        let cpu = |variant| Some(self.row(All, variant)?.cpu);
        let memory = |variant| Some(self.row(All, variant)?.peak_memory);
        let p99 = |latency: fn(&Measurement) -> Option<Latency>| {
            let pairs = self.paired((All, Biztrace), (All, Bare), |round| {
                Some(latency(round)?.p99)
            });
            median(pairs.map(|(with, without)| with / without))
        };

        let bar = |what: &str, value, limit| Bar {
            what: what.into(),
            value,
            upper_end: None,
            limit,
        };
        vec![
            against_best("all", All, All, Limit::AtMost(0.2)),
            against_best(all_to_tenth, All, Tenth, Limit::Below(1.0)),
            against_fastrace(all_to_tenth, All, Tenth, Limit::Below(1.0)),
            against_best(
                "all for `Keep` and a tenth",
                Keep,
                Tenth,
                Limit::AtMost(0.6),
            ),
            against_best("nothing", Nothing, Nothing, Limit::AtMost(1.0 / 3.0)),
            against_fastrace("nothing", Nothing, Nothing, Limit::AtMost(1.0 / 3.0)),
            bar(
                "CPU: biztrace's, all recorded ÷ gin's, without tracing",
                ratio(cpu(Biztrace), cpu(Gin)),
                Limit::Below(1.0),
            ),
            bar(
                "p99, all recorded, at half of bare's rate: biztrace's ÷ bare's, median of the rounds",
                p99(|round| round.latency),
                Limit::AtMost(1.1),
            ),
            bar(
                "p99, all recorded, at the steady rate: biztrace's ÷ bare's, median of the rounds",
                p99(|round| round.steady_latency),
                Limit::AtMost(1.1),
            ),
            bar(
                "spans of biztrace: delivered ÷ recorded",
                self.delivered(Biztrace),
                Limit::Exactly(1.0),
            ),
            bar(
                "peak memory, all recorded: biztrace's ÷ bare's",
                ratio(memory(Biztrace), memory(Bare)),
                Limit::AtMost(1.5),
            ),
            bar(
                "CPU of biztrace's export thread for a span, all recorded, in µs",
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

fn ratio(value: Option<f64>, other: Option<f64>) -> Option<f64> {
    Some(value? / other?)
}
