//! A sampler that a server sets: it does as the server says, and as it last said where the server fails.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::convert::Infallible;
use std::env;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use biztrace::Telemetry;
use biztrace::settings::JaegerRemote;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::Server;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

/// Of Jaeger's `sampling.proto`.
#[derive(Clone, PartialEq, prost::Message)]
struct Parameters {
    #[prost(string, tag = "1")]
    service_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Answer {
    #[prost(int32, tag = "1")]
    strategy_type: i32,
    #[prost(message, optional, tag = "2")]
    probabilistic: Option<Probabilistic>,
    #[prost(message, optional, tag = "3")]
    rate_limiting: Option<RateLimiting>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Probabilistic {
    #[prost(double, tag = "1")]
    sampling_rate: f64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RateLimiting {
    #[prost(int32, tag = "1")]
    max_traces_per_second: i32,
}

fn share(sampling_rate: f64) -> Result<Answer, Status> {
    Ok(Answer {
        probabilistic: Some(Probabilistic { sampling_rate }),
        ..Answer::default()
    })
}

fn rate(max_traces_per_second: i32) -> Result<Answer, Status> {
    Ok(Answer {
        strategy_type: 1,
        rate_limiting: Some(RateLimiting {
            max_traces_per_second,
        }),
        ..Answer::default()
    })
}

#[derive(Clone)]
struct Manager(Arc<Mutex<Said>>);

struct Said {
    answer: Result<Answer, Status>,
    /// The services that have asked.
    asked: Vec<String>,
}

impl NamedService for Manager {
    const NAME: &'static str = "jaeger.api_v2.SamplingManager";
}

impl Service<http::Request<Body>> for Manager {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let manager = self.clone();
        assert_eq!(
            request.uri().path(),
            "/jaeger.api_v2.SamplingManager/GetSamplingStrategy"
        );
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<Answer, Parameters>::default());
            Ok(grpc.unary(manager, request).await)
        })
    }
}

impl UnaryService<Parameters> for Manager {
    type Response = Answer;
    type Future = Ready<Result<Response<Answer>, Status>>;

    fn call(&mut self, request: Request<Parameters>) -> Self::Future {
        let mut said = self.0.lock().unwrap();
        said.asked.push(request.into_inner().service_name);
        ready(said.answer.clone().map(Response::new))
    }
}

impl Manager {
    fn says(&self, answer: Result<Answer, Status>) {
        self.0.lock().unwrap().answer = answer;
        let before = self.asked();
        // The second of these is asked once the first has been understood.
        eventually("the server is asked", || self.asked() > before + 1);
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().asked.len()
    }
}

fn serve(runtime: &Runtime, address: SocketAddr, manager: Manager) -> SocketAddr {
    let listener = runtime.block_on(TcpListener::bind(address)).unwrap();
    let address = listener.local_addr().unwrap();
    let incoming = TcpListenerStream::new(listener);
    runtime.spawn(
        Server::builder()
            .add_service(manager)
            .serve_with_incoming(incoming),
    );
    address
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap()
}

fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(20), "not so: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_server_is_heeded_and_its_last_word_stands() {
    let manager = Manager(Arc::new(Mutex::new(Said {
        answer: share(1.0),
        asked: Vec::new(),
    })));
    let server = runtime();
    let address = serve(&server, "127.0.0.1:0".parse().unwrap(), manager.clone());
    let remote = JaegerRemote::new(format!("http://{address}"))
        .polling_interval(Duration::from_millis(20))
        .initial_sampling_rate(0.0);
    let telemetry = Telemetry::builder()
        .service("orders", "1")
        .otlp("http://localhost:9")
        .shutdown_timeout(Duration::from_millis(100))
        .sampler(remote)
        .build()
        .unwrap();
    let line = telemetry.describe().to_string();
    assert!(
        line.contains(&format!("sampler=jaeger_remote(http://{address}) (code)")),
        "{line}"
    );
    let tracer = telemetry.tracer_provider().tracer("service");
    let kept = |asked: usize| {
        (0..asked)
            .filter(|_| tracer.start("pay").is_recording())
            .count()
    };

    eventually("all is kept", || kept(1) == 1);
    assert_eq!(manager.0.lock().unwrap().asked[0], "orders");
    manager.says(share(0.0));
    assert_eq!(kept(100), 0);
    manager.says(share(1.0));
    assert_eq!(kept(100), 100);
    for nonsense in [share(7.0), share(f64::NAN), rate(-1), Ok(Answer::default())] {
        manager.says(nonsense);
        assert_eq!(kept(100), 100, "the last strategy stays");
    }
    manager.says(Err(Status::unavailable("not now")));
    assert_eq!(kept(100), 100, "the last strategy stays");
    // A rate saves what one second earns; the same answer fills no bucket again.
    manager.says(rate(3));
    let first = kept(100);
    assert!((3..=4).contains(&first), "{first}");
    manager.says(rate(3));
    assert!(kept(100) <= 3);

    // It goes away, and comes back with another word.
    manager.says(share(1.0));
    server.shutdown_background();
    thread::sleep(Duration::from_millis(100));
    assert_eq!(kept(100), 100, "the last strategy stays");
    manager.0.lock().unwrap().answer = share(0.0);
    let server = runtime();
    serve(&server, address, manager.clone());
    eventually("its word is heard again", || kept(1) == 0);

    let start = Instant::now();
    let _ = telemetry.shutdown_blocking();
    assert!(start.elapsed() < Duration::from_secs(5));
    thread::sleep(Duration::from_millis(100));
    let before = manager.asked();
    thread::sleep(Duration::from_millis(200));
    assert_eq!(manager.asked(), before, "nobody asks any more");
    server.shutdown_background();
}

/// `tests/e2e/jaeger.sh` starts one, with the strategies of `tests/e2e/jaeger/strategies.json`.
#[test]
fn a_real_jaeger_is_heeded() {
    let Ok(endpoint) = env::var("JAEGER_STRATEGIES") else {
        eprintln!("SKIPPED: no Jaeger (tests/e2e/jaeger.sh starts one)");
        return;
    };
    let is_kept = |service, initial_rate| {
        let remote = JaegerRemote::new(&*endpoint)
            .polling_interval(Duration::from_millis(20))
            .initial_sampling_rate(initial_rate);
        let telemetry = Telemetry::builder().service(service, "1").console();
        let telemetry = telemetry.sampler(remote).build();
        let telemetry = telemetry.unwrap();
        let tracer = telemetry.tracer_provider().tracer("service");
        move |operation: &'static str| {
            let _alive = &telemetry;
            tracer.start(operation).is_recording()
        }
    };
    let kept = is_kept("kept", 0.0);
    eventually("a share of one", || kept("pay"));
    let dropped = is_kept("anything", 1.0);
    eventually("the default of none", || !dropped("pay"));
    let by_operation = is_kept("orders", 1.0);
    eventually("none of an operation", || !by_operation("list"));
    assert!(by_operation("pay"));
    let limited = is_kept("limited", 0.0);
    eventually("two a second", || limited("pay"));
    assert!((0..100).filter(|_| limited("pay")).count() <= 2);
}

#[test]
fn warning_of_a_server_that_answers_nonsense_shows_no_secret() {
    let test = "warning_of_a_server_that_answers_nonsense_shows_no_secret";
    let Some(stderr) = faults::rerun(test, &[]) else {
        let manager = Manager(Arc::new(Mutex::new(Said {
            answer: share(7.0),
            asked: Vec::new(),
        })));
        let server = runtime();
        let address = serve(&server, "127.0.0.1:0".parse().unwrap(), manager.clone());
        let endpoint = format!("http://{address}/s3cret0123456789?key=s3cret");
        let remote = JaegerRemote::new(endpoint).polling_interval(Duration::from_millis(20));
        let builder = Telemetry::builder().otlp("http://localhost:9");
        let telemetry = builder.sampler(remote).build().unwrap();
        // Before the second question it has warned of the first answer.
        eventually("it asks again", || manager.asked() > 1);
        telemetry.shutdown_blocking();
        server.shutdown_background();
        return;
    };
    let warning = "jaeger_remote keeps the current strategy: http://127.0.0.1:";
    assert!(stderr.contains(warning), "{stderr}");
    assert!(!stderr.contains("s3cret"), "{stderr}");
}

#[test]
fn what_cannot_be_asked_is_an_error_at_set_up() {
    let build = |remote| {
        let telemetry = Telemetry::builder().sampler(remote);
        telemetry.build().unwrap_err().to_string()
    };
    for (remote, problem) in [
        (JaegerRemote::new("jaeger:14250"), "OTEL_TRACES_SAMPLER_ARG"),
        (
            JaegerRemote::default().initial_sampling_rate(2.0),
            "the sampling ratio 2 is not",
        ),
        (
            JaegerRemote::default().polling_interval(Duration::ZERO),
            "`JaegerRemote::polling_interval` is zero",
        ),
    ] {
        let error = build(remote);
        assert!(error.contains(problem), "{error}");
    }
}
