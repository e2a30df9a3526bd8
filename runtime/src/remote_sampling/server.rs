//! Asks Jaeger for the strategy that a service is to be sampled by (`jaeger.api_v2.SamplingManager` of its `sampling.proto`).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use tokio::time::{sleep, timeout};
use tonic::Status;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};

use super::strategy::{Remote, Strategy};
use crate::diag;
use crate::error::{Error, message};
use crate::exporter::remote_text;
use crate::exporter::transport::endpoint::{EndpointHelp, endpoint};
use crate::exporter::transport::{Certificates, grpc, masked};
use crate::pipeline::SendStarted;

const GET: &str = "/jaeger.api_v2.SamplingManager/GetSamplingStrategy";

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Operations of an answer that count, as with Jaeger's own clients.
const MAX_OPERATIONS: usize = 2000;

const HELP: EndpointHelp = EndpointHelp {
    settings: "`JaegerRemote::new` and OTEL_TRACES_SAMPLER_ARG",
    credentials: "",
    example: "http://localhost:14250",
};

/// A server of strategies, checked.
pub(super) struct StrategyServer {
    endpoint: Endpoint,
    /// The endpoint as messages show it.
    shown: String,
    service: String,
}

/// A connection to it.
struct Strategies {
    server: StrategyServer,
    client: Grpc<Channel>,
}

impl StrategyServer {
    /// The server at `written`, for the service of that name.
    pub(super) fn new(written: &str, service: String) -> Result<Self, Error> {
        let endpoint = Endpoint::from(endpoint(written.trim(), written, None, &HELP)?);
        let endpoint = grpc::with_tls(endpoint, &Certificates::default())?;
        Ok(Self {
            endpoint,
            shown: masked(written.trim()),
            service,
        })
    }

    /// Connects when it is first asked, and again when the connection is lost.
    fn connect(&self) -> Grpc<Channel> {
        Grpc::new(self.endpoint.connect_lazy())
    }

    /// Polls the server and gives its strategy to `remote`. Without a usable response the current strategy stays.
    pub(super) async fn keep(self, remote: Arc<Remote>, interval: Duration) -> Infallible {
        let mut strategies = Strategies {
            client: self.connect(),
            server: self,
        };
        let (mut last, mut is_well) = (None, true);
        loop {
            match strategies.fetch().await {
                Ok(strategy) => {
                    // An unchanged strategy keeps the state of its rate limit.
                    if last.as_ref() != Some(&strategy) {
                        remote.set(strategy.clone());
                        last = Some(strategy);
                    }
                    is_well = true;
                }
                Err(problem) => {
                    if is_well {
                        diag::warn(format_args!(
                            "jaeger_remote keeps the current strategy: {problem}; see `JaegerRemote` and \
                             OTEL_TRACES_SAMPLER_ARG"
                        ));
                    }
                    is_well = false;
                }
            }
            sleep(interval).await;
        }
    }
}

impl Strategies {
    /// The current strategy, or why there is none.
    async fn fetch(&mut self) -> Result<Strategy, String> {
        let answer = timeout(TIMEOUT, self.ask()).await;
        let problem = match answer {
            Ok(Ok(answer)) => match strategy(answer) {
                Ok(strategy) => return Ok(strategy),
                Err(problem) => problem,
            },
            Ok(Err(status)) => match std::error::Error::source(&status) {
                Some(cause) => message(cause),
                None => format!("{:?}: {}", status.code(), remote_text(status.message())),
            },
            Err(_) => {
                // The connection may be half open: the next request takes another.
                self.client = self.server.connect();
                format!("no response in {TIMEOUT:?}")
            }
        };
        Err(format!("{}: {problem}", self.server.shown))
    }

    async fn ask(&mut self) -> Result<Bytes, Status> {
        let asked = Parameters {
            service_name: self.server.service.clone(),
        };
        let request = tonic::Request::new(asked.encode_to_vec().into());
        grpc::call(&mut self.client, GET, request, SendStarted::default()).await
    }
}

fn strategy(answer: Bytes) -> Result<Strategy, String> {
    let answer = StrategyResponse::decode(answer)
        .map_err(|_| "the response is not a strategy".to_owned())?;
    if let Some(operations) = answer.operations {
        let shares = operations.shares.into_iter().take(MAX_OPERATIONS);
        let shares = shares.map(|it| {
            let rate = it.share.unwrap_or_default().rate;
            Ok((it.operation, share(rate)?))
        });
        return Ok(Strategy::Operations {
            shares: shares.collect::<Result<_, String>>()?,
            default: share(operations.default)?,
            least: rate(operations.least)?,
        });
    }
    match (answer.share, answer.rate) {
        (_, Some(limit)) if answer.kind == RATE_LIMITING => {
            Ok(Strategy::Rate(rate(limit.per_second.into())?))
        }
        // A rate of zero is what protobuf leaves out.
        (Some(it), _) => Ok(Strategy::Share(share(it.rate)?)),
        (None, _) => Err("the response has no strategy".to_owned()),
    }
}

fn share(rate: f64) -> Result<f64, String> {
    let is_share = (0.0..=1.0).contains(&rate);
    is_share
        .then_some(rate)
        .ok_or_else(|| format!("sampling rate {rate} is not between 0 and 1"))
}

fn rate(rate: f64) -> Result<f64, String> {
    let is_rate = rate.is_finite() && rate >= 0.0;
    is_rate
        .then_some(rate)
        .ok_or_else(|| format!("rate limit {rate} is not a number of traces per second"))
}

#[derive(Message)]
struct Parameters {
    #[prost(string, tag = "1")]
    service_name: String,
}

/// `SamplingStrategyType::RATE_LIMITING`.
const RATE_LIMITING: i32 = 1;

#[derive(Message)]
struct StrategyResponse {
    #[prost(int32, tag = "1")]
    kind: i32,
    #[prost(message, optional, tag = "2")]
    share: Option<Share>,
    #[prost(message, optional, tag = "3")]
    rate: Option<Rate>,
    #[prost(message, optional, tag = "4")]
    operations: Option<Operations>,
}

#[derive(Message)]
struct Share {
    #[prost(double, tag = "1")]
    rate: f64,
}

#[derive(Message)]
struct Rate {
    #[prost(int32, tag = "1")]
    per_second: i32,
}

#[derive(Message)]
struct Operations {
    #[prost(double, tag = "1")]
    default: f64,
    #[prost(double, tag = "2")]
    least: f64,
    #[prost(message, repeated, tag = "3")]
    shares: Vec<OperationShare>,
}

#[derive(Message)]
struct OperationShare {
    #[prost(string, tag = "1")]
    operation: String,
    #[prost(message, optional, tag = "2")]
    share: Option<Share>,
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn of(answer: StrategyResponse) -> Result<Strategy, String> {
        strategy(answer.encode_to_vec().into())
    }

    fn by_share(rate: f64) -> StrategyResponse {
        StrategyResponse {
            share: Some(Share { rate }),
            ..StrategyResponse::default()
        }
    }

    #[test]
    fn answers_are_strategies() {
        assert_eq!(of(by_share(0.5)), Ok(Strategy::Share(0.5)));
        assert_eq!(of(by_share(0.0)), Ok(Strategy::Share(0.0)));
        let rate = StrategyResponse {
            kind: RATE_LIMITING,
            rate: Some(Rate { per_second: 7 }),
            ..StrategyResponse::default()
        };
        assert_eq!(of(rate), Ok(Strategy::Rate(7.0)));
        // Jaeger sends a share beside the operations, for clients that do not know of them.
        let operations = StrategyResponse {
            operations: Some(Operations {
                default: 0.25,
                least: 2.0,
                shares: vec![OperationShare {
                    operation: "pay".into(),
                    share: Some(Share { rate: 1.0 }),
                }],
            }),
            ..by_share(0.5)
        };
        let expected = Strategy::Operations {
            shares: HashMap::from([("pay".into(), 1.0)]),
            default: 0.25,
            least: 2.0,
        };
        assert_eq!(of(operations), Ok(expected));
    }

    #[test]
    fn nonsense_is_none() {
        let rate = |per_second| StrategyResponse {
            kind: RATE_LIMITING,
            rate: Some(Rate { per_second }),
            ..StrategyResponse::default()
        };
        for (answer, problem) in [
            (by_share(1.5), "sampling rate 1.5"),
            (by_share(-0.1), "sampling rate -0.1"),
            (by_share(f64::NAN), "sampling rate NaN"),
            (rate(-1), "rate limit -1 is"),
            (StrategyResponse::default(), "the response has no strategy"),
        ] {
            let error = of(answer).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
        assert!(strategy(Bytes::from_static(b"\xff")).is_err());
    }
}
