//! Exporters: what takes the pipeline's requests to a receiver. The pipeline knows them as `Export` only.

pub(crate) mod console;
#[cfg(any(feature = "_http", feature = "otlp-grpc"))]
mod endpoint;
#[cfg(feature = "otlp-grpc")]
mod grpc;
#[cfg(feature = "_http")]
mod http;
#[cfg(any(feature = "otlp-file", feature = "otlp-http"))]
pub(crate) mod json;
#[cfg(feature = "otlp-file")]
pub(crate) mod json_lines;
#[cfg(feature = "testing")]
pub(crate) mod memory;
#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
pub(crate) mod otlp;
pub(crate) mod sdk;
#[cfg(feature = "otlp-grpc")]
pub(crate) mod strategies;
#[cfg(all(feature = "tls", any(feature = "_http", feature = "otlp-grpc")))]
mod tls;
mod visible;
#[cfg(feature = "zipkin")]
pub(crate) mod zipkin;

#[cfg(any(feature = "_http", feature = "otlp-grpc"))]
use std::error::Error;
#[cfg(any(feature = "_http", feature = "otlp-grpc"))]
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use prost::Message;

#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
use self::visible::visible;
use crate::pipeline::{Delivery, DropReason, Export, Failure, Request};

/// Shorter than a request may take, so that the message says that it is the connection that fails.
#[cfg(any(feature = "_http", feature = "otlp-grpc"))]
fn connect_timeout(request: Duration) -> Duration {
    request / 2
}

/// What is behind an error, from its cause to the cause of all.
#[cfg(any(feature = "_http", feature = "otlp-grpc"))]
fn sources<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |&error| error.source())
}

/// What to do where a greeting of TLS is not answered as such.
#[cfg(any(feature = "_http", feature = "otlp-grpc"))]
const SPEAKS_NO_TLS: &str = ": does it speak TLS? If not, write http:// before it";

/// What a receiver says, as it may stand in the log: it may say anything.
#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
fn said(text: &str) -> String {
    const MOST: usize = 300;
    visible(text, MOST)
}

/// An id, or other bytes, as text.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The body of a request in JSON.
#[cfg(any(feature = "otlp-file", feature = "otlp-http", feature = "zipkin"))]
fn to_json(body: &impl serde::Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(body).map_err(|error| {
        let problem = format!("a request is not to be had in JSON: {error}");
        Failure::permanent(DropReason::Refused, problem)
    })
}

/// The spans of a request, for what wants them as structs.
fn decode(request: &Request) -> Result<Vec<ResourceSpans>, Failure> {
    match ExportTraceServiceRequest::decode(&*request.body) {
        Ok(request) => Ok(request.resource_spans),
        Err(error) => Err(Failure::permanent(
            DropReason::Refused,
            format!("biztrace wrote a request that does not decode, please report it: {error}"),
        )),
    }
}

impl Export for console::Console {
    async fn export(&mut self, request: Request) -> Result<Delivery, Failure> {
        let spans = decode(&request)?;
        request.sent.set();
        let written = console::Console::export(self, &spans);
        written
            .map(|()| Delivery::default())
            .map_err(|error| Failure::permanent(DropReason::Refused, format!("stderr: {error}")))
    }
}
