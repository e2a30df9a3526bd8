//! OTLP over HTTP (OTLP specification, "OTLP/HTTP").

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};

use super::answer::delivery;
use super::json_answer;
use super::receiver::{UNTRUSTED, endpoint};
use super::settings::{Otlp, Protocol};
use crate::error::Error;
use crate::exporter::json;
use crate::exporter::transport::header_map;
use crate::exporter::transport::http::{Client, Hints, is_media_type};
use crate::pipeline::{Delivery, Export, Failure, Request};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
/// What a page to log in on is in.
const HTML: &str = "text/html";

#[derive(Debug)]
pub(super) struct OtlpHttp {
    client: Client,
    is_json: bool,
}

impl OtlpHttp {
    pub(super) fn new(otlp: &Otlp) -> Result<Self, Error> {
        let endpoint = endpoint(otlp)?;
        let is_json = otlp.protocol.value == Protocol::HttpJson;
        let mut headers = header_map(&otlp.options, &endpoint)?;
        let content_type = if is_json { JSON } else { PROTOBUF };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Ok(Self {
            client: Client::new(endpoint, headers, &otlp.options, &HINTS)?,
            is_json,
        })
    }

    fn judge(&self, response: &Response<Bytes>) -> Result<Delivery, Failure> {
        let nonsense = || self.client.nonsense(response.status());
        let is = |kind: &str| is_media_type(response.headers(), kind);
        let body = response.body();
        let delivery = if body.is_empty() && !is(HTML) {
            // A plain success has no bytes in protobuf. An empty body may lack a content type.
            Delivery::default()
        } else if is(JSON) {
            json_answer::delivery(body).map_err(|_| nonsense())?
        } else if is(PROTOBUF) {
            delivery(body.clone()).map_err(|_| nonsense())?
        } else {
            return Err(nonsense());
        };
        Ok(delivery)
    }
}

impl Export for OtlpHttp {
    async fn export(&mut self, request: Request) -> Result<Delivery, Failure> {
        let mut body = request.body.clone();
        if self.is_json {
            body = json::encode(&request)?.into();
        }
        let answer = self.client.post(body, request.sent).await?;
        self.judge(&self.client.read(answer).await?)
    }
}

const HINTS: Hints = Hints {
    status: hint,
    timeout: "OTEL_EXPORTER_OTLP_TIMEOUT",
    untrusted: UNTRUSTED,
};

fn hint(status: StatusCode) -> &'static str {
    match status {
        _ if status.is_success() => ": check that this is an OTLP receiver",
        StatusCode::NOT_FOUND => {
            ": check the path. v1/traces is appended to OTEL_EXPORTER_OTLP_ENDPOINT, nothing to OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            ": check the credentials in OTEL_EXPORTER_OTLP_HEADERS"
        }
        StatusCode::PAYLOAD_TOO_LARGE => ": lower OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ": it does not accept this encoding, see OTEL_EXPORTER_OTLP_PROTOCOL; port 4317 is usually gRPC"
        }
        _ => "",
    }
}
