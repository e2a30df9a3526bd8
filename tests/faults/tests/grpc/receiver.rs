//! A receiver of OTLP over gRPC that follows a script.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::codec::CompressionEncoding;
use tonic::transport::{Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

/// What the receiver says to the next requests; to all others it says the last.
pub(super) type Script = Vec<Result<i64, Status>>;

/// So many are rejected by one that says more to it than is read.
pub(super) const TALKATIVE: i64 = 1_000;

#[derive(Clone)]
pub(super) struct Service {
    pub(super) script: Arc<Mutex<Script>>,
    pub(super) received: Arc<Mutex<Vec<Received>>>,
}

pub(super) struct Received {
    pub(super) at: Instant,
    pub(super) spans: usize,
    pub(super) api_key: Option<String>,
    pub(super) encoding: Option<String>,
    pub(super) agent: Option<String>,
}

#[tonic::async_trait]
impl TraceService for Service {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let header = |name: &str| Some(request.metadata().get(name)?.to_str().ok()?.to_owned());
        let received = Received {
            at: Instant::now(),
            api_key: header("x-api-key"),
            encoding: header("grpc-encoding"),
            agent: header("user-agent"),
            spans: request
                .get_ref()
                .resource_spans
                .iter()
                .flat_map(|it| &it.scope_spans)
                .map(|it| it.spans.len())
                .sum(),
        };
        self.received.lock().unwrap().push(received);
        let answer = {
            let mut script = self.script.lock().unwrap();
            if script.len() > 1 {
                script.remove(0)
            } else {
                script[0].clone()
            }
        };
        let rejected_spans = answer?;
        let partial_success = (rejected_spans > 0).then(|| ExportTracePartialSuccess {
            rejected_spans,
            error_message: if rejected_spans == TALKATIVE {
                "x".repeat(5 * 1024 * 1024)
            } else {
                "too many".into()
            },
        });
        Ok(Response::new(ExportTraceServiceResponse {
            partial_success,
        }))
    }
}

/// A receiver on a runtime of its own, which goes with it.
pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    pub(super) service: Service,
    runtime: Option<Runtime>,
}

impl Receiver {
    pub(super) fn new(script: Script) -> Self {
        Self::start("127.0.0.1:0".parse().unwrap(), script, None)
    }

    pub(super) fn start(address: SocketAddr, script: Script, tls: Option<ServerTlsConfig>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind(address)).unwrap();
        let address = listener.local_addr().unwrap();
        let service = Service {
            script: Arc::new(Mutex::new(script)),
            received: Arc::default(),
        };
        let server =
            TraceServiceServer::new(service.clone()).accept_compressed(CompressionEncoding::Gzip);
        let mut builder = Server::builder();
        if let Some(tls) = tls {
            builder = builder.tls_config(tls).unwrap();
        }
        let serving = builder
            .add_service(server)
            .serve_with_incoming(TcpListenerStream::new(listener));
        runtime.spawn(serving);
        Self {
            address,
            service,
            runtime: Some(runtime),
        }
    }

    pub(super) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://localhost:{}", self.address.port())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // Not in the background: once this is dropped, connections are refused.
        let runtime = self.runtime.take().unwrap();
        runtime.shutdown_timeout(Duration::from_secs(30));
    }
}
