//! A sampler whose strategy a server sets.

use std::fmt;
use std::time::Duration;

use super::masked;

/// A sampler that asks Jaeger, or an OpenTelemetry Collector with the extension `jaegerremotesampling`, over gRPC what to sample
/// of this service. Needs the feature `otlp-grpc`. `OTEL_TRACES_SAMPLER=jaeger_remote` and
/// `OTEL_TRACES_SAMPLER_ARG=endpoint=http://localhost:14250,pollingIntervalMs=60000,initialSamplingRate=0.001`, in which each part may
/// be left out.
///
/// The strategy is a share of all traces, a number of them a second, or a share for each operation with a number a second that is
/// kept in any case. An operation is the name of a span as it starts: a request's is its method then, as its route is not known yet.
/// While the server does not answer, or answers what cannot be, the last strategy stays; a warning says so once.
///
/// ```
/// use std::time::Duration;
///
/// use biztrace::{JaegerRemote, Sampler, Telemetry};
///
/// let remote = JaegerRemote::new("http://jaeger:14250").polling_interval(Duration::from_secs(10));
/// let telemetry = Telemetry::builder().sampler(Sampler::parent_based(Sampler::JaegerRemote(remote)));
/// # let _ = telemetry;
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct JaegerRemote {
    pub(crate) endpoint: String,
    pub(crate) polling_interval: Duration,
    pub(crate) initial_rate: f64,
}

impl JaegerRemote {
    /// The server at `endpoint`, a URL.
    #[must_use]
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            polling_interval: Duration::from_secs(60),
            initial_rate: 0.001,
        }
    }

    /// How often the server is asked. Default 60 s.
    #[must_use]
    pub fn polling_interval(mut self, interval: Duration) -> Self {
        self.polling_interval = interval;
        self
    }

    /// The share of all traces, from 0 to 1, that is recorded until the server has answered. Default 0.001.
    #[must_use]
    pub fn initial_sampling_rate(mut self, rate: f64) -> Self {
        self.initial_rate = rate;
        self
    }
}

/// Jaeger's port on this machine.
impl Default for JaegerRemote {
    fn default() -> Self {
        Self::new("http://localhost:14250")
    }
}

/// Where it asks.
impl fmt::Display for JaegerRemote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&masked(&self.endpoint))
    }
}
