//! Requests over HTTP, and what a receiver answers.

use std::convert::Infallible;
use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};

use super::endpoint::{SPEAKS_NO_TLS, connect_timeout};
use super::{Compression, Options, masked, tls};
use crate::error::{Error, message, sources};
use crate::pipeline::{DropReason, Failure, Retry, SendStarted, after};

/// The most bytes of a response that are read.
#[cfg_attr(
    not(feature = "otlp-http"),
    allow(dead_code, reason = "Zipkin reads the head of a response only")
)]
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Sends requests to one receiver.
#[derive(Debug)]
pub(in crate::exporter) struct Client {
    endpoint: Uri,
    headers: HeaderMap,
    compression: Compression,
    timeout: Duration,
    hints: &'static Hints,
    client: legacy::Client<tls::Connector, Outgoing>,
    /// Whether the receiver has ever answered in HTTP.
    is_known: bool,
}

/// What to do about a failure.
#[derive(Debug)]
pub(in crate::exporter) struct Hints {
    pub(in crate::exporter) status: fn(StatusCode) -> &'static str,
    /// What sets how long a request may take.
    pub(in crate::exporter) timeout: &'static str,
    /// Where nobody answers for its certificate.
    pub(in crate::exporter) untrusted: &'static str,
}

/// The head of a success, and what is left of the time for its body.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "otlp-http"),
    allow(dead_code, reason = "Zipkin reads the head of a response only")
)]
pub(in crate::exporter) struct SuccessResponse {
    pub(in crate::exporter) response: Response<Incoming>,
    until: Instant,
    sent: SendStarted,
}

/// Whether the media type of what comes with that head is `kind`, in whatever case and with whatever parameters.
pub(in crate::exporter) fn is_media_type(headers: &HeaderMap, kind: &str) -> bool {
    let value = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let essence = value.and_then(|value| value.split(|byte| *byte == b';').next());
    essence.is_some_and(|essence| essence.trim_ascii().eq_ignore_ascii_case(kind.as_bytes()))
}

impl Client {
    pub(in crate::exporter) fn new(
        endpoint: Uri,
        mut headers: HeaderMap,
        options: &Options,
        hints: &'static Hints,
    ) -> Result<Self, Error> {
        let timeout = options.timeout.value;
        let compression = options.compression.value;
        if compression == Compression::Gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(connect_timeout(timeout)));
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(1)
            .build(tls::connector(
                connector,
                &endpoint,
                &options.certificates(),
            )?);
        Ok(Self {
            endpoint,
            headers,
            compression,
            timeout,
            hints,
            client,
            is_known: false,
        })
    }

    fn is_https(&self) -> bool {
        self.endpoint.scheme() == Some(&Scheme::HTTPS)
    }

    /// What messages call the receiver.
    fn receiver(&self) -> String {
        masked(&self.endpoint.to_string())
    }

    /// Sends `body`. Returns the answer if that is a success; of others the head says enough.
    pub(in crate::exporter) async fn post(
        &mut self,
        body: Bytes,
        sent: SendStarted,
    ) -> Result<SuccessResponse, Failure> {
        let body = match self.compression {
            Compression::None => body,
            Compression::Gzip => gzip(&body)?,
        };
        let body = Full::new(body);
        let mut request = http::Request::new(Outgoing {
            body,
            sent: sent.clone(),
        });
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.endpoint.clone();
        *request.headers_mut() = self.headers.clone();
        let until = after(self.timeout);
        let response = match timeout_at(until, self.client.request(request)).await {
            Ok(response) => response.map_err(|error| self.failure(&error))?,
            Err(_) => return Err(self.late(&sent)),
        };
        self.is_known = true;
        let status = response.status();
        if status.is_success() {
            return Ok(SuccessResponse {
                response,
                until,
                sent,
            });
        }
        let hint = if status.is_redirection() {
            ": redirects are not followed, set the endpoint to the address that it names"
        } else {
            (self.hints.status)(status)
        };
        Err(Failure {
            reason: DropReason::Refused,
            message: format!("{} returned {status}{hint}", self.receiver()),
            retry: retry(&response),
        })
    }

    /// The body of an answer.
    #[cfg_attr(
        not(feature = "otlp-http"),
        allow(dead_code, reason = "Zipkin reads the head of a response only")
    )]
    pub(in crate::exporter) async fn read(
        &self,
        answer: SuccessResponse,
    ) -> Result<Response<Bytes>, Failure> {
        let (parts, body) = answer.response.into_parts();
        let body = Limited::new(body, MAX_ANSWER_BYTES).collect();
        match timeout_at(answer.until, body).await {
            Ok(Ok(body)) => Ok(Response::from_parts(parts, body.to_bytes())),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(self.nonsense(parts.status)),
            Ok(Err(error)) => {
                let problem = format!("the response ended early: {error}");
                Err(self.unanswered(DropReason::Unknown, &problem))
            }
            Err(_) => Err(self.late(&answer.sent)),
        }
    }

    /// The time of a request is over.
    fn late(&self, sent: &SendStarted) -> Failure {
        let (reason, problem) = sent.unanswered();
        let (timeout, setting) = (self.timeout, self.hints.timeout);
        // A connection alone has less time: it is the greeting that is not answered.
        let hint = if self.is_https() && reason == DropReason::Unreachable {
            SPEAKS_NO_TLS
        } else {
            ""
        };
        let problem = format!("{problem} in {timeout:?} ({setting}){hint}");
        self.unanswered(reason, &problem)
    }

    /// A failure after a success that says nothing of the spans. To ask again would only send them twice.
    pub(in crate::exporter) fn nonsense(&self, status: StatusCode) -> Failure {
        Failure::permanent(
            DropReason::Unknown,
            format!(
                "{} returned {status} with an unreadable body{}",
                self.receiver(),
                (self.hints.status)(status)
            ),
        )
    }

    /// A failure that tells nothing of the next attempt. Delivery is at least once, so the spans are sent again.
    fn unanswered(&self, reason: DropReason, problem: &str) -> Failure {
        Failure {
            reason,
            message: format!("{}: {problem}", self.receiver()),
            retry: Retry::Later,
        }
    }

    fn failure(&self, error: &legacy::Error) -> Failure {
        // The client's errors tell the cause only by their chain.
        let mut message = message(error);
        let is_http = !sources(error).any(is_no_http);
        if !is_http {
            message += ": the server did not speak HTTP. Port 4317 is usually gRPC; with TLS the URL needs https://";
        }
        if !self.is_known && !self.is_https() && sources(error).any(is_cut_short) {
            message += ": does it want TLS? Then write https:// before it";
        }
        if error.is_connect() && self.is_https() {
            message += tls::hint(error, self.hints.untrusted);
        }
        let reason = if error.is_connect() {
            DropReason::Unreachable
        } else {
            DropReason::Unknown
        };
        Failure {
            // What speaks another protocol will not speak HTTP later.
            retry: if is_http { Retry::Later } else { Retry::Never },
            ..self.unanswered(reason, &message)
        }
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

/// A body that says when it begins to leave: over a connection that stands.
#[derive(Debug)]
struct Outgoing {
    body: Full<Bytes>,
    sent: SendStarted,
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

/// Whether the response is not HTTP. Servers of gRPC speak first: the client reports that only as text.
fn is_no_http(error: &(dyn std::error::Error + 'static)) -> bool {
    let error = error.downcast_ref::<hyper::Error>();
    error.is_some_and(|error| {
        error.is_parse() || error.to_string().starts_with("received unexpected message")
    })
}

/// Whether the other side hung up on a request.
fn is_cut_short(error: &(dyn std::error::Error + 'static)) -> bool {
    let error = error.downcast_ref::<hyper::Error>();
    error.is_some_and(hyper::Error::is_incomplete_message)
}

/// OTLP/HTTP, "Retryable Response Codes" and "OTLP/HTTP Throttling", which say nothing that is not true of other receivers.
fn retry<B>(response: &Response<B>) -> Retry {
    match response.status() {
        // A connection that was idle for too long is closed by this word, which a request on its way takes for its answer (RFC
        // 9110, 15.5.9).
        StatusCode::REQUEST_TIMEOUT => Retry::Later,
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
