//! OTLP over gRPC: what is kept and what is dropped, for each of gRPC's codes and other faults.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use biztrace::{Otlp, Report, Telemetry};
use faults::{Authority, Fault, Receiver as HttpReceiver};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
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
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Code, Request, Response, Status};

/// What the receiver says to the next requests; to all others it says the last.
type Script = Vec<Result<i64, Status>>;

#[derive(Clone)]
struct Service {
    script: Arc<Mutex<Script>>,
    received: Arc<Mutex<Vec<Received>>>,
}

struct Received {
    at: Instant,
    spans: usize,
    api_key: Option<String>,
    encoding: Option<String>,
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
            error_message: "too many".into(),
        });
        Ok(Response::new(ExportTraceServiceResponse {
            partial_success,
        }))
    }
}

/// A receiver on a runtime of its own, which goes with it.
struct Receiver {
    address: SocketAddr,
    service: Service,
    runtime: Option<Runtime>,
}

impl Receiver {
    fn new(script: Script) -> Self {
        Self::start("127.0.0.1:0".parse().unwrap(), script, None)
    }

    fn start(address: SocketAddr, script: Script, tls: Option<ServerTlsConfig>) -> Self {
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

    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://localhost:{}", self.address.port())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

const SPANS: u64 = 10;

/// What became of spans that were sent to `otlp`.
fn report(otlp: Otlp) -> Report {
    let telemetry = Telemetry::builder()
        .otlp(otlp.timeout(Duration::from_millis(500)))
        .export_timeout(Duration::from_millis(2500))
        .shutdown_timeout(Duration::from_secs(4))
        .build()
        .unwrap();
    let tracer = telemetry.tracer_provider().tracer("service");
    (0..SPANS).for_each(|_| tracer.start("span").end());
    let report = telemetry.shutdown_blocking();
    let sum = report.delivered + report.dropped.total();
    assert_eq!(
        (report.recorded, sum, report.waiting),
        (SPANS, SPANS, 0),
        "{report}"
    );
    report
}

/// Spans delivered, and the reasons for which others were dropped.
fn outcome(report: &Report) -> (u64, String) {
    let reasons: Vec<_> = report
        .dropped
        .iter()
        .map(|(reason, _)| reason.as_str())
        .collect();
    (report.delivered, reasons.join(", "))
}

#[test]
fn each_code_is_retried_or_not_as_the_specification_says() {
    let codes = [
        (Code::Cancelled, true),
        (Code::Unknown, false),
        (Code::InvalidArgument, false),
        (Code::DeadlineExceeded, true),
        (Code::NotFound, false),
        (Code::AlreadyExists, false),
        (Code::PermissionDenied, false),
        (Code::ResourceExhausted, false),
        (Code::FailedPrecondition, false),
        (Code::Aborted, true),
        (Code::OutOfRange, true),
        (Code::Unimplemented, false),
        (Code::Internal, false),
        (Code::Unavailable, true),
        (Code::DataLoss, true),
        (Code::Unauthenticated, false),
    ];
    let running = codes.map(|(code, is_retried)| {
        thread::spawn(move || {
            let receiver = Receiver::new(vec![Err(Status::new(code, "no")), Ok(0)]);
            let expected = if is_retried {
                (SPANS, "")
            } else {
                (0, "refused")
            };
            let (delivered, reasons) = outcome(&report(Otlp::grpc(receiver.url("http"))));
            assert_eq!((delivered, reasons.as_str()), expected, "{code:?}");
        })
    });
    running.into_iter().for_each(|case| case.join().unwrap());
}

/// A `google.rpc.Status` with a `RetryInfo` of that many seconds.
fn retry_info(seconds: u8) -> Vec<u8> {
    let info = [0x0a, 2, 0x08, seconds];
    let url = b"type.googleapis.com/google.rpc.RetryInfo";
    let mut any = vec![0x0a, url.len() as u8];
    any.extend_from_slice(url);
    any.extend_from_slice(&[0x12, info.len() as u8]);
    any.extend_from_slice(&info);
    [&[0x1a, any.len() as u8], &*any].concat()
}

#[test]
fn an_exhausted_receiver_that_says_when_is_asked_again_then() {
    let status = Status::with_details(Code::ResourceExhausted, "later", retry_info(1).into());
    let receiver = Receiver::new(vec![Err(status), Ok(0)]);
    assert_eq!(
        outcome(&report(Otlp::grpc(receiver.url("http")))),
        (SPANS, String::new())
    );
    let received = receiver.service.received.lock().unwrap();
    assert!(received[1].at - received[0].at >= Duration::from_secs(1));
}

#[test]
fn headers_and_compression_are_sent_and_rejected_spans_are_counted() {
    let receiver = Receiver::new(vec![Ok(3)]);
    let otlp = Otlp::grpc(receiver.url("http"))
        .header("x-api-key", "s3cret")
        .gzip();
    assert_eq!(outcome(&report(otlp)), (SPANS - 3, "rejected".to_owned()));
    let received = receiver.service.received.lock().unwrap();
    assert_eq!(received[0].spans as u64, SPANS);
    assert_eq!(received[0].api_key.as_deref(), Some("s3cret"));
    assert_eq!(received[0].encoding.as_deref(), Some("gzip"));
}

#[test]
fn a_receiver_may_be_away_for_a_while() {
    let receiver = Receiver::new(vec![Ok(0)]);
    let (address, url) = (receiver.address, receiver.url("http"));
    drop(receiver);
    assert_eq!(
        outcome(&report(Otlp::grpc(&*url))),
        (0, "unreachable".to_owned())
    );
    let back = thread::spawn(move || {
        thread::sleep(Duration::from_millis(700));
        let receiver = Receiver::start(address, vec![Ok(0)], None);
        thread::sleep(Duration::from_secs(3));
        drop(receiver);
    });
    assert_eq!(outcome(&report(Otlp::grpc(&*url))), (SPANS, String::new()));
    back.join().unwrap();
}

#[test]
fn what_is_no_grpc_is_unknown() {
    for fault in [Fault::Garbage, Fault::Hangs] {
        let receiver = HttpReceiver::new([fault]);
        assert_eq!(
            outcome(&report(Otlp::grpc(receiver.url()))),
            (0, "unknown".to_owned())
        );
    }
}

#[test]
fn tls_works_both_ways() {
    let authority = Authority::default();
    let (cert, key) = authority.sign().files();
    let identity = Identity::from_pem(std::fs::read(&cert).unwrap(), std::fs::read(&key).unwrap());
    let ca = tonic::transport::Certificate::from_pem(std::fs::read(authority.file()).unwrap());
    let mutual = ServerTlsConfig::new().identity(identity).client_ca_root(ca);
    let receiver = Receiver::start("127.0.0.1:0".parse().unwrap(), vec![Ok(0)], Some(mutual));
    let otlp = || Otlp::grpc(receiver.url("https"));
    let known = otlp().ca_file(authority.file()).identity_files(&cert, &key);
    assert_eq!(outcome(&report(known)), (SPANS, String::new()));
    let stranger = otlp()
        .ca_file(Authority::default().file())
        .identity_files(&cert, &key);
    assert_eq!(outcome(&report(stranger)), (0, "unreachable".to_owned()));
}
