//! Zipkin's second format, in JSON over HTTP.

mod span;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::endpoint::{self, How};
use super::http::{Client, Hints, is_media_type};
use crate::config::{Certificates, Zipkin};
use crate::error::Error;
use crate::pipeline::{Delivery, Export, Failure, Request};

#[derive(Debug)]
pub(crate) struct ZipkinHttp(Client);

impl ZipkinHttp {
    pub(crate) fn new(zipkin: &Zipkin) -> Result<Self, Error> {
        const HOW: How = How {
            settings: "`Builder::zipkin`, OTEL_EXPORTER_ZIPKIN_ENDPOINT",
            example: Zipkin::ENDPOINT,
        };
        let written = &zipkin.endpoint;
        let endpoint = endpoint::endpoint(written.trim(), written, None, &HOW)?;
        let content_type = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type)]);
        let certificates = Certificates::default();
        let client = Client::new(endpoint, headers, zipkin.timeout, &certificates, &HINTS)?;
        Ok(Self(client))
    }
}

impl Export for ZipkinHttp {
    async fn export(&mut self, request: Request) -> Result<Delivery, Failure> {
        let spans = super::decode(&request)?;
        let body = super::to_json(&span::all(&spans))?;
        let answer = self.0.post(Bytes::from(body), request.sent).await?;
        let (status, headers) = (answer.response.status(), answer.response.headers());
        if is_media_type(headers, "text/html") {
            return Err(self.0.nonsense(status));
        }
        // What else a receiver says to a success is of no interest.
        Ok(Delivery::default())
    }
}

const HINTS: Hints = Hints {
    status: hint,
    timeout: "OTEL_EXPORTER_ZIPKIN_TIMEOUT",
    #[cfg(feature = "tls")]
    untrusted: ": name the certificate of the authority that signs the receiver's by SSL_CERT_FILE",
};

fn hint(status: StatusCode) -> &'static str {
    match status {
        _ if status.is_success() => ": is it a receiver of Zipkin's format?",
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            ": is the path right? Nothing is appended to OTEL_EXPORTER_ZIPKIN_ENDPOINT; Zipkin's is /api/v2/spans"
        }
        StatusCode::PAYLOAD_TOO_LARGE => ": see OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        _ => "",
    }
}
