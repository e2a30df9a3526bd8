//! What a request is made of, for exporters that do not send its bytes as they are.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use prost::Message;

use crate::pipeline::{DropReason, Failure, Request};

pub(super) fn decode(request: &Request) -> Result<Vec<ResourceSpans>, Failure> {
    match ExportTraceServiceRequest::decode(&*request.body) {
        Ok(request) => Ok(request.resource_spans),
        Err(error) => Err(Failure::permanent(
            DropReason::Refused,
            format!("biztrace wrote a request that does not decode, please report it: {error}"),
        )),
    }
}

/// A body in JSON.
#[cfg(any(feature = "json", feature = "otlp-http", feature = "zipkin"))]
pub(super) fn to_json(body: &impl serde::Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(body).map_err(|error| {
        let problem = format!("cannot encode the request as JSON: {error}");
        Failure::permanent(DropReason::Refused, problem)
    })
}
