//! OTLP: sends the recorded bytes as they are.

#[cfg(feature = "otlp-grpc")]
pub(crate) mod grpc;
#[cfg(feature = "otlp-http")]
pub(crate) mod http;
#[cfg(feature = "otlp-http")]
mod json_answer;

use ::http::header::USER_AGENT;
use ::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::{DecodeError, Message};

use crate::config::{Otlp, Protocol};
use crate::error::Error;
use crate::exporter::endpoint;
use crate::pipeline::Delivery;

/// The URL for traces, checked.
fn endpoint(otlp: &Otlp) -> Result<Uri, Error> {
    let example = match otlp.protocol() {
        Protocol::Grpc => "http://localhost:4317",
        Protocol::HttpProtobuf | Protocol::HttpJson => "http://localhost:4318",
    };
    let written = otlp.url();
    let uri = endpoint::endpoint(&written, otlp.insecure, example)?;
    if otlp.protocol() == Protocol::Grpc && uri.path_and_query().is_some_and(|it| it != "/") {
        let problem = "requests by gRPC have a path of their own: write nothing behind the port, or choose another \
             OTEL_EXPORTER_OTLP_PROTOCOL";
        return Err(endpoint::invalid(&written, problem, example));
    }
    Ok(uri)
}

/// The headers of each request that the settings name, and who sends it.
fn header_map(otlp: &Otlp) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    let agent = concat!("biztrace/", env!("CARGO_PKG_VERSION"));
    headers.insert(USER_AGENT, HeaderValue::from_static(agent));
    for (name, value) in &otlp.headers {
        let invalid = |problem| Error::Header {
            name: name.clone(),
            problem,
        };
        let key = HeaderName::try_from(name).map_err(|_| invalid("is not the name of a header"))?;
        let mut value = HeaderValue::try_from(value)
            .map_err(|_| invalid("has a value that no header may have"))?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}

/// What a receiver says that takes the request.
fn delivery(answer: Bytes) -> Result<Delivery, DecodeError> {
    let partial = ExportTraceServiceResponse::decode(answer)?
        .partial_success
        .unwrap_or_default();
    Ok(Delivery {
        rejected: u64::try_from(partial.rejected_spans).unwrap_or(0),
        message: partial.error_message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_takes_no_path() {
        for url in ["http://c:4317/v1/traces", "http://c:4317?tenant=1"] {
            let error = endpoint(&Otlp::grpc(url)).unwrap_err().to_string();
            assert!(error.contains("write nothing behind the port"), "{error}");
        }
        assert_eq!(endpoint(&Otlp::grpc("http://c/")).unwrap(), "http://c/");
    }
}
