//! Requests over gRPC, whose messages are encoded already.

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use tonic::Status;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint};

use super::{Certificates, tls};
use crate::error::Error;
use crate::pipeline::SendStarted;

/// Sets TLS up, where the endpoint asks for it.
pub(crate) fn with_tls(endpoint: Endpoint, certificates: &Certificates) -> Result<Endpoint, Error> {
    tls::endpoint(endpoint, certificates)
}

/// What to do about a connection that fails by TLS.
pub(crate) fn hint(
    error: &(dyn std::error::Error + 'static),
    untrusted: &'static str,
) -> &'static str {
    tls::hint(error, untrusted)
}

/// Calls the method at `path`, and returns the message that it answers. Says when the request begins to be `sent`.
pub(crate) async fn call(
    client: &mut Grpc<Channel>,
    path: &'static str,
    request: tonic::Request<Bytes>,
    sent: SendStarted,
) -> Result<Bytes, Status> {
    let ready = client.ready().await;
    ready.map_err(|error| Status::from_error(error.into()))?;
    let path = PathAndQuery::from_static(path);
    let response = client.unary(request, path, Bodies(sent)).await?;
    Ok(response.into_inner())
}

/// Passes bytes through: encoded ones, which it says to be sent, and those of the answer.
#[derive(Debug, Clone)]
struct Bodies(SendStarted);

impl Codec for Bodies {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        self.clone()
    }

    fn decoder(&mut self) -> Self {
        self.clone()
    }
}

impl Encoder for Bodies {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, body: Bytes, dst: &mut EncodeBuf<'_>) -> Result<(), Status> {
        self.0.set();
        dst.reserve(body.len());
        dst.put(body);
        Ok(())
    }
}

impl Decoder for Bodies {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, src: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(src.copy_to_bytes(src.remaining())))
    }
}
