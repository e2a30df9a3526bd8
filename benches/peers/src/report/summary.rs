//! The rounds, taken together.

use clap::ValueEnum;
use serde::Serialize;

use crate::load::Latency;
use crate::run::{Measurement, Scenario, Variant};
use crate::stats::{Estimate, estimate, median};

/// A variant in a scenario: medians of the rounds, and sums of what was counted.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) scenario: Scenario,
    pub(crate) variant: Variant,
    /// for a request, in µs
    pub(crate) cpu: f64,
    /// over the baseline in the same round, for a request, in µs
    pub(crate) added: Option<Estimate>,
    /// requests a second
    pub(crate) rate: f64,
    pub(crate) latency: Option<Latency>,
    pub(crate) steady_latency: Option<Latency>,
    /// in MiB
    pub(crate) peak_memory: f64,
    pub(crate) requests: u64,
    pub(crate) delivered_spans: u64,
    pub(crate) expected_spans: Option<u64>,
    /// of a request that was recorded
    pub(crate) attributes: Option<f64>,
}

/// All rows, and the rounds that they are made of.
#[derive(Debug)]
pub(crate) struct Summary<'a> {
    pub(crate) rows: Vec<Row>,
    measurements: &'a [Measurement],
}

impl<'a> Summary<'a> {
    pub(crate) fn new(measurements: &'a [Measurement]) -> Self {
        let mut summary = Self {
            rows: Vec::new(),
            measurements,
        };
        for scenario in Scenario::value_variants() {
            for variant in Variant::value_variants() {
                let row = summary.summarize(*scenario, *variant);
                summary.rows.extend(row);
            }
        }
        summary
    }

    /// Nothing, if it was not measured.
    fn summarize(&self, scenario: Scenario, variant: Variant) -> Option<Row> {
        let rounds = || self.rounds(scenario, variant);
        let requests = rounds().map(|round| round.requests).sum();
        let attributes: u64 = rounds().map(|round| round.arrived.attributes).sum();
        let recorded: u64 = rounds().map(|round| round.arrived.server_spans).sum();
        let added = variant.baseline().and_then(|baseline| {
            let pairs = self.paired((scenario, variant), (scenario, baseline), |round| {
                Some(round.cpu)
            });
            let added: Vec<f64> = pairs.map(|(with, without)| with - without).collect();
            estimate(&added)
        });
        Some(Row {
            scenario,
            variant,
            cpu: median(rounds().map(|round| round.cpu))?,
            added,
            rate: median(rounds().map(|round| round.rate))?,
            latency: median_latency(rounds().filter_map(|round| round.latency).collect()),
            steady_latency: median_latency(
                rounds().filter_map(|round| round.steady_latency).collect(),
            ),
            peak_memory: median(rounds().map(|round| round.peak_memory))?,
            requests,
            delivered_spans: rounds().map(|round| round.arrived.spans).sum(),
            expected_spans: variant.expected_spans(scenario, requests),
            attributes: (recorded > 0).then(|| attributes as f64 / recorded as f64),
        })
    }

    fn rounds(
        &self,
        scenario: Scenario,
        variant: Variant,
    ) -> impl Iterator<Item = &'a Measurement> {
        let measurements = self.measurements.iter();
        measurements.filter(move |it| it.scenario == scenario && it.variant == variant)
    }

    /// What two variants have measured in the same round, each in a scenario.
    pub(crate) fn paired(
        &self,
        one: (Scenario, Variant),
        other: (Scenario, Variant),
        value: impl Fn(&Measurement) -> Option<f64>,
    ) -> impl Iterator<Item = (f64, f64)> {
        self.rounds(one.0, one.1).filter_map(move |round| {
            let same_round = self.in_round(other, round.round)?;
            Some((value(round)?, value(same_round)?))
        })
    }

    fn in_round(
        &self,
        (scenario, variant): (Scenario, Variant),
        round: u64,
    ) -> Option<&'a Measurement> {
        self.rounds(scenario, variant).find(|it| it.round == round)
    }

    /// What one adds ÷ what the other adds, round by round.
    pub(crate) fn ratio_of_added(
        &self,
        one: (Scenario, Variant),
        other: (Scenario, Variant),
    ) -> Option<Estimate> {
        let added = |(scenario, variant): (Scenario, Variant), round| {
            let baseline = self.in_round((scenario, variant.baseline()?), round)?;
            Some(self.in_round((scenario, variant), round)?.cpu - baseline.cpu)
        };
        let rounds = self.rounds(one.0, one.1).map(|it| it.round);
        let ratios = rounds.filter_map(|round| {
            let (value, other) = (added(one, round)?, added(other, round)?);
            // What is compared to nothing, or to less, is infinitely more: noise must not meet a bar.
            Some(if other > 0.0 {
                value / other
            } else {
                f64::INFINITY
            })
        });
        estimate(&ratios.collect::<Vec<_>>())
    }

    pub(crate) fn row(&self, scenario: Scenario, variant: Variant) -> Option<&Row> {
        let mut rows = self.rows.iter();
        rows.find(|row| row.scenario == scenario && row.variant == variant)
    }

    /// What biztrace's export thread takes for a span, in µs.
    pub(crate) fn export(&self, scenario: Scenario) -> Option<f64> {
        median(
            self.rounds(scenario, Variant::Biztrace)
                .filter_map(|round| round.export),
        )
    }

    /// The peer that adds the least, of those that do the whole work: deliver all spans, and have a sampler if not all are recorded.
    pub(crate) fn best_peer(&self, scenario: Scenario) -> Option<Variant> {
        let peers = Variant::PEERS.into_iter();
        peers
            .filter(|peer| scenario.ratio() == 1.0 || Variant::WITH_SAMPLER.contains(peer))
            .filter_map(|peer| self.row(scenario, peer))
            .filter(|row| {
                row.expected_spans
                    .is_none_or(|expected| row.delivered_spans >= expected)
            })
            .filter_map(|row| Some((row.variant, row.added?.median)))
            .min_by(|(_, added), (_, other)| added.total_cmp(other))
            .map(|(peer, _)| peer)
    }
}

fn median_latency(rounds: Vec<Latency>) -> Option<Latency> {
    let median = |at: fn(&Latency) -> f64| median(rounds.iter().map(at));
    Some(Latency {
        p50: median(|latency| latency.p50)?,
        p99: median(|latency| latency.p99)?,
        p999: median(|latency| latency.p999)?,
    })
}
