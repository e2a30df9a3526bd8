use clap::ValueEnum;
use serde::Serialize;

use super::variant::Variant;
use crate::service::Protocol;

/// A way to run the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Scenario {
    /// Every request is recorded
    All,
    /// A tenth of the requests is recorded
    Tenth,
    /// No request is recorded
    None,
    /// Every request is recorded, by two workers
    TwoWorkers,
    /// Every request is recorded, and exported by gRPC instead of HTTP
    Grpc,
}

impl Scenario {
    /// Its name, as on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Tenth => "tenth",
            Self::None => "none",
            Self::TwoWorkers => "two-workers",
            Self::Grpc => "grpc",
        }
    }

    /// The share of requests that is recorded.
    pub(crate) fn ratio(self) -> f64 {
        match self {
            Self::All | Self::TwoWorkers | Self::Grpc => 1.0,
            Self::Tenth => 0.1,
            Self::None => 0.0,
        }
    }

    /// Threads that serve requests.
    pub(crate) fn workers(self) -> usize {
        match self {
            Self::All | Self::Tenth | Self::None | Self::Grpc => 1,
            Self::TwoWorkers => 2,
        }
    }

    /// Connections that requests come over.
    pub(crate) fn connections(self) -> usize {
        16 * self.workers()
    }

    /// How spans are exported.
    pub(crate) fn protocol(self) -> Protocol {
        match self {
            Self::Grpc => Protocol::Grpc,
            Self::All | Self::Tenth | Self::None | Self::TwoWorkers => Protocol::Http,
        }
    }

    /// Whether the variant takes part: those in Go export by HTTP only.
    pub(crate) fn has(self, variant: Variant) -> bool {
        self.protocol() == Protocol::Http || !variant.is_go()
    }

    /// Whether latency is measured, too.
    pub(crate) fn has_latency(self) -> bool {
        self == Self::All
    }
}
