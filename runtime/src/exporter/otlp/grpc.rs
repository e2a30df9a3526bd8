//! OTLP over gRPC (OTLP specification, "OTLP/gRPC"). The recorded bytes are the message: nothing is encoded again.

use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use prost::Message;
use tokio::time::timeout;
use tonic::client::Grpc;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, ConnectError, Status};

use super::answer::delivery;
use super::receiver::{UNTRUSTED, endpoint};
use super::settings::Otlp;
use crate::error::{Error, message, sources};
use crate::exporter::remote_text;
use crate::exporter::transport::endpoint::{SPEAKS_NO_TLS, connect_timeout};
use crate::exporter::transport::{Compression, grpc, header_map};
use crate::pipeline::{Delivery, DropReason, Export, Failure, Request, Retry};

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// How often a connection is asked for a sign of life while a request is on its way, and how long it has to give one. So one
/// that is half open is noticed within the usual timeout of a request. Receivers in Go take two or three such questions about
/// one request, and hang up at more.
const KEEP_ALIVE: Duration = Duration::from_secs(3);

/// A receiver's settings, checked.
#[derive(Debug)]
pub(super) struct GrpcReceiver {
    endpoint: Endpoint,
    metadata: MetadataMap,
    compression: Compression,
    timeout: Duration,
}

#[derive(Debug)]
pub(super) struct OtlpGrpc {
    receiver: GrpcReceiver,
    client: Grpc<Channel>,
    /// Whether the receiver has ever answered in gRPC.
    is_known: bool,
}

impl GrpcReceiver {
    pub(super) fn new(otlp: &Otlp) -> Result<Self, Error> {
        let uri = endpoint(otlp)?;
        let headers = header_map(&otlp.options, &uri)?;
        let endpoint = Endpoint::from(uri)
            .connect_timeout(connect_timeout(otlp.options.timeout.value))
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE);
        let endpoint = grpc::with_tls(endpoint, &otlp.options.certificates())?;
        Ok(Self {
            endpoint,
            metadata: MetadataMap::from_headers(headers),
            compression: otlp.options.compression.value,
            timeout: otlp.options.timeout.value,
        })
    }

    /// Connects when it first sends, and again when the connection is lost.
    fn client(&self) -> Grpc<Channel> {
        let client =
            Grpc::new(self.endpoint.connect_lazy()).accept_compressed(CompressionEncoding::Gzip);
        match self.compression {
            Compression::Gzip => client.send_compressed(CompressionEncoding::Gzip),
            Compression::None => client,
        }
    }
}

impl OtlpGrpc {
    /// Must be called within the runtime that it is used in.
    pub(super) fn new(receiver: GrpcReceiver) -> Self {
        Self {
            client: receiver.client(),
            receiver,
            is_known: false,
        }
    }

    async fn send(&mut self, request: Request) -> Result<Bytes, Status> {
        let Request { body, sent, .. } = request;
        let mut request = tonic::Request::new(body);
        *request.metadata_mut() = self.receiver.metadata.clone();
        grpc::call(&mut self.client, EXPORT, request, sent).await
    }

    fn is_https(&self) -> bool {
        self.receiver.endpoint.uri().scheme() == Some(&Scheme::HTTPS)
    }

    /// The response of the receiver, or why there is none.
    fn failure(&mut self, status: &Status) -> Failure {
        let Some(cause) = status.source() else {
            self.is_known = true;
            // The client's own word for an answer of more than 4 MiB, which it tells by no more than that.
            let is_long = status
                .message()
                .contains("decoded message length too large");
            if status.code() == Code::OutOfRange && is_long {
                return self.nonsense();
            }
            return self.refusal(status);
        };
        let mut message = format!("{}: {}", self.receiver.endpoint.uri(), message(cause));
        if sources(status).any(|cause| cause.is::<ConnectError>()) {
            if self.is_https() {
                message += grpc::hint(status, UNTRUSTED);
            }
            return self.unanswered(DropReason::Unreachable, message);
        }
        if !self.is_known {
            message += "; the server did not speak gRPC. Port 4318 is usually HTTP; the URL needs https:// with TLS, and http:// without";
        }
        self.unanswered(DropReason::Unknown, message)
    }

    /// A failure after a success that says nothing of the spans. To ask again would only send them twice.
    fn nonsense(&self) -> Failure {
        let endpoint = self.receiver.endpoint.uri();
        Failure::permanent(
            DropReason::Unknown,
            format!(
                "{endpoint} returned a response that is not OTLP: check that this is an OTLP receiver"
            ),
        )
    }

    fn refusal(&self, status: &Status) -> Failure {
        let hint = match status.code() {
            Code::Unauthenticated | Code::PermissionDenied => {
                "; check the credentials in OTEL_EXPORTER_OTLP_HEADERS"
            }
            Code::Unimplemented => {
                "; check that this is an OTLP receiver, and that it accepts the compression"
            }
            Code::ResourceExhausted => {
                "; if requests are too large, lower OTEL_BSP_MAX_EXPORT_BATCH_SIZE"
            }
            _ => "",
        };
        let reason = match status.code() {
            Code::Cancelled | Code::DeadlineExceeded => DropReason::Unknown,
            _ => DropReason::Refused,
        };
        let (endpoint, code) = (self.receiver.endpoint.uri(), status.code());
        let text = remote_text(status.message());
        Failure {
            reason,
            message: format!("{endpoint} returned {code:?}: {text}{hint}"),
            retry: retry(status),
        }
    }

    /// A failure that tells nothing of the next attempt. OTLP delivers at least once, so the spans are sent again.
    fn unanswered(&self, reason: DropReason, message: String) -> Failure {
        Failure {
            reason,
            message,
            retry: Retry::Later,
        }
    }
}

impl Export for OtlpGrpc {
    async fn export(&mut self, request: Request) -> Result<Delivery, Failure> {
        let limit = self.receiver.timeout;
        let sent = request.sent.clone();
        let answer = match timeout(limit, self.send(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(status)) => return Err(self.failure(&status)),
            Err(_) => {
                // The connection may be half open: the next request goes by another.
                self.client = self.receiver.client();
                let (reason, problem) = sent.unanswered();
                let endpoint = self.receiver.endpoint.uri();
                // A connection alone has less time: it is the greeting that is not answered.
                let hint = if self.is_https() && reason == DropReason::Unreachable {
                    SPEAKS_NO_TLS
                } else {
                    ""
                };
                let message = format!(
                    "{endpoint}: {problem} in {limit:?} (OTEL_EXPORTER_OTLP_TIMEOUT){hint}"
                );
                return Err(self.unanswered(reason, message));
            }
        };
        self.is_known = true;
        delivery(answer).map_err(|_| self.nonsense())
    }
}

/// OTLP/gRPC, "Failures" and "OTLP/gRPC Throttling".
fn retry(status: &Status) -> Retry {
    let after = retry_delay(status.details());
    match (status.code(), after) {
        (
            Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unavailable
            | Code::DataLoss,
            after,
        ) => after.map_or(Retry::Later, Retry::After),
        (Code::ResourceExhausted, Some(after)) => Retry::After(after),
        _ => Retry::Never,
    }
}

/// What a `google.rpc.RetryInfo` among the details says.
fn retry_delay(details: &[u8]) -> Option<Duration> {
    #[derive(Message)]
    struct RpcStatus {
        #[prost(message, repeated, tag = "3")]
        details: Vec<Any>,
    }

    #[derive(Message)]
    struct Any {
        #[prost(string, tag = "1")]
        type_url: String,
        #[prost(bytes = "vec", tag = "2")]
        value: Vec<u8>,
    }

    #[derive(Message)]
    struct RetryInfo {
        #[prost(message, optional, tag = "1")]
        delay: Option<Delay>,
    }

    #[derive(Message)]
    struct Delay {
        #[prost(int64, tag = "1")]
        seconds: i64,
        #[prost(int32, tag = "2")]
        nanos: i32,
    }

    let status = RpcStatus::decode(details).ok()?;
    let mut all = status.details.iter();
    let info = all.find(|any| any.type_url.ends_with("google.rpc.RetryInfo"))?;
    let delay = RetryInfo::decode(&*info.value).ok()?.delay?;
    let seconds = u64::try_from(delay.seconds).unwrap_or(0);
    Some(Duration::new(
        seconds,
        u32::try_from(delay.nanos).unwrap_or(0),
    ))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener};
    use std::thread;

    use super::*;
    use crate::pipeline::SendStarted;

    /// What comes of sending to a receiver that says this, whatever it hears.
    fn failure(answer: &'static [u8]) -> Failure {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let _ = connection.read(&mut [0; 1024]);
            let _ = connection.write_all(answer);
            let _ = connection.shutdown(Shutdown::Write);
            let _ = connection.read_to_end(&mut Vec::new());
        });
        failure_at(&url)
    }

    fn failure_at(url: &str) -> Failure {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut exporter = OtlpGrpc::new(GrpcReceiver::new(&Otlp::grpc(url)).unwrap());
            let request = Request {
                body: Bytes::from_static(b"spans"),
                sent: SendStarted::default(),
            };
            exporter.export(request).await.unwrap_err()
        })
    }

    #[test]
    fn error_says_that_the_server_does_not_speak_grpc() {
        for answer in [
            &b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"[..],
            b"SSH-2.0-OpenSSH_9.6\r\n",
            b"",
        ] {
            let failure = failure(answer);
            assert_eq!(failure.reason, DropReason::Unknown);
            assert_eq!(failure.retry, Retry::Later);
            let message = failure.message;
            assert!(
                message.contains("the server did not speak gRPC"),
                "{message}"
            );
        }
    }

    #[test]
    fn refused_connection_is_unreachable_with_its_cause_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let failure = failure_at(&url);
        assert_eq!(failure.reason, DropReason::Unreachable);
        let message = failure.message;
        assert_eq!(message.matches("tcp connect error").count(), 1, "{message}");
        assert!(message.contains("Connection refused"), "{message}");
    }

    #[test]
    fn refusals_say_what_to_do() {
        let otlp = Otlp::grpc("http://localhost:4317");
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.unwrap();
        let _entered = runtime.enter();
        let mut exporter = OtlpGrpc::new(GrpcReceiver::new(&otlp).unwrap());
        for (code, hint) in [
            (Code::Unauthenticated, "OTEL_EXPORTER_OTLP_HEADERS"),
            (Code::Unimplemented, "check that this is an OTLP receiver"),
            (Code::ResourceExhausted, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"),
        ] {
            let failure = exporter.failure(&Status::new(code, "no\n\u{1b}[31m"));
            assert_eq!(failure.reason, DropReason::Refused);
            let message = failure.message;
            assert!(
                message.contains(r": no\n\u{1b}[31m; ") && message.contains(hint),
                "{message}"
            );
        }
    }
}
