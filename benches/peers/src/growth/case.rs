//! One case: a library, and how much of what is done with it.

use std::time::{Duration, Instant};

use anyhow::Result;
use clap::ValueEnum;

use super::{bare, biztrace, opentelemetry};
use crate::run::cpu_time;

/// What grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Dimension {
    /// Spans in a trace
    Spans,
    /// Attributes of a span
    Attributes,
    /// Bytes of an attribute's value
    Value,
    /// Tasks on other threads that record a span each into the same trace
    Tasks,
    /// Traces that are open while another is recorded
    Open,
}

impl Dimension {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Spans => "spans",
            Self::Attributes => "attributes",
            Self::Value => "value",
            Self::Tasks => "tasks",
            Self::Open => "open",
        }
    }

    pub(super) fn sizes(self) -> &'static [usize] {
        match self {
            Self::Spans => &[1, 2, 8, 32, 128],
            Self::Attributes => &[0, 4, 16, 64],
            Self::Value => &[8, 64, 512, 2048, 8192],
            Self::Tasks => &[1, 4, 16, 64],
            Self::Open => &[1, 100, 1_000, 10_000, 100_000],
        }
    }

    /// Spans that end each time the work is done.
    pub(super) fn spans(self, size: usize) -> u64 {
        match self {
            Self::Spans => size as u64,
            Self::Tasks => size as u64 + 1,
            Self::Attributes | Self::Value | Self::Open => 1,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Library {
    /// The same work without spans
    Bare,
    Biztrace,
    Opentelemetry,
}

impl Library {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Biztrace => "biztrace",
            Self::Opentelemetry => "opentelemetry",
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct CaseArgs {
    library: Library,
    dimension: Dimension,
    size: usize,
    /// Base URL of the sink
    #[arg(long)]
    sink: String,
    /// Milliseconds to measure for
    #[arg(long)]
    millis: u64,
}

/// Spans between two flushes, more or less.
const FLUSH_SPANS: u64 = 8 * 1024;

/// Does the work of a case again and again, and prints the nanoseconds of CPU that one time takes, exporting included, and
/// how many times it was done in all.
pub(crate) fn measure(args: &CaseArgs) -> Result<()> {
    let (dimension, size) = (args.dimension, args.size);
    let (mut operation, flush): (Operation, Box<dyn Fn()>) = match args.library {
        Library::Bare => (bare::operation(dimension, size), Box::new(|| {})),
        Library::Biztrace => {
            let flush = biztrace::install(&args.sink)?;
            (biztrace::operation(dimension, size), Box::new(flush))
        }
        Library::Opentelemetry => {
            let flush = opentelemetry::install(&args.sink)?;
            (opentelemetry::operation(dimension, size), Box::new(flush))
        }
    };
    // So often that the queue never fills, and so rarely that batches are whole.
    let flush_after = FLUSH_SPANS / dimension.spans(size);
    let mut done = 0;
    let mut once = || {
        operation();
        done += 1;
        if done % flush_after == 0 {
            flush();
        }
    };
    // A warm-up, which tells how many there are in the time.
    let (start, mut warm_up) = (Instant::now(), 0_u32);
    while start.elapsed() < Duration::from_millis(args.millis / 3) {
        once();
        warm_up += 1;
    }
    flush();
    let number = 3 * warm_up;
    let before = cpu_time(std::process::id())?;
    (0..number).for_each(|_| once());
    flush();
    let used = cpu_time(std::process::id())? - before;
    let nanos = used.as_nanos() as f64 / f64::from(number);
    println!("{nanos} {done}");
    // What is still open must not take its time to close.
    std::process::exit(0)
}

/// Does the work once.
pub(super) type Operation = Box<dyn FnMut()>;
