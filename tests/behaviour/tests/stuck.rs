//! Streams that take nothing: a disk that is full, a pipe whose reader has gone, and one that nobody reads. The process comes to
//! its end in time, and its books are right.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs::{self, File};
use std::io::{PipeReader, Write, pipe};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use behaviour::Receiver;

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
        if start.elapsed() > Duration::from_secs(20) {
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
    let variables = [("OTEL_TRACES_SAMPLER", "sometimes")];
    let nowhere = Receiver::nowhere();
    for exporter in [&*nowhere, "console"] {
        for stderr in [full_disk(), closed()] {
            let report = end(exporter, &variables, Stdio::null(), stderr);
            let settled = "recorded=2000 settled=2000 waiting=0 flushed=true";
            assert!(report.starts_with(settled), "{exporter}: {report}");
        }
    }
}

#[test]
fn a_stdout_that_cannot_be_written_to_ends_nothing() {
    for stdout in [full_disk(), closed()] {
        let report = end("stdout", &[], stdout, Stdio::null());
        let settled = "recorded=2000 settled=2000 waiting=0 flushed=true";
        assert!(report.starts_with(settled), "{report}");
    }
}

/// A write that nobody reads cannot be cut short.
#[test]
fn a_pipe_that_nobody_reads_holds_up_no_shutdown() {
    let nowhere = Receiver::nowhere();
    for exporter in [&*nowhere, "console", "stdout"] {
        let ((_reader, stdout), (_other, stderr)) = (unread(), unread());
        let report = end(exporter, &[], stdout, stderr);
        let settled = "recorded=2000 settled=2000 waiting=0";
        assert!(report.starts_with(settled), "{exporter}: {report}");
        if exporter != nowhere {
            // A part of the request under way may be in the pipe.
            let left = "flushed=false unknown=true shutdown=true";
            assert!(report.ends_with(left), "{exporter}: {report}");
        }
    }
}
