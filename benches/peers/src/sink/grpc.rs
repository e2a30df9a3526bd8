//! The sink's gRPC: a server of tonic that passes the bytes of each export on, undecoded.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::{io, thread};

use bytes::{Buf, Bytes};
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{Grpc, UnaryService};
use tonic::transport::server::{Server, TcpIncoming};
use tonic::{Request, Response, Status};

use super::LIMIT;

/// Serves on a thread of its own, which ends with the process, and returns where. `take` gets each export.
pub(super) fn start(take: impl Fn(Bytes) + Send + Sync + 'static) -> io::Result<SocketAddr> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let within = runtime.enter();
    let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into())?.with_nodelay(Some(true));
    drop(within);
    let address = incoming.local_addr()?;
    let receiver = Receiver(Arc::new(take));
    thread::Builder::new().name("grpc".into()).spawn(move || {
        let serving = Server::builder().serve_with_incoming(receiver, incoming);
        runtime.block_on(serving).expect("the listener stays open");
    })?;
    Ok(address)
}

/// Takes whatever is called for an export: nobody calls anything else here.
struct Receiver<F>(Arc<F>);

impl<F> Clone for Receiver<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F: Fn(Bytes) + Send + Sync + 'static> Service<http::Request<Body>> for Receiver<F> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let receiver = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(Raw).max_decoding_message_size(LIMIT);
            Ok(grpc.unary(receiver, request).await)
        })
    }
}

impl<F: Fn(Bytes)> UnaryService<Bytes> for Receiver<F> {
    type Response = ();
    type Future = Ready<Result<Response<()>, Status>>;

    fn call(&mut self, export: Request<Bytes>) -> Self::Future {
        (self.0)(export.into_inner());
        ready(Ok(Response::new(())))
    }
}

/// Leaves exports as they are. An answer that nothing was wrong is empty.
struct Raw;

impl Codec for Raw {
    type Encode = ();
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = ();
    type Error = Status;

    fn encode(&mut self, (): (), _: &mut EncodeBuf<'_>) -> Result<(), Status> {
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, export: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(export.copy_to_bytes(export.remaining())))
    }
}
