//! OTLP over gRPC (OTLP specification, "OTLP/gRPC"). The recorded bytes are the message: nothing is encoded again.

use std::error::Error as _;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use tokio::time::timeout;
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, ConnectError, Status};

use super::{endpoint, header_map};
use crate::config::{Compression, Otlp};
use crate::error::Error;
use crate::pipeline::{Delivery, DropReason, Export, Failure, Request, Retry};

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// How often a connection is asked for a sign of life while a request is on its way: one that is half open is noticed so.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// A receiver's settings, checked.
#[derive(Debug)]
pub(crate) struct Settings {
    endpoint: Endpoint,
    metadata: MetadataMap,
    compression: Compression,
    timeout: Duration,
}

#[derive(Debug)]
pub(crate) struct OtlpGrpc {
    settings: Settings,
    client: Grpc<Channel>,
}

impl Settings {
    pub(crate) fn new(otlp: &Otlp) -> Result<Self, Error> {
        let uri = endpoint::endpoint(otlp)?;
        let timeout = otlp.request_timeout();
        let endpoint = Endpoint::from(uri)
            .connect_timeout(timeout)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE);
        #[cfg(feature = "tls")]
        let endpoint = super::tls::with_tls(endpoint, otlp)?;
        Ok(Self {
            endpoint,
            metadata: MetadataMap::from_headers(header_map(otlp)?),
            compression: otlp.compression(),
            timeout,
        })
    }
}

impl OtlpGrpc {
    /// Must be called within the runtime that it is used in. Connects when it first sends, and again when the connection is lost.
    pub(crate) fn new(settings: Settings) -> Self {
        let mut client = Grpc::new(settings.endpoint.connect_lazy());
        if settings.compression == Compression::Gzip {
            client = client.send_compressed(CompressionEncoding::Gzip);
        }
        Self {
            client: client.accept_compressed(CompressionEncoding::Gzip),
            settings,
        }
    }

    async fn send(&mut self, body: Bytes) -> Result<ExportTraceServiceResponse, Status> {
        let ready = self.client.ready().await;
        ready.map_err(|error| Status::from_error(error.into()))?;
        let mut request = tonic::Request::new(body);
        *request.metadata_mut() = self.settings.metadata.clone();
        let path = PathAndQuery::from_static(EXPORT);
        let response = self.client.unary(request, path, Recorded).await?;
        Ok(response.into_inner())
    }

    fn failure(&self, status: &Status) -> Failure {
        let mut message = format!("{}: {}", self.settings.endpoint.uri(), status.code());
        if !status.message().is_empty() {
            message = format!("{message}: {}", status.message());
        }
        let mut connecting = false;
        let mut source = status.source();
        while let Some(cause) = source {
            connecting |= cause.is::<ConnectError>();
            message = format!("{message}: {cause}");
            source = cause.source();
        }
        let from_transport = status.source().is_some();
        let reason = match status.code() {
            _ if connecting => DropReason::Unreachable,
            Code::Cancelled | Code::DeadlineExceeded => DropReason::Unknown,
            _ if from_transport => DropReason::Unknown,
            _ => DropReason::Refused,
        };
        let hint = match status.code() {
            Code::Unauthenticated | Code::PermissionDenied => {
                "; it wants other credentials, see OTEL_EXPORTER_OTLP_HEADERS"
            }
            Code::Unimplemented => "; it takes no traces: is this the right endpoint?",
            _ if from_transport && !connecting => {
                "; is it gRPC that listens there? Port 4318 is usually HTTP"
            }
            _ => "",
        };
        Failure {
            reason,
            message: message + hint,
            retry: if from_transport {
                Retry::Later
            } else {
                retry(status)
            },
        }
    }
}

impl Export for OtlpGrpc {
    async fn export(&mut self, request: Request) -> Result<Delivery, Failure> {
        let limit = self.settings.timeout;
        match timeout(limit, self.send(request.body)).await {
            Ok(Ok(answer)) => {
                let partial = answer.partial_success.unwrap_or_default();
                Ok(Delivery {
                    rejected: u64::try_from(partial.rejected_spans).unwrap_or(0),
                    message: partial.error_message,
                })
            }
            Ok(Err(status)) => Err(self.failure(&status)),
            Err(_) => Err(self.failure(&Status::deadline_exceeded("no answer in time"))),
        }
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

/// Passes recorded bytes through, and decodes answers.
#[derive(Debug)]
struct Recorded;

impl Codec for Recorded {
    type Encode = Bytes;
    type Decode = ExportTraceServiceResponse;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Recorded {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, body: Bytes, dst: &mut EncodeBuf<'_>) -> Result<(), Status> {
        dst.reserve(body.len());
        dst.put(body);
        Ok(())
    }
}

impl Decoder for Recorded {
    type Item = ExportTraceServiceResponse;
    type Error = Status;

    fn decode(&mut self, src: &mut DecodeBuf<'_>) -> Result<Option<Self::Item>, Status> {
        let answer = ExportTraceServiceResponse::decode(src.copy_to_bytes(src.remaining()));
        answer
            .map(Some)
            .map_err(|error| Status::internal(format!("an answer that is no OTLP: {error}")))
    }
}
