//! The service that is measured, traced by each of the libraries.
//!
//! The variants differ in nothing but telemetry. Each is used as its own documentation says, with the settings below, and
//! takes the caller's trace from `traceparent`.

mod bare;
pub(crate) mod biztrace;
mod fastrace;
mod noop;
pub(crate) mod opentelemetry;
mod orders;
pub(crate) mod otlp;
mod tracing;

use std::io;
use std::time::Duration;

/// Who records the service's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Variant {
    /// Nobody.
    Bare,
    /// Nobody, behind a middleware that only forwards: what the others are compared with.
    Noop,
    Biztrace,
    Opentelemetry,
    Tracing,
    Fastrace,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    pub(crate) variant: Variant,
    /// Base URL of the sink; spans go to {sink}/v1/traces as OTLP/HTTP protobuf
    #[arg(long)]
    pub(crate) sink: String,
    /// Part of the traces to keep, decided when they start
    #[arg(long, default_value_t = 1.0)]
    pub(crate) ratio: f64,
    /// Threads that serve
    #[arg(long, default_value_t = 1)]
    pub(crate) workers: usize,
}

const SERVICE_NAME: &str = "shop";
const BATCH_SPANS: usize = 512;
/// More than a measurement's spans, so that nobody drops: what is compared is the cost of recording, not of losing. The SDKs
/// of OpenTelemetry allocate their queue in advance, in Rust 45 MiB at this size.
const QUEUE_SPANS: usize = 131_072;
const SCHEDULE_DELAY: Duration = Duration::from_secs(1);

/// Serves until stdin closes.
pub(crate) fn serve(args: &ServeArgs) -> io::Result<()> {
    match args.variant {
        Variant::Bare => bare::serve(args),
        Variant::Noop => noop::serve(args),
        Variant::Biztrace => biztrace::serve(args),
        Variant::Opentelemetry => opentelemetry::serve(args),
        Variant::Tracing => tracing::serve(args),
        Variant::Fastrace => fastrace::serve(args),
    }
}
