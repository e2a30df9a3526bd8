//! Streams that take nothing: a disk that is full, a pipe whose reader has gone, and one that nobody reads. The process comes to
//! its end in time, and its books are right. So they are where a subscriber panics.

use std::fs::{self, File};
use std::io::{PipeReader, Write, pipe};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use behaviour::{Fault, Receiver, Reserved};

/// Little time for an exporter that never takes anything.
const STUCK: [(&str, &str); 2] = [("EXPORT_MS", "200"), ("SHUTDOWN_MS", "200")];
/// Little time for each request to a receiver that cannot be reached.
const UNREACHABLE: (&str, &str) = ("EXPORT_MS", "200");

/// What pipes hold.
const PIPE_BYTES: usize = 64 * 1024;

/// A pipe that takes nothing more, and its other end, which nobody reads.
fn unread() -> (PipeReader, Stdio) {
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(&vec![b'.'; PIPE_BYTES]).unwrap();
    (reader, writer.into())
}

fn closed() -> Stdio {
    pipe().unwrap().1.into()
}

fn full_disk() -> Stdio {
    File::options()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

/// What becomes of the spans of a process with those variables and streams.
fn end(exporter: &str, variables: &[(&str, &str)], stdout: Stdio, stderr: Stdio) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report");
    let mut child = Command::new(env!("CARGO_BIN_EXE_stuck"))
        .arg(exporter)
        .arg(&file)
        .envs([("EXPORT_MS", "20000"), ("SHUTDOWN_MS", "20000")])
        .envs(variables.iter().copied())
        .stdout(stdout)
        .stderr(stderr)
        .spawn()
        .unwrap();
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("{exporter}: it does not end");
        }
        thread::sleep(Duration::from_millis(10));
    };
    assert!(status.success(), "{exporter}: {status}");
    fs::read_to_string(file).unwrap()
}

#[test]
fn a_stderr_that_cannot_be_written_to_ends_nothing() {
    // Set-up has something to say, too.
    let variables = [("OTEL_TRACES_SAMPLER", "sometimes"), UNREACHABLE];
    let closed_port = Reserved::default();
    let nowhere = closed_port.url();
    for exporter in [&*nowhere, "console"] {
        for stderr in [full_disk(), closed()] {
            let report = end(exporter, &variables, Stdio::null(), stderr);
            let settled = "recorded=2000 settled=2000 waiting=0 failed=true flushed=true";
            assert!(report.starts_with(settled), "{exporter}: {report}");
        }
    }
}

#[test]
fn a_stdout_that_cannot_be_written_to_ends_nothing() {
    for stdout in [full_disk(), closed()] {
        let report = end("stdout", &[], stdout, Stdio::null());
        let settled = "recorded=2000 settled=2000 waiting=0 failed=true flushed=true";
        assert!(report.starts_with(settled), "{report}");
    }
}

/// Its receiver takes all of a request but one span, which the export thread has to tell of.
fn partly() -> Receiver {
    Receiver::new([Fault::Rejects(1)])
}

#[test]
fn unread_stderr_delays_neither_requests_nor_exports() {
    let (receiver, (_reader, stderr)) = (partly(), unread());
    let variables = [("OTEL_TRACES_SAMPLER", "sometimes")];
    let report = end(&receiver.url(), &variables, Stdio::null(), stderr);
    let settled = "recorded=2000 settled=2000 waiting=0 failed=true flushed=true most=true";
    assert!(report.starts_with(settled), "{report}");
}

#[test]
fn a_subscriber_that_panics_ends_nothing() {
    let receiver = partly();
    let variables = [
        ("LISTENER", "panics"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", "logs"),
    ];
    let report = end(&receiver.url(), &variables, Stdio::null(), Stdio::null());
    let settled = "recorded=2000 settled=2000 waiting=0 failed=true flushed=true most=true";
    assert!(report.starts_with(settled), "{report}");
}

#[test]
fn errors_that_go_to_a_log_that_is_none_are_told_of() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let variables = [("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", "logs")];
    let stderr = file.reopen().unwrap().into();
    end(&partly().url(), &variables, Stdio::null(), stderr);
    let told = fs::read_to_string(file.path()).unwrap();
    let of_no_log = "biztrace: errors are configured to be logged";
    assert_eq!(told.matches(of_no_log).count(), 1, "{told}");
}

/// A write that nobody reads cannot be cut short.
#[test]
fn a_pipe_that_nobody_reads_holds_up_no_shutdown() {
    let closed_port = Reserved::default();
    let nowhere = closed_port.url();
    for exporter in [&*nowhere, "console", "stdout"] {
        let ((_reader, stdout), (_other, stderr)) = (unread(), unread());
        let report = end(exporter, &STUCK, stdout, stderr);
        let settled = "recorded=2000 settled=2000 waiting=0 failed=true";
        assert!(report.starts_with(settled), "{exporter}: {report}");
        if exporter != nowhere {
            // A part of the request under way may be in the pipe.
            let left = "flushed=false most=false unknown=true shutdown=true";
            assert!(report.ends_with(left), "{exporter}: {report}");
        }
    }
}
