//! OTLP over HTTP with protobuf bodies: sends the recorded bytes as they are.

use http::header::CONTENT_TYPE;
use http::{Response, StatusCode, Uri};
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use std::time::Duration;

use crate::error::Error;
use crate::pipeline::{Delivery, DropReason, Export, Failure, Request, Retry};

const PROTOBUF: &str = "application/x-protobuf";

#[derive(Debug)]
pub(crate) struct OtlpHttp {
    endpoint: Uri,
    client: HyperClient,
}

impl OtlpHttp {
    /// A client for the receiver at `endpoint`. Must be made within the runtime that it is used in.
    pub(crate) fn new(endpoint: Uri, timeout: Duration) -> Self {
        Self {
            endpoint,
            client: HyperClient::with_default_connector(timeout, None),
        }
    }
}

/// Checks the URL of a receiver.
pub(crate) fn endpoint(url: &str) -> Result<Uri, Error> {
    let invalid = |problem: &str| Error::Endpoint {
        url: url.to_owned(),
        problem: problem.to_owned(),
    };
    let Some((scheme, _)) = url.split_once("://") else {
        return Err(invalid("it has no scheme"));
    };
    match scheme {
        "http" => {}
        "https" => {
            return Err(invalid(
                "TLS is not supported, send to a collector nearby over http",
            ));
        }
        _ => {
            return Err(invalid(
                "only OTLP over HTTP is supported, which is usually on port 4318",
            ));
        }
    }
    let uri: Uri = url
        .parse()
        .map_err(|error: http::uri::InvalidUri| invalid(&error.to_string()))?;
    match uri.host() {
        Some(host) if !host.is_empty() => Ok(uri),
        _ => Err(invalid("it has no host")),
    }
}

impl Export for OtlpHttp {
    async fn export(&mut self, request: Request) -> Result<Delivery, Failure> {
        let request = http::Request::post(&self.endpoint)
            .header(CONTENT_TYPE, PROTOBUF)
            .header(
                http::header::USER_AGENT,
                concat!("biztrace/", env!("CARGO_PKG_VERSION")),
            )
            .body(request.body)
            .map_err(|error| Failure::permanent(DropReason::Refused, error.to_string()))?;
        match self.client.send_bytes(request).await {
            Ok(response) => self.judge(&response),
            Err(error) => Err(self.failure(&error)),
        }
    }
}

impl OtlpHttp {
    /// OTLP specification, "OTLP/HTTP Response".
    fn judge(&self, response: &Response<Bytes>) -> Result<Delivery, Failure> {
        let status = response.status();
        if !status.is_success() {
            return Err(Failure::permanent(
                DropReason::Refused,
                format!("{} answered {status}{}", self.endpoint, hint(status)),
            ));
        }
        let nonsense = || {
            Failure::permanent(
                DropReason::Unknown,
                format!(
                    "{} answered {status} with a body that is no OTLP: is it a receiver of OTLP?",
                    self.endpoint
                ),
            )
        };
        // Some receivers answer in JSON whatever they are asked in: their good status has to do then.
        let content_type = response.headers().get(CONTENT_TYPE);
        let is = |kind: &str| {
            content_type.is_some_and(|value| value.as_bytes().starts_with(kind.as_bytes()))
        };
        if is("application/json") {
            return Ok(Delivery::default());
        }
        if !response.body().is_empty() && !is(PROTOBUF) {
            return Err(nonsense());
        }
        let answer =
            ExportTraceServiceResponse::decode(response.body().clone()).map_err(|_| nonsense())?;
        let partial = answer.partial_success.unwrap_or_default();
        let rejected = partial.rejected_spans.max(0) as u64;
        Ok(Delivery {
            rejected,
            message: partial.error_message,
        })
    }

    fn failure(&self, error: &HttpError) -> Failure {
        // The client's errors tell the cause only by their chain.
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message = format!("{message}: {cause}");
            source = cause.source();
        }
        let connecting = error
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(hyper_util::client::legacy::Error::is_connect);
        let reason = if connecting {
            DropReason::Unreachable
        } else {
            DropReason::Unknown
        };
        Failure {
            reason,
            message: format!("{}: {message}", self.endpoint),
            retry: Retry::Later,
        }
    }
}

fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => {
            ": is the path right? v1/traces is appended to OTEL_EXPORTER_OTLP_ENDPOINT, nothing to OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ": it does not take protobuf over HTTP; port 4317 is usually gRPC"
        }
        _ => "",
    }
}
