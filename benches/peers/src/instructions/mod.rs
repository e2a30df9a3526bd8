//! The instructions of a request, counted with valgrind: the whole service's, exporting included.
//!
//! They repeat where CPU time does not: no other work of the machine changes them.

mod callgrind;
mod count;
mod table;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::ValueEnum;

use crate::report::{Environment, thousands, write_instructions};
use crate::run::{Variant, at_least_one, default_out};
use crate::sink::Sink;
use count::{Bench, Row, Subject};

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct InstructionsArgs {
    // By default both runs fill whole batches of 512 spans, so that no part of a batch is in the difference.
    /// Requests of the shorter of two runs, which do not count
    #[arg(long, default_value_t = 1_024)]
    warm_up: u64,
    /// Requests that count: those that the longer run has more
    #[arg(long, default_value_t = 4_096, value_parser = at_least_one())]
    requests: u64,
    /// Variants to count, beside noop; all but those in Go, if none is given
    #[arg(long)]
    variant: Vec<Variant>,
    /// Where the report goes [default: docs/peers for all variants, target/peers for some]
    #[arg(long)]
    out: Option<PathBuf>,
}

impl InstructionsArgs {
    /// What is counted: biztrace also where it keeps errors and slow requests.
    fn subjects(&self) -> Vec<Subject> {
        let picked = |variant: &Variant| {
            *variant == Variant::Noop || self.variant.is_empty() || self.variant.contains(variant)
        };
        let all = Variant::value_variants().iter().copied();
        let picked = all.filter(|it| !it.is_go()).filter(picked);
        let subjects = picked.flat_map(|variant| {
            let keeping = Subject {
                variant,
                keeps: true,
            };
            let keeping = (variant == Variant::Biztrace).then_some(keeping);
            [variant.into()].into_iter().chain(keeping)
        });
        subjects.collect()
    }
}

/// Counts, prints the table and writes it into the report's page.
pub(crate) fn instructions(args: &InstructionsArgs) -> Result<()> {
    ensure!(
        !args.variant.iter().any(|it| it.is_go()),
        "instructions are counted of the variants in Rust only"
    );
    callgrind::ensure_available()?;
    let bench = Bench {
        sink: Sink::start()?,
        warm_up: args.warm_up,
        requests: args.requests,
    };
    let mut rows: Vec<Row> = Vec::new();
    let mut failures = Vec::new();
    for subject in args.subjects() {
        match bench.count(subject) {
            Ok(row) => rows.push(row),
            Err(error) => {
                let failure = format!("{}: {error:#}", subject.name());
                eprintln!("\n*** LEFT OUT: {failure} ***\n");
                failures.push(failure);
            }
        }
    }
    let section = section(args, &rows)?;
    println!("{section}");
    let is_whole = args.variant.is_empty() && failures.is_empty();
    let out = args.out.clone().unwrap_or_else(|| default_out(is_whole));
    write_instructions(&out, &section)?;
    eprintln!("written to {}", out.display());
    ensure!(
        failures.is_empty(),
        "the table lacks what failed:\n{}",
        failures.join("\n")
    );
    Ok(())
}

fn section(args: &InstructionsArgs, rows: &[Row]) -> Result<String> {
    let environment = Environment::new(&[Variant::Biztrace])?;
    Ok(format!(
        "## Instructions\n\n{table}\n{method}\n{machine}, biztrace {commit}. {requests} requests that count, after {warm_up}.\n\n```sh\n{command}\n```",
        table = table::draw(rows),
        method = table::METHOD,
        machine = environment.machine(),
        commit = environment.commit,
        requests = thousands(args.requests),
        warm_up = thousands(args.warm_up),
        command = environment.command,
    ))
}
