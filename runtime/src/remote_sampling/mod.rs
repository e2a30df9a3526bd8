//! The sampler `jaeger_remote`: a server sets its strategy.

mod server;
mod strategy;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use self::server::StrategyServer;
use self::strategy::{Remote, Strategy};
use crate::config::format::number;
use crate::error::Error;
use crate::exporter::transport::masked;
use crate::sampling::{Decision, NewTrace, Refuse, Sample, Sampler};
use crate::thread::Poller;

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
/// use biztrace::Telemetry;
/// use biztrace::settings::{JaegerRemote, Sampler};
///
/// let remote = JaegerRemote::new("http://jaeger:14250").polling_interval(Duration::from_secs(10));
/// let telemetry = Telemetry::builder().sampler(Sampler::from(remote).parent_based());
/// # let _ = telemetry;
/// ```
#[derive(Clone, PartialEq)]
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

impl JaegerRemote {
    /// By `OTEL_TRACES_SAMPLER_ARG`. Each part that is not understood is as if it were left out.
    pub(crate) fn parse(argument: &str, refuse: &mut Refuse<'_>) -> Sampler {
        const EXPECTED: &str =
            "endpoint=http://…, pollingIntervalMs=… or initialSamplingRate=… (from 0 to 1)";
        let mut remote = Self::default();
        for part in argument.split(',').filter(|part| !part.trim().is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            if !remote.set(name.trim(), value.trim()) {
                refuse(part, EXPECTED);
            }
        }
        remote.into()
    }

    /// Returns whether there is such a setting, and it may have that value.
    fn set(&mut self, name: &str, value: &str) -> bool {
        match name {
            "endpoint" if !value.is_empty() => self.endpoint = value.to_owned(),
            "pollingIntervalMs" => match number::<u32>(value) {
                Some(interval) if interval > 0 => {
                    self.polling_interval = Duration::from_millis(interval.into());
                }
                _ => return false,
            },
            "initialSamplingRate" => match number(value) {
                Some(rate) if (0.0..=1.0).contains(&rate) => self.initial_rate = rate,
                _ => return false,
            },
            _ => return false,
        }
        true
    }
}

/// What may be secret in the endpoint is masked.
impl fmt::Debug for JaegerRemote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JaegerRemote")
            .field("endpoint", &masked(&self.endpoint))
            .field("polling_interval", &self.polling_interval)
            .field("initial_rate", &self.initial_rate)
            .finish()
    }
}

impl From<JaegerRemote> for Sampler {
    fn from(settings: JaegerRemote) -> Self {
        let remote = Remote::new(Strategy::Share(settings.initial_rate));
        Self::of(RemoteSampler {
            settings,
            remote: Arc::new(remote),
        })
    }
}

#[derive(Debug)]
struct RemoteSampler {
    settings: JaegerRemote,
    remote: Arc<Remote>,
}

impl Sample for RemoteSampler {
    fn sample(&self, trace: &NewTrace<'_>) -> Decision {
        self.remote.sample(trace)
    }

    fn check(&self) -> Result<(), Error> {
        let rate = self.settings.initial_rate;
        if !(0.0..=1.0).contains(&rate) {
            return Err(Error::Ratio(rate));
        }
        if self.settings.polling_interval.is_zero() {
            return Err(Error::Zero("JaegerRemote::polling_interval"));
        }
        Ok(())
    }

    fn start(&self, service: &str, pollers: &mut Vec<Poller>) -> Result<(), Error> {
        let server = StrategyServer::new(&self.settings.endpoint, service.to_owned())?;
        let kept = server.keep(Arc::clone(&self.remote), self.settings.polling_interval);
        pollers.push(Poller::start("biztrace-sampler", kept)?);
        Ok(())
    }
}

/// With the server that is asked.
impl fmt::Display for RemoteSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "jaeger_remote({})", masked(&self.settings.endpoint))
    }
}
