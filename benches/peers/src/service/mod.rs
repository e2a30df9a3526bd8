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

/// How spans are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Protocol {
    /// OTLP over HTTP, in protobuf
    Http,
    /// OTLP over gRPC
    Grpc,
}

impl Protocol {
    /// Its name, as on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Grpc => "grpc",
        }
    }
}

/// Where and how spans leave.
#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// Base URL of the sink
    #[arg(long)]
    pub(crate) sink: String,
    #[arg(long, default_value = "http")]
    pub(crate) protocol: Protocol,
    /// Spans that wait at most, for those that let it be set
    #[arg(long, default_value_t = QUEUE_SPANS)]
    pub(crate) queue: usize,
    /// Seconds until a batch that is not full is exported
    #[arg(long, default_value_t = DELAY_SECONDS)]
    pub(crate) delay: u64,
}

impl Export {
    /// As the services do it unless their command line says otherwise.
    pub(crate) fn to(sink: &str) -> Self {
        Self {
            sink: sink.into(),
            protocol: Protocol::Http,
            queue: QUEUE_SPANS,
            delay: DELAY_SECONDS,
        }
    }

    fn schedule_delay(&self) -> Duration {
        Duration::from_secs(self.delay)
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    pub(crate) variant: Variant,
    #[command(flatten)]
    pub(crate) export: Export,
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
const DELAY_SECONDS: u64 = 1;

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
