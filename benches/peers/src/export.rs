//! What exporting takes: biztrace's export thread at a fixed rate of requests, with one core for all of the service.
//!
//! Load generator and sink have another core, so that what is lost is lost for want of the service's.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::child::{Child, this_binary};
use crate::load::Load;
use crate::report::{Environment, thousands};
use crate::run::{Variant, at_least_one, cpu_time, export_time, load};
use crate::service::Protocol;
use crate::sink::{Counts, Sink};

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// Requests that fall due in a second, of two spans each
    #[arg(long, default_value_t = 30_000, value_parser = at_least_one())]
    rate: u64,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 10, value_parser = at_least_one())]
    seconds: u64,
    /// Spans that wait at most: biztrace's default, and eight times that, unless others are given
    #[arg(long, default_values_t = [2_048, 16_384])]
    queue: Vec<usize>,
}

/// How spans are sent, with its name and what the environment says of compression.
const WAYS: [(&str, Protocol, &str); 3] = [
    ("HTTP", Protocol::Http, "none"),
    ("HTTP, gzip", Protocol::Http, "gzip"),
    ("gRPC", Protocol::Grpc, "none"),
];

const CONNECTIONS: usize = 16;

#[derive(Debug)]
struct Measurement {
    load: Load,
    /// of the service, all threads
    cpu: Duration,
    /// of the export thread alone
    export: Duration,
    arrived: Counts,
    /// what the service says became of its spans
    books: String,
}

/// Measures each way with each queue, and prints a table.
pub(crate) fn export(args: &ExportArgs) -> Result<()> {
    // Asks how many cores there are: before this process keeps to one of them.
    let environment = Environment::new(&[Variant::Biztrace])?;
    let cores = two_cores()?;
    keep_to(cores[0])?;
    let sink = Sink::start()?;
    println!(
        "{}, biztrace {}. Two spans × {} requests a second for {} s, the service on core {}, load generator and receiver \
         on core {}.\n\n```sh\n{}\n```\n",
        environment.machine(),
        environment.commit,
        thousands(args.rate),
        args.seconds,
        cores[1],
        cores[0],
        environment.command
    );
    println!(
        "| export by | queue | requests/s | core in use | spans due | received | lost | the service's books | \
         export thread, µs a span |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|---|--:|");
    for (name, protocol, compression) in WAYS {
        for queue in &args.queue {
            let measured = measure(args, &sink, cores, protocol, compression, *queue);
            let measured = measured.with_context(|| format!("{name}, queue of {queue}"))?;
            println!(
                "| {name} | {} |{}",
                thousands(*queue as u64),
                measured.cells()
            );
        }
    }
    Ok(())
}

fn measure(
    args: &ExportArgs,
    sink: &Sink,
    cores: [usize; 2],
    protocol: Protocol,
    compression: &str,
    queue: usize,
) -> Result<Measurement> {
    sink.reset()?;
    let mut command = this_binary("serve")?;
    command
        .args([Variant::Biztrace.name(), "--protocol", protocol.name()])
        .args(["--sink", &sink.url(protocol)])
        .args(["--queue", &queue.to_string()])
        .env("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
        .stderr(Stdio::inherit());
    // A process starts on the core of the thread that starts it.
    keep_to(cores[1])?;
    let service = Child::start(command);
    keep_to(cores[0])?;
    let mut service = service?;

    // Nothing is warm: what the first requests take, and lose, counts as well.
    let before = (cpu_time(service.id())?, export_time(&service)?);
    let rate = args.rate as f64;
    let load = load(&service, CONNECTIONS, args.rate * args.seconds, Some(rate))?;
    service.flush()?;
    let after = (cpu_time(service.id())?, export_time(&service)?);
    let export = after.1.zip(before.1).context("no export thread")?;
    let books = service.report()?;
    service.stop()?;
    Ok(Measurement {
        load,
        cpu: after.0 - before.0,
        export: export.0 - export.1,
        arrived: sink.counts()?,
        books,
    })
}

impl Measurement {
    fn cells(&self) -> String {
        let due = 2 * self.load.requests;
        let seconds = self.load.requests as f64 / self.load.rate;
        let received = self.arrived.spans;
        format!(
            " {} | {:.0} % | {} | {} | {} | {} | {:.2} |",
            thousands(self.load.rate.round() as u64),
            100.0 * self.cpu.as_secs_f64() / seconds,
            thousands(due),
            thousands(received),
            thousands(due.saturating_sub(received)),
            self.books,
            self.export.as_secs_f64() * 1e6 / received as f64,
        )
    }
}

/// The first two that this process may use.
fn two_cores() -> Result<[usize; 2]> {
    let allowed = sched_getaffinity(None)?;
    let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
    let both = cores.next().zip(cores.next());
    let (first, second) = both.context("this takes two cores: one for the service alone")?;
    Ok([first, second])
}

/// Keeps this thread to the core, and the processes that it starts.
fn keep_to(core: usize) -> Result<()> {
    let mut only = CpuSet::new();
    only.set(core);
    Ok(sched_setaffinity(None, &only)?)
}
