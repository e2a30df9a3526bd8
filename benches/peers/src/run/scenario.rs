use clap::ValueEnum;
use serde::Serialize;

use super::variant::Variant;
use crate::service::Protocol;

/// Has biztrace keep each trace that has failed or was slow, whatever its sampler says. No request here fails.
pub(crate) const KEEP: (&str, &str) = ("BIZTRACE_KEEP", "errors,slow=500ms");

/// A way to run the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Scenario {
    /// Every request is recorded
    All,
    /// A tenth of the requests is recorded
    Tenth,
    /// Every request is recorded, and a tenth kept beside those that fail or are slow
    Keep,
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
            Self::Keep => "keep",
            Self::None => "none",
            Self::TwoWorkers => "two-workers",
            Self::Grpc => "grpc",
        }
    }

    /// The share of requests that the sampler keeps.
    pub(crate) fn ratio(self) -> f64 {
        match self {
            Self::All | Self::TwoWorkers | Self::Grpc => 1.0,
            Self::Tenth | Self::Keep => 0.1,
            Self::None => 0.0,
        }
    }

    /// Threads that serve requests.
    pub(crate) fn workers(self) -> usize {
        match self {
            Self::All | Self::Tenth | Self::Keep | Self::None | Self::Grpc => 1,
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
            Self::All | Self::Tenth | Self::Keep | Self::None | Self::TwoWorkers => Protocol::Http,
        }
    }

    /// What the service's environment has.
    pub(crate) fn environment(self) -> Option<(&'static str, &'static str)> {
        (self == Self::Keep).then_some(KEEP)
    }

    /// Whether the variant takes part: those in Go export by HTTP only, and no other keeps what its sampler does not.
    pub(crate) fn has(self, variant: Variant) -> bool {
        match self {
            Self::Keep => matches!(variant, Variant::Bare | Variant::Noop | Variant::Biztrace),
            Self::Grpc => !variant.is_go(),
            Self::All | Self::Tenth | Self::None | Self::TwoWorkers => true,
        }
    }

    /// Whether latency is measured, too.
    pub(crate) fn has_latency(self) -> bool {
        self == Self::All
    }
}
