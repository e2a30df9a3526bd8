//! The processes work together: the load generator, the services and the sink.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_peers-bench");

/// Starts a server of this binary, and returns its address.
fn start(arguments: &[&str]) -> (Child, String) {
    let mut command = Command::new(BINARY);
    command.args(arguments);
    start_command(command)
}

fn start_command(mut command: Command) -> (Child, String) {
    let command = command.stdin(Stdio::piped());
    let mut server = command
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let stdout = server.stdout.as_mut().expect("stdout is a pipe");
    let mut line = String::new();
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("it says something");
    let address = line
        .trim_end()
        .strip_prefix("listening ")
        .expect("it listens");
    (server, address.to_owned())
}

/// Closes its stdin.
fn stop(mut server: Child) {
    drop(server.stdin.take());
    assert!(server.wait().expect("it ends").success());
}

fn load(address: &str, arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(BINARY);
    command
        .args(["load", address, "--requests", "300"])
        .args(arguments);
    command.output().expect("the binary starts")
}

/// What the sink answers.
fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the sink listens");
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: sink\r\nconnection: close\r\n\r\n"
    )
    .expect("it reads");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("it answers");
    let (_, body) = response.split_once("\r\n\r\n").expect("a response");
    body.to_owned()
}

#[test]
fn spans_arrive_over_each_protocol() {
    let cases = [
        ("biztrace", "http", None),
        ("biztrace", "http", Some("gzip")),
        ("biztrace", "grpc", None),
        ("opentelemetry", "http", None),
        ("opentelemetry", "grpc", None),
        ("tracing", "http", None),
        ("tracing", "grpc", None),
        ("fastrace", "http", None),
        ("fastrace", "grpc", None),
    ];
    for case in cases {
        let (variant, protocol, compression) = case;
        let (sink, http) = start(&["sink"]);
        let receiver = match protocol {
            "grpc" => get(&http, "/grpc"),
            _ => http.clone(),
        };
        let mut command = Command::new(BINARY);
        command
            .args(["serve", variant, "--protocol", protocol])
            .args(["--sink", &format!("http://{receiver}")])
            .envs(compression.map(|it| ("OTEL_EXPORTER_OTLP_COMPRESSION", it)));
        let (server, address) = start_command(command);
        assert!(load(&address, &[]).status.success(), "{case:?}");
        stop(server);
        let answer = get(&http, "/counts");
        let counts: serde_json::Value =
            serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{case:?}: {answer}"));
        assert_eq!(counts["spans"], 600, "{case:?}");
        assert_eq!(counts["server_spans"], 300, "{case:?}");
        stop(sink);
    }
}

#[test]
fn each_request_is_answered_and_timed() {
    let (server, address) = start(&["serve", "bare", "--sink", "http://127.0.0.1:9"]);
    let modes: [&[&str]; 4] = [
        &[],
        &["--connections", "1"],
        &["--rate", "2000"],
        &["--connections", "1", "--pause", "500"],
    ];
    for mode in modes {
        let output = load(&address, mode);
        assert!(output.status.success(), "{output:?}");
        let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(result["requests"], 300);
        let latency = |name: &str| result["latency"][name].as_f64().unwrap();
        assert!(
            0.0 < latency("p50") && latency("p50") <= latency("p99"),
            "{result}"
        );
        // Neither sooner than the rate or the pause says, nor with the last request's due time ahead.
        if mode.contains(&"--rate") || mode.contains(&"--pause") {
            assert!(result["rate"].as_f64().unwrap() < 2100.0, "{result}");
        }
    }
    stop(server);
}

#[test]
fn what_is_not_answered_with_200_ends_the_run() {
    // The sink has no orders.
    let (sink, address) = start(&["sink"]);
    let output = load(&address, &[]);
    assert!(!output.status.success());
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("the server answers 404"), "{message}");
    stop(sink);
}
