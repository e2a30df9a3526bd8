//! Zipkin's second format, in JSON over HTTP.

mod span;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::endpoint;
use super::http::{Client, Receiver};
use crate::config::{Certificates, Zipkin};
use crate::error::Error;
use crate::pipeline::{Delivery, DropReason, Export, Failure, Request};

/// A receiver's settings, checked.
#[derive(Debug)]
pub(crate) struct Settings(Receiver);

#[derive(Debug)]
pub(crate) struct ZipkinHttp(Client);

impl Settings {
    pub(crate) fn new(zipkin: &Zipkin) -> Result<Self, Error> {
        let endpoint = endpoint::endpoint(&zipkin.endpoint, None, Zipkin::ENDPOINT)?;
        let content_type = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type)]);
        let certificates = Certificates::default();
        let receiver = Receiver::new(endpoint, headers, zipkin.timeout, &certificates, hint)?;
        Ok(Self(receiver))
    }
}

impl ZipkinHttp {
    /// Must be called within the runtime that it is used in.
    pub(crate) fn new(settings: Settings) -> Self {
        Self(Client::new(settings.0))
    }
}

impl Export for ZipkinHttp {
    async fn export(&mut self, request: Request) -> Result<Delivery, Failure> {
        let spans = super::decode(&request)?;
        let body = serde_json::to_vec(&span::all(&spans)).map_err(|error| {
            let problem = format!("a request is not to be had in JSON: {error}");
            Failure::permanent(DropReason::Refused, problem)
        })?;
        // What a receiver says to a success is of no interest.
        let answer = self.0.post(Bytes::from(body), request.sent).await;
        answer.map(|_| Delivery::default())
    }
}

fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            ": is the path right? Nothing is appended to OTEL_EXPORTER_ZIPKIN_ENDPOINT; Zipkin's is /api/v2/spans"
        }
        StatusCode::PAYLOAD_TOO_LARGE => ": see OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        _ => "",
    }
}
