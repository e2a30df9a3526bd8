//! OTLP over HTTP (OTLP specification, "OTLP/HTTP").

use std::convert::Infallible;
use std::error::Error as _;
use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Frame, SizeHint};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;

use super::{connect_timeout, delivery, endpoint, header_map, json_answer};
use crate::config::{Compression, Otlp, Protocol};
use crate::error::Error;
use crate::exporter::json;
use crate::pipeline::{Delivery, DropReason, Export, Failure, Request, Retry, Sent};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// More than a receiver has to say.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

#[cfg(feature = "tls")]
type Connector = hyper_rustls::HttpsConnector<HttpConnector>;
#[cfg(not(feature = "tls"))]
type Connector = HttpConnector;

/// A receiver's settings, checked.
#[derive(Debug)]
pub(crate) struct Settings {
    endpoint: Uri,
    headers: HeaderMap,
    is_json: bool,
    compression: Compression,
    timeout: Duration,
    connector: Connector,
}

#[derive(Debug)]
pub(crate) struct OtlpHttp {
    settings: Settings,
    client: Client<Connector, Outgoing>,
}

impl Settings {
    pub(crate) fn new(otlp: &Otlp) -> Result<Self, Error> {
        let endpoint = endpoint::endpoint(otlp)?;
        let is_json = otlp.protocol() == Protocol::HttpJson;
        let mut headers = header_map(otlp)?;
        let content_type = if is_json { JSON } else { PROTOBUF };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if otlp.compression() == Compression::Gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(Self {
            connector: connector(otlp, &endpoint)?,
            endpoint,
            headers,
            is_json,
            compression: otlp.compression(),
            timeout: otlp.request_timeout(),
        })
    }
}

/// Where TLS is not asked for, no certificates are looked for.
fn connector(otlp: &Otlp, endpoint: &Uri) -> Result<Connector, Error> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(connect_timeout(otlp)));
    #[cfg(feature = "tls")]
    {
        let tls = if endpoint.scheme() == Some(&http::uri::Scheme::HTTPS) {
            super::tls::config(otlp)?
        } else {
            super::tls::unused()?
        };
        let builder = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls);
        Ok(builder.https_or_http().enable_http1().wrap_connector(http))
    }
    #[cfg(not(feature = "tls"))]
    {
        let _ = endpoint;
        Ok(http)
    }
}

impl OtlpHttp {
    /// Must be called within the runtime that it is used in.
    pub(crate) fn new(settings: Settings) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(1)
            .build(settings.connector.clone());
        Self { settings, client }
    }

    async fn send(&self, body: Bytes, sent: Sent) -> Result<Response<Bytes>, Failure> {
        let body = Full::new(body);
        let mut request = http::Request::new(Outgoing { body, sent });
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.settings.endpoint.clone();
        *request.headers_mut() = self.settings.headers.clone();
        let response = self
            .client
            .request(request)
            .await
            .map_err(|error| self.failure(&error))?;
        let (parts, body) = response.into_parts();
        match Limited::new(body, MAX_ANSWER_BYTES).collect().await {
            Ok(body) => Ok(Response::from_parts(parts, body.to_bytes())),
            // The status is what counts, if it says no.
            Err(_) if !parts.status.is_success() => Ok(Response::from_parts(parts, Bytes::new())),
            Err(error) if error.is::<LengthLimitError>() => Err(self.nonsense(parts.status)),
            Err(error) => Err(self.unanswered(&format!("the answer broke off: {error}"))),
        }
    }

    /// What its messages call the receiver.
    fn receiver(&self) -> String {
        crate::config::masked(&self.settings.endpoint.to_string())
    }

    /// A failure after an answer that says nothing of the spans. To ask again would only send them twice.
    fn nonsense(&self, status: StatusCode) -> Failure {
        let receiver = self.receiver();
        Failure::permanent(
            DropReason::Unknown,
            format!(
                "{receiver} answered {status} with a body that is no OTLP: is it a receiver of OTLP?"
            ),
        )
    }

    /// A failure after which the spans may have arrived. OTLP delivers at least once, so they are sent again.
    fn unanswered(&self, problem: &str) -> Failure {
        Failure {
            reason: DropReason::Unknown,
            message: format!("{}: {problem}", self.receiver()),
            retry: Retry::Later,
        }
    }

    fn failure(&self, error: &legacy::Error) -> Failure {
        // The client's errors tell the cause only by their chain.
        let mut message = error.to_string();
        let mut is_http = true;
        let mut source = error.source();
        while let Some(cause) = source {
            is_http &= !is_no_http(cause);
            message = format!("{message}: {cause}");
            source = cause.source();
        }
        if !is_http {
            message += ": is it HTTP that listens there? Port 4317 is usually gRPC";
        }
        let reason = if error.is_connect() {
            DropReason::Unreachable
        } else {
            DropReason::Unknown
        };
        Failure {
            reason,
            // What speaks another protocol will not speak HTTP later.
            retry: if is_http { Retry::Later } else { Retry::Never },
            ..self.unanswered(&message)
        }
    }

    fn judge(&self, response: &Response<Bytes>) -> Result<Delivery, Failure> {
        let status = response.status();
        if !status.is_success() {
            return Err(Failure {
                reason: DropReason::Refused,
                message: format!("{} answered {status}{}", self.receiver(), hint(status)),
                retry: retry(response),
            });
        }
        let nonsense = || self.nonsense(status);
        let content_type = response.headers().get(CONTENT_TYPE);
        let is = |kind: &str| {
            content_type.is_some_and(|value| value.as_bytes().starts_with(kind.as_bytes()))
        };
        if !response.body().is_empty() {
            if is(JSON) {
                return json_answer::delivery(response.body()).map_err(|_| nonsense());
            }
            if !is(PROTOBUF) {
                return Err(nonsense());
            }
        }
        delivery(response.body().clone()).map_err(|_| nonsense())
    }
}

impl Export for OtlpHttp {
    async fn export(&mut self, request: Request) -> Result<Delivery, Failure> {
        let mut body = request.body.clone();
        if self.settings.is_json {
            body = json::encode(&request)?.into();
        }
        if self.settings.compression == Compression::Gzip {
            body = gzip(&body)?;
        }
        match timeout(self.settings.timeout, self.send(body, request.sent)).await {
            Ok(response) => self.judge(&response?),
            Err(_) => Err(self.unanswered("no answer in time")),
        }
    }
}

/// A body that says when it begins to leave: over a connection that stands.
#[derive(Debug)]
struct Outgoing {
    body: Full<Bytes>,
    sent: Sent,
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.sent.set();
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn gzip(body: &[u8]) -> Result<Bytes, Failure> {
    let mut encoder = GzEncoder::new(
        Vec::with_capacity(body.len() / 4),
        flate2::Compression::fast(),
    );
    let compressed = encoder.write_all(body).and_then(|()| encoder.finish());
    compressed
        .map(Bytes::from)
        .map_err(|error| Failure::permanent(DropReason::Refused, format!("gzip: {error}")))
}

/// Whether what was read is no HTTP. Servers of gRPC speak first, of which the client tells only in words.
fn is_no_http(error: &(dyn std::error::Error + 'static)) -> bool {
    let error = error.downcast_ref::<hyper::Error>();
    error.is_some_and(|error| {
        error.is_parse() || error.to_string().starts_with("received unexpected message")
    })
}

/// OTLP/HTTP, "Retryable Response Codes" and "OTLP/HTTP Throttling".
fn retry(response: &Response<Bytes>) -> Retry {
    match response.status() {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => {
            let after = response.headers().get(RETRY_AFTER);
            let after =
                after.and_then(|value| retry_after(value.to_str().ok()?, SystemTime::now()));
            after.map_or(Retry::Later, Retry::After)
        }
        _ => Retry::Never,
    }
}

/// Seconds, or a date (RFC 9110, 10.2.3).
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value.trim()).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

fn hint(status: StatusCode) -> &'static str {
    match status {
        _ if status.is_redirection() => {
            ": redirects are not followed, write the address that it names as the endpoint"
        }
        StatusCode::NOT_FOUND => {
            ": is the path right? v1/traces is appended to OTEL_EXPORTER_OTLP_ENDPOINT, nothing to OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            ": it wants other credentials, see OTEL_EXPORTER_OTLP_HEADERS"
        }
        StatusCode::PAYLOAD_TOO_LARGE => ": see OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ": it does not take this encoding, see OTEL_EXPORTER_OTLP_PROTOCOL; port 4317 is usually gRPC"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_says_when_to_come_again() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (value, seconds) in [
            ("3", Some(3)),
            (" 120 ", Some(120)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(
                retry_after(value, now),
                seconds.map(Duration::from_secs),
                "{value}"
            );
        }
    }
}
