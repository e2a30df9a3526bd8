//! biztrace and its peers side by side: what each costs the same service.
//!
//! `cargo run --release -p peers-bench` runs it all. The service, the receiver of its spans and the generator of its
//! requests are processes of their own: this binary, started with a subcommand.

mod child;
mod export;
mod growth;
mod http;
mod instructions;
mod load;
mod process;
mod report;
mod run;
mod service;
mod sink;
mod stats;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(about, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::RunArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure and report (what happens without a subcommand)
    Run(run::RunArgs),
    /// Measure how the cost grows, and report
    Growth(growth::GrowthArgs),
    /// Measure one case of it, and print the nanoseconds and how many times it was done
    GrowthCase(growth::CaseArgs),
    /// Measure what exporting takes at a fixed rate, on one core, and print a table
    Export(export::ExportArgs),
    /// Count the instructions of a request with valgrind, and report
    Instructions(instructions::InstructionsArgs),
    /// Be a service, until stdin closes
    Serve(service::ServeArgs),
    /// Be the receiver of spans, until stdin closes
    Sink,
    /// Send a service requests, and print how that went as JSON
    Load(load::LoadArgs),
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match cli.command.unwrap_or(Command::Run(cli.run)) {
        Command::Run(args) => ensure_release().and_then(|()| run::run(&args)),
        Command::Growth(args) => ensure_release().and_then(|()| growth::grow(&args)),
        Command::GrowthCase(args) => growth::measure_case(&args),
        Command::Export(args) => ensure_release().and_then(|()| export::export(&args)),
        Command::Instructions(args) => {
            ensure_release().and_then(|()| instructions::instructions(&args))
        }
        Command::Serve(args) => Ok(service::serve(&args)?),
        Command::Sink => Ok(sink::serve()?),
        Command::Load(args) => load::load(&args),
    }
}

fn ensure_release() -> anyhow::Result<()> {
    anyhow::ensure!(
        !cfg!(debug_assertions),
        "this is a debug build, of which numbers say nothing; use `cargo run --release -p peers-bench`, with the same arguments"
    );
    Ok(())
}
