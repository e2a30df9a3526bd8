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

pub(crate) use measure::Measurement;
pub(crate) use scenario::Scenario;
pub(crate) use usage::cpu_time;
pub(crate) use variant::Variant;

use crate::report::Report;
use crate::sink::Sink;
use crate::stats::median;
use measure::Bench;

/// Times that the bare service's rate is measured, which sets the pace for latency.
const PACE_ROUNDS: usize = 3;

#[derive(Debug, Clone, clap::Args, Serialize)]
pub(crate) struct RunArgs {
    /// Times that each variant is measured in each scenario
    #[arg(long, default_value_t = 7, value_parser = at_least_one())]
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
    /// Scenarios to run; all, if none is given
    #[arg(long)]
    pub(crate) scenario: Vec<Scenario>,
    /// Variants to measure, beside what they are compared to; all, if none is given
    #[arg(long)]
    pub(crate) variant: Vec<Variant>,
    /// Where the report goes
    #[arg(long, default_value = "docs/peers")]
    pub(crate) out: PathBuf,
}

fn at_least_one() -> RangedU64ValueParser {
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
        let all = Variant::value_variants().iter().copied();
        all.filter(picked).collect()
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
    let report = Report::new(args, measure_all(&bench, &variants)?)?;
    report.write(&args.out)
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

fn measure_all(bench: &Bench<'_>, variants: &[Variant]) -> Result<Vec<Measurement>> {
    let scenarios = bench.args.scenarios();
    let rounds = bench.args.rounds;
    let total = scenarios.len() * rounds as usize * variants.len();
    let mut measurements = Vec::with_capacity(total);
    for scenario in scenarios {
        let pace = if scenario.has_latency() {
            Some(pace(bench, scenario)?)
        } else {
            None
        };
        for round in 0..rounds {
            // Neighbours in time see the same machine. Who follows whom changes, since one may leave its mark on the next;
            // by the same seeds each time.
            let mut order = variants.to_vec();
            fastrand::Rng::with_seed(round).shuffle(&mut order);
            for variant in order {
                let measured =
                    bench
                        .measure(scenario, round, variant, pace)
                        .with_context(|| {
                            format!("cannot measure {} in {}", variant.name(), scenario.name())
                        })?;
                measurements.push(measured);
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
