//! What the log says of a fault: its cause, and no secret. The test runs itself again as a process that listens to nothing, whose
//! warnings reach stderr.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use biztrace::settings::Otlp;
use biztrace::{Telemetry, TelemetryBuilder};
use faults::{Authority, Fault, Receiver, rerun, send_span_by};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};

const PROTOBUF: &str = "content-type: application/x-protobuf\r\n";
/// Milliseconds that a request may take.
const SHORT: u64 = 200;

/// Sends a span to the receiver of `otlp`, in vain.
fn lose(otlp: Otlp) {
    lose_by(Telemetry::builder().otlp(otlp.header("x-api-key", "s3cret")));
}

fn lose_by(settings: TelemetryBuilder) {
    assert_eq!(send_span_by(settings).delivered, 0);
}

fn lose_all() {
    let fault = |fault| {
        let receiver = Receiver::new([fault]);
        lose(Otlp::default().traces_endpoint(format!("{}/in?key=s3cret", receiver.url())));
    };
    fault(Fault::Status(401));
    fault(Fault::Status(404));
    fault(Fault::Says(307, "location: /v1/elsewhere\r\n", Vec::new()));
    fault(Fault::Says(200, "content-type: text/html\r\n", vec![b' ']));
    fault(Fault::Garbage);
    fault(Fault::Rejects(1));
    let one_rejected = vec![0x0a, 2, 0x08, 1];
    fault(Fault::Says(200, PROTOBUF, one_rejected));
    fault(Fault::Hangs);

    let receiver = Receiver::new([Fault::Hangs]);
    let short = Duration::from_millis(SHORT);
    lose(Otlp::http(receiver.url()).timeout(short));
    lose(Otlp::grpc(receiver.url()).timeout(short));
    lose_by(Telemetry::builder().zipkin(format!("{}/api/v2/spans", receiver.url())));

    let (authority, other) = (Authority::default(), Authority::default());
    let receiver = Receiver::tls(authority.sign_expired().server(None));
    lose(Otlp::http(receiver.url()).ca_file(authority.file()));
    let receiver = Receiver::tls(authority.sign().server(None));
    lose(Otlp::http(receiver.url()).ca_file(other.file()));

    lose(Otlp::http(grpc()));

    // TLS to one that has none, and none to one that has.
    let receiver = Receiver::new([Fault::None]);
    let url = receiver.url().replace("http://", "https://");
    lose(Otlp::http(url).ca_file(authority.file()));
    lose(Otlp::http(polite()).ca_file(authority.file()));
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", silent.local_addr().unwrap());
    lose(Otlp::http(url).ca_file(authority.file()).timeout(short));
    let receiver = Receiver::tls(authority.sign().server(None));
    lose(Otlp::http(receiver.url().replace("https://", "http://")));
    lose(Otlp::http(hangs_up()));

    // The same by gRPC.
    let receiver = Receiver::new([Fault::None]);
    let url = receiver.url().replace("http://", "https://");
    lose(Otlp::grpc(url).ca_file(authority.file()));
    lose(Otlp::grpc(polite()).ca_file(authority.file()));
    let url = format!("https://{}", silent.local_addr().unwrap());
    lose(Otlp::grpc(url).ca_file(authority.file()).timeout(short));
}

/// A server of HTTP that has an answer to everything.
fn polite() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut connection in listener.incoming().map_while(Result::ok) {
            let _ = connection.read(&mut [0; 1024]);
            let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
        }
    });
    url
}

/// A server that hangs up on whatever is no TLS, without a word.
fn hangs_up() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut connection in listener.incoming().map_while(Result::ok) {
            let _ = connection.read(&mut [0; 64 * 1024]);
        }
    });
    url
}

/// A server of gRPC, which knows no HTTP/1.1.
fn grpc() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
            let routes = tonic::service::Routes::default();
            tonic::transport::Server::builder()
                .add_routes(routes)
                .serve_with_incoming(incoming)
                .await
        })
    });
    url
}

#[test]
fn messages_name_the_cause_and_no_secret() {
    let Some(stderr) = rerun(
        "messages_name_the_cause_and_no_secret",
        &[("OTEL_EXPORTER_ZIPKIN_TIMEOUT", &SHORT.to_string())],
    ) else {
        return lose_all();
    };
    for cause in [
        "/in?… returned 401 Unauthorized: check the credentials",
        "/in?… returned 404 Not Found: check the path.",
        "/in?… returned 307 Temporary Redirect: redirects are not followed",
        "/in?… returned 200 OK with an unreadable body: check that this is an OTLP receiver",
        "rejected 1; last trouble: too many",
        "rejected 1; last trouble: the receiver rejected spans without a reason",
        "/v1/traces: no response in 200ms (OTEL_EXPORTER_OTLP_TIMEOUT)",
        "/: no response in 200ms (OTEL_EXPORTER_OTLP_TIMEOUT)",
        "/api/v2/spans: no response in 200ms (OTEL_EXPORTER_ZIPKIN_TIMEOUT)",
        "no response before the timeout of an export (OTEL_BSP_EXPORT_TIMEOUT)",
        "the server did not speak HTTP",
        "connection closed before message completed: does it want TLS? Then write https:// before it",
        "invalid peer certificate: certificate expired",
        "invalid peer certificate: BadSignature: name the certificate of the authority that signs the receiver's",
    ] {
        assert!(stderr.contains(cause), "no {cause:?} in:\n{stderr}");
    }
    let is_hinted = stderr.matches("Port 4317 is usually gRPC").count();
    assert_eq!(is_hinted, 3, "of garbage, of gRPC and of TLS:\n{stderr}");
    let is_hinted = stderr
        .matches("does it speak TLS? If not, write http://")
        .count();
    assert_eq!(
        is_hinted, 6,
        "of one that hangs up, one that answers and one that is silent, by HTTP and by gRPC:\n{stderr}"
    );
    assert!(!stderr.contains("s3cret"), "{stderr}");
}

/// Sends one span after another to a receiver with these faults, and waits for each.
fn send_one_by_one(faults: Vec<Fault>) {
    let (spans, receiver) = (faults.len(), Receiver::new(faults));
    let telemetry = Telemetry::builder().otlp(receiver.url()).build().unwrap();
    let tracer = telemetry.tracer_provider().tracer("service");
    for _ in 0..spans {
        tracer.start("span").end();
        telemetry.force_flush_blocking();
    }
    telemetry.shutdown_blocking();
}

#[test]
fn an_outage_is_told_once_when_it_begins_and_when_it_ends() {
    let test = "an_outage_is_told_once_when_it_begins_and_when_it_ends";
    let Some(stderr) = rerun(test, &[]) else {
        send_one_by_one(vec![Fault::Status(503), Fault::None]);
        send_one_by_one(vec![Fault::Status(404), Fault::Status(404), Fault::None]);
        return;
    };
    let says = |text: &str| stderr.matches(text).count();
    let retried = "503 Service Unavailable; the request is retried for 30s at most";
    assert_eq!(says(retried), 1, "{stderr}");
    assert_eq!(says("no spans were dropped meanwhile"), 1, "{stderr}");
    let dropped = "spans dropped so far: refused 1; last trouble: http://127.0.0.1:";
    assert_eq!(says(dropped), 1, "{stderr}");
    assert_eq!(says("404 Not Found"), 1, "{stderr}");
    assert_eq!(says("spans dropped meanwhile: refused 2"), 1, "{stderr}");
    assert_eq!(says("exports succeed again after"), 2, "{stderr}");
}

#[test]
fn error_names_ssl_cert_file_on_a_system_without_certificates() {
    let variables = [
        ("SSL_CERT_FILE", "/nowhere/ca.pem"),
        ("SSL_CERT_DIR", "/nowhere"),
    ];
    let test = "error_names_ssl_cert_file_on_a_system_without_certificates";
    if rerun(test, &variables).is_some() {
        return;
    }
    for builder in [
        Telemetry::builder().zipkin("https://localhost:9411/api/v2/spans"),
        Telemetry::builder().otlp(Otlp::http("https://localhost:4318")),
    ] {
        let error = builder.build().unwrap_err().to_string();
        assert!(error.contains("trusts no certificates"), "{error}");
        assert!(error.contains("by SSL_CERT_FILE"), "{error}");
        assert!(!error.contains("Otlp::"), "{error}");
    }
}
