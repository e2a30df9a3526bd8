//! A service that is told to stop by SIGTERM, as orchestrators do: requests under way are answered whole, and all spans arrive before
//! the process ends.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use behaviour::{Receiver, eventually, is_child};
use opentelemetry::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// How long Docker waits before it kills.
const PATIENCE: Duration = Duration::from_secs(10);

const QUICK_START: &str = env!("CARGO_BIN_EXE_quick_start");

/// The quick start as a process.
struct Service {
    process: Child,
    stdout: BufReader<ChildStdout>,
    address: String,
    /// The process id that it has for itself.
    pid: u32,
}

impl Service {
    /// Starts it by `command`.
    async fn start(mut command: Command, receiver: &Receiver) -> Self {
        let mut process = command
            .env("OTEL_TRACES_EXPORTER", "otlp")
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url())
            // So that it is the shutdown that sends.
            .env("OTEL_BSP_SCHEDULE_DELAY", "3600000")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the service starts");
        let mut stdout = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut line = String::new();
        let read = timeout(PATIENCE, stdout.read_line(&mut line)).await;
        read.expect("it starts in time").expect("a line");
        let (address, pid) = line.trim().split_once(' ').expect("address and id");
        Self {
            process,
            stdout,
            address: address.to_owned(),
            pid: pid.parse().expect("an id"),
        }
    }

    /// Sends `request` as it stands, and reads until `end`.
    async fn send(&self, request: &str, end: &str) -> TcpStream {
        let connected = TcpStream::connect(&self.address).await;
        let mut connection = connected.expect("it listens");
        finish(&mut connection, request, end).await;
        connection
    }
}

/// Sends `rest`, and returns what comes until `end`.
async fn finish(connection: &mut TcpStream, rest: &str, end: &str) -> String {
    let written = connection.write_all(rest.as_bytes()).await;
    written.expect("it reads");
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        let byte = timeout(PATIENCE, connection.read_u8()).await;
        let Ok(Ok(byte)) = byte else {
            let read = String::from_utf8_lossy(&read);
            panic!("{byte:?} instead of {end:?} after {read:?}");
        };
        read.push(byte);
    }
    String::from_utf8(read).expect("text")
}

/// Tells the service, whose process is `pid` here, to stop while requests are under way.
async fn stop(mut service: Service, pid: u32, receiver: &Receiver) {
    let order = "GET /orders/7 HTTP/1.1\r\nhost: it\r\n\r\n";
    let _kept_alive = service.send(order, "order 7").await;
    let echo = "POST /echo HTTP/1.1\r\nhost: it\r\ncontent-length: 10\r\n\r\nfirst";
    let mut body = service.send(echo, "\r\nfirst\r\n").await;
    let count =
        "POST /count HTTP/1.1\r\nhost: it\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n";
    let mut handler = service.send(count, " 100 Continue\r\n\r\n").await;

    let pid = pid.to_string();
    let kill = Command::new("kill").args(["-TERM", &pid]).status().await;
    assert!(kill.is_ok_and(|status| status.success()));
    // From now on it is stopping.
    eventually("connections refused", || {
        let connected = std::net::TcpStream::connect(&service.address);
        connected.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    })
    .await;

    finish(&mut body, " last", "\r\n last\r\n0\r\n\r\n").await;
    let counted = finish(&mut handler, "four", "4 bytes").await;
    assert!(counted.starts_with("HTTP/1.1 200 OK\r\n"), "{counted}");

    let exited = timeout(PATIENCE, service.process.wait()).await;
    let status = exited.expect("it ends in time").expect("its status");
    let mut said = String::new();
    let read = service.stdout.read_to_string(&mut said).await;
    read.expect("text");
    assert!(status.success(), "{status}: {said}");
    assert_eq!(said, "4 spans recorded, 4 delivered, 0 dropped\n");

    let spans = receiver.spans();
    assert_eq!(spans.len(), 4);
    for name in ["GET /orders/{id}", "POST /echo", "POST /count"] {
        let span = spans.named(name);
        let status = span.tag("http.response.status_code");
        assert_eq!(status, Some(Value::I64(200)), "{name}");
        assert_eq!(span.tag("biztrace.outcome"), None, "{name}");
    }
    assert!(is_child(spans.named("size"), spans.named("POST /count")));
}

#[actix_web::test]
async fn sigterm_loses_neither_requests_nor_spans() {
    let receiver = Receiver::default();
    let service = Service::start(Command::new(QUICK_START), &receiver).await;
    let pid = service.pid;
    stop(service, pid, &receiver).await;
}

/// There the service is process 1, to which a signal does nothing unless it is handled.
#[cfg(target_os = "linux")]
#[actix_web::test]
async fn sigterm_loses_neither_in_a_container() {
    use std::io::Write as _;

    let contained = |program| {
        let mut command = Command::new("unshare");
        command.args("--user --map-root-user --pid --fork --kill-child".split(' '));
        command.arg(program);
        command
    };
    let tried = contained("true").output().await;
    if !tried.as_ref().is_ok_and(|tried| tried.status.success()) {
        // Written past the test harness, which keeps the output of a test that passes to itself.
        writeln!(
            io::stderr(),
            "\nSKIPPED: no namespace of processes is to be had: {tried:?}\n"
        )
        .expect("a stderr");
        return;
    }
    let receiver = Receiver::default();
    let service = Service::start(contained(QUICK_START), &receiver).await;
    assert_eq!(service.pid, 1);
    let parent = service.process.id().expect("it runs");
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    let pid = children.expect("a kernel that tells them").trim().parse();
    stop(service, pid.expect("one child"), &receiver).await;
}
