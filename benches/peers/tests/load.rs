//! The processes work together: the load generator against the bare service, and the sink.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_peers-bench");

/// Starts a server of this binary, and returns its address.
fn start(arguments: &[&str]) -> (Child, String) {
    let mut command = Command::new(BINARY);
    let command = command.args(arguments).stdin(Stdio::piped());
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

#[test]
fn each_request_is_answered_and_timed() {
    let (server, address) = start(&["serve", "bare", "--sink", "http://127.0.0.1:9"]);
    let modes: [&[&str]; 3] = [&[], &["--connections", "1"], &["--rate", "2000"]];
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
        // Neither sooner than the rate says, nor with the last request's due time ahead.
        if mode.contains(&"--rate") {
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
