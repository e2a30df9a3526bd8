//! Posts spans to Zipkin.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};

use super::span;
use crate::error::Error;
use crate::exporter::body::{decode, to_json};
use crate::exporter::transport::endpoint::{EndpointHelp, endpoint};
use crate::exporter::transport::http::{Client, Hints, is_media_type};
use crate::exporter::transport::{Options, header_map};
use crate::pipeline::{Delivery, Export, Failure, Request};

#[derive(Debug)]
pub(super) struct ZipkinHttp(Client);

/// The receiver that the specification takes by default.
pub(super) const ENDPOINT: &str = "http://localhost:9411/api/v2/spans";

const HELP: EndpointHelp = EndpointHelp {
    settings: "`TelemetryBuilder::zipkin`, OTEL_EXPORTER_ZIPKIN_ENDPOINT",
    credentials: ", or send them in a header: authorization=Basic … by `Zipkin::header`",
    example: ENDPOINT,
};

impl ZipkinHttp {
    pub(super) fn new(url: &str, options: &Options) -> Result<Self, Error> {
        let endpoint = endpoint(url.trim(), url, None, &HELP)?;
        let mut headers = header_map(options, &endpoint)?;
        let content_type = HeaderValue::from_static("application/json");
        headers.insert(CONTENT_TYPE, content_type);
        Ok(Self(Client::new(endpoint, headers, options, &HINTS)?))
    }
}

impl Export for ZipkinHttp {
    async fn export(&mut self, request: Request) -> Result<Delivery, Failure> {
        let spans = decode(&request)?;
        let body = to_json(&span::all(&spans))?;
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
    untrusted: ": name the certificate of the authority that signs the receiver's by `Zipkin::ca_file` or SSL_CERT_FILE",
};

fn hint(status: StatusCode) -> &'static str {
    match status {
        _ if status.is_success() => ": check that this is a Zipkin receiver",
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            ": check the path. Nothing is appended to OTEL_EXPORTER_ZIPKIN_ENDPOINT; Zipkin's is /api/v2/spans"
        }
        StatusCode::PAYLOAD_TOO_LARGE => ": lower OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        _ => "",
    }
}
