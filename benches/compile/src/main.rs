//! What annotating handlers costs at compile time: the same crate of them with biztrace, with tracing, and bare.
//!
//! `cargo run --release -p compile-bench` writes the crates below `target/`, compiles them in turns, and reports.

mod measure;
mod project;
mod report;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Parser;

use measure::{Measurement, measure};
use project::{Project, Variant};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[derive(Debug, Parser)]
#[command(about)]
struct Args {
    /// Handlers in each crate
    #[arg(long, default_value_t = 300)]
    handlers: usize,
    /// How often each crate is compiled
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Where the report goes
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/compile.md"))]
    out: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let project = Project::write(&Path::new(ROOT).join("target/compile-bench"), args.handlers)?;
    for variant in Variant::ALL {
        eprintln!("building what {variant} depends on");
        measure(&project, variant)?;
    }
    let mut rounds = Vec::new();
    for round in 1..=args.rounds {
        eprintln!("round {round} of {}", args.rounds);
        let mut measured = Vec::new();
        for variant in Variant::ALL {
            measured.push(measure(&project, variant)?);
        }
        rounds.push(measured);
    }
    report::write(&args, &rounds)
}
