//! How the cost of tracing grows with what is traced: this crate beside OpenTelemetry's SDK, in process, everything
//! exported to the sink.

mod bare;
mod biztrace;
mod case;
mod fit;
mod opentelemetry;
mod report;
mod work;

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use case::{Dimension, Library};

pub(crate) use case::CaseArgs;
pub(crate) use case::measure as measure_case;

use crate::child::this_binary;
use crate::run::{at_least_one, default_out};
use crate::service::Protocol;
use crate::sink::Sink;
use crate::stats::median;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct GrowthArgs {
    /// Times that each case is measured
    #[arg(long, default_value_t = 5, value_parser = at_least_one())]
    rounds: u64,
    /// Milliseconds that each measurement takes
    #[arg(long, default_value_t = 300, value_parser = at_least_one())]
    millis: u64,
    /// Dimensions to measure; all, if none is given
    #[arg(long)]
    dimension: Vec<Dimension>,
    /// Where the report goes [default: docs/peers for all dimensions, target/peers for some]
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Nanoseconds of CPU for an operation, by size and library.
type Costs = HashMap<(usize, Library), f64>;

/// Measures, prints the report and writes it.
pub(crate) fn grow(args: &GrowthArgs) -> Result<()> {
    let sink = Sink::start()?;
    let dimensions = match &args.dimension[..] {
        [] => Dimension::value_variants(),
        some => some,
    };
    let mut measured = Vec::new();
    for dimension in dimensions {
        measured.push((*dimension, costs(args, &sink, *dimension)?));
    }
    let out = args.out.clone();
    let out = out.unwrap_or_else(|| default_out(args.dimension.is_empty()));
    report::write(&out, args.rounds, &measured)
}

fn costs(args: &GrowthArgs, sink: &Sink, dimension: Dimension) -> Result<Costs> {
    let mut rounds: HashMap<_, Vec<f64>> = HashMap::new();
    for round in 0..args.rounds {
        for size in dimension.sizes() {
            for library in Library::value_variants() {
                let nanos = run_case(args, sink, dimension, *size, *library)?;
                eprintln!(
                    "round {}  {:<14} {size:>6}  {:<13} {nanos:>10.0} ns",
                    round + 1,
                    dimension.name(),
                    library.name()
                );
                rounds.entry((*size, *library)).or_default().push(nanos);
            }
        }
    }
    let median = |(case, values)| Some((case, median(values)?));
    Ok(rounds.into_iter().filter_map(median).collect())
}

/// In a process of its own, since each library is installed for the whole process.
fn run_case(
    args: &GrowthArgs,
    sink: &Sink,
    dimension: Dimension,
    size: usize,
    library: Library,
) -> Result<f64> {
    // What the sink has of the case before would only take memory.
    sink.reset()?;
    let mut command = this_binary("growth-case")?;
    command
        .args([library.name(), dimension.name(), &size.to_string()])
        .args(["--sink", &sink.url(Protocol::Http)])
        .args(["--millis", &args.millis.to_string()]);
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    ensure!(
        output.status.success(),
        "{command:?} failed: {}",
        output.status
    );
    let output = String::from_utf8(output.stdout)?;
    let numbers = || {
        let (nanos, times) = output.trim().split_once(' ')?;
        Some((nanos.parse().ok()?, times.parse::<u64>().ok()?))
    };
    let (nanos, times) = numbers().with_context(|| format!("{command:?} says {output:?}"))?;
    let expected = match library {
        Library::Bare => 0,
        Library::Biztrace | Library::Opentelemetry => times * dimension.spans(size),
    };
    let arrived = sink.counts()?.spans;
    ensure!(
        arrived == expected,
        "{command:?}: {arrived} of {expected} spans arrived, so what they cost says nothing; try fewer --millis"
    );
    Ok(nanos)
}
