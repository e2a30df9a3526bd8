//! The whole run: each variant in each scenario, several times, in an order that is fair.

mod measure;
mod scenario;
mod usage;
mod variant;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use clap::builder::RangedU64ValueParser;
use serde::Serialize;

pub(crate) use measure::{Measurement, export_time, load};
pub(crate) use scenario::{KEEP, Scenario};
pub(crate) use usage::cpu_time;
pub(crate) use variant::Variant;

use crate::report::Report;
use crate::sink::Sink;
use crate::stats::median;
use measure::Bench;

/// Of nine rounds, an interval of the median by bootstrap holds it in 96 % of repetitions; of seven, in 88 %.
pub(crate) const ROUNDS: u64 = 9;

/// Times that the bare service's rate is measured, which sets the pace for latency.
const PACE_ROUNDS: usize = 3;

#[derive(Debug, Clone, clap::Args, Serialize)]
pub(crate) struct RunArgs {
    /// Times that each variant is measured in each scenario
    #[arg(long, default_value_t = ROUNDS, value_parser = at_least_one())]
    pub(crate) rounds: u64,
    /// Requests of each measurement
    #[arg(long, default_value_t = 40_000, value_parser = at_least_one())]
    pub(crate) requests: u64,
    /// Requests before each measurement
    #[arg(long, default_value_t = 5_000)]
    pub(crate) warm_up: u64,
    /// Requests of each measurement of latency
    #[arg(long, default_value_t = 50_000, value_parser = at_least_one())]
    pub(crate) latency_requests: u64,
    /// Requests a second that all variants can answer, at which latency is measured, too
    #[arg(long, default_value_t = 10_000, value_parser = at_least_one())]
    pub(crate) steady_rate: u64,
    /// Scenarios to run; all, if none is given
    #[arg(long)]
    pub(crate) scenario: Vec<Scenario>,
    /// Variants to measure, beside what they are compared to; all, if none is given
    #[arg(long)]
    pub(crate) variant: Vec<Variant>,
    /// Where the report goes [default: docs/peers for a whole run, target/peers for a part of one]
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
}

/// Where a report goes unless the command line says.
pub(crate) fn default_out(is_whole: bool) -> PathBuf {
    let path = if is_whole {
        "docs/peers"
    } else {
        "target/peers"
    };
    path.into()
}

pub(crate) fn at_least_one() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(1..)
}

impl RunArgs {
    fn scenarios(&self) -> Vec<Scenario> {
        if self.scenario.is_empty() {
            return Scenario::value_variants().to_vec();
        }
        self.scenario.clone()
    }

    /// With each variant also its baseline; noop in any case.
    fn variants(&self) -> Vec<Variant> {
        let picked = |variant: &Variant| {
            let depends = |other: &Variant| other == variant || other.baseline() == Some(*variant);
            *variant == Variant::Noop || self.variant.is_empty() || self.variant.iter().any(depends)
        };
        let scenarios = self.scenarios();
        let takes_part = |variant: &Variant| scenarios.iter().any(|it| it.has(*variant));
        let all = Variant::value_variants().iter().copied();
        all.filter(picked).filter(takes_part).collect()
    }
}

/// Measures, prints the report and writes it.
pub(crate) fn run(args: &RunArgs) -> Result<()> {
    let mut variants = args.variants();
    let gin = std::env::current_exe()?.with_file_name("gin-service");
    if variants.iter().any(|variant| variant.is_go())
        && let Err(error) = build_gin(&gin)
    {
        eprintln!("\n*** gin and otelgin are LEFT OUT of this run: {error:#} ***\n");
        variants.retain(|variant| !variant.is_go());
    }
    let bench = Bench {
        args,
        sink: Sink::start()?,
        gin,
    };
    let mut failures = Vec::new();
    let measurements = measure_all(&bench, &variants, &mut failures)?;
    let is_whole = args.scenario.is_empty() && args.variant.is_empty() && failures.is_empty();
    let out = args.out.clone().unwrap_or_else(|| default_out(is_whole));
    Report::new(args, measurements)?.write(&out)?;
    ensure!(
        failures.is_empty(),
        "the report lacks what failed:\n{}",
        failures.join("\n")
    );
    Ok(())
}

/// Builds the Go services. That takes Go, and a network the first time.
fn build_gin(binary: &Path) -> Result<()> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("gin");
    let mut build = Command::new("go");
    build.arg("build").arg("-o").arg(binary).arg(".");
    let status = build
        .current_dir(source)
        .status()
        .context("cannot start `go`; is it on the PATH?")?;
    ensure!(status.success(), "`go build` failed, see above");
    Ok(())
}

/// Each round has all scenarios, so that a round of one can be compared with that of another. What fails is left out.
fn measure_all(
    bench: &Bench<'_>,
    variants: &[Variant],
    failures: &mut Vec<String>,
) -> Result<Vec<Measurement>> {
    let mut scenarios = Vec::new();
    for scenario in bench.args.scenarios() {
        let pace = scenario.has_latency().then(|| pace(bench, scenario));
        scenarios.push((scenario, pace.transpose()?));
    }
    let rounds = bench.args.rounds;
    let taking_part = |scenario: Scenario| {
        let variants = variants.iter().copied();
        variants.filter(move |variant| scenario.has(*variant))
    };
    let a_round = scenarios.iter().map(|(it, _)| taking_part(*it).count());
    let total = rounds as usize * a_round.sum::<usize>();
    let mut measurements = Vec::with_capacity(total);
    for round in 0..rounds {
        for (scenario, pace) in &scenarios {
            // Neighbours in time see the same machine. Who follows whom changes, since one may leave its mark on the next;
            // by the same seeds each time.
            let mut order: Vec<Variant> = taking_part(*scenario).collect();
            fastrand::Rng::with_seed(round).shuffle(&mut order);
            for variant in order {
                match bench.measure(*scenario, round, variant, *pace) {
                    Ok(measured) => measurements.push(measured),
                    Err(error) => {
                        let (variant, scenario) = (variant.name(), scenario.name());
                        let failure =
                            format!("{variant} in {scenario}, round {}: {error:#}", round + 1);
                        eprintln!("\n*** LEFT OUT: {failure} ***\n");
                        failures.push(failure);
                    }
                }
                progress(&measurements, total);
            }
        }
    }
    Ok(measurements)
}

/// Half of what the bare service can do. A variant that cannot keep this pace falls behind, and its latency says so.
fn pace(bench: &Bench<'_>, scenario: Scenario) -> Result<f64> {
    let rates = (0..PACE_ROUNDS).map(|_| bench.saturation(scenario, Variant::Bare));
    let rates: Vec<f64> = rates.collect::<Result<_>>()?;
    let pace = median(rates).context("there are rounds")? / 2.0;
    eprintln!("latency is measured at {pace:.0} requests/s");
    Ok(pace)
}

fn progress(measurements: &[Measurement], total: usize) {
    let Some(last) = measurements.last() else {
        return;
    };
    let latency = last
        .latency
        .map(|latency| format!("  p99 {:6.0} µs", latency.p99));
    eprintln!(
        "[{:>3}/{total}] {:<11} round {}  {:<13} {:6.2} µs CPU  {:6.0} requests/s  {:7} spans  {:6.1} MiB{}",
        measurements.len(),
        last.scenario.name(),
        last.round + 1,
        last.variant.name(),
        last.cpu,
        last.rate,
        last.arrived.spans,
        last.peak_memory,
        latency.unwrap_or_default(),
    );
}
