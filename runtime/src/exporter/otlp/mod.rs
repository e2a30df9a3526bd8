//! OTLP: sends the recorded bytes as they are.

mod endpoint;
#[cfg(feature = "otlp-grpc")]
pub(crate) mod grpc;
#[cfg(feature = "otlp-http")]
pub(crate) mod http;
#[cfg(feature = "otlp-http")]
mod json_answer;
#[cfg(feature = "tls")]
mod tls;

use std::time::Duration;

use ::http::header::USER_AGENT;
use ::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::{DecodeError, Message};

use crate::config::Otlp;
use crate::error::Error;
use crate::pipeline::Delivery;

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

/// Shorter than a request may take, so that what never got through is not taken for what was not answered.
fn connect_timeout(otlp: &Otlp) -> Duration {
    otlp.request_timeout() / 2
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
