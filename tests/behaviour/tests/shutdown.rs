//! Shutdowns that something stands in the way of.

use std::convert::Infallible;
use std::fs::File;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, thread};

use biztrace::{DropReason, JsonLines, Telemetry};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanBuilder, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// A write that nobody reads cannot be cut short.
#[cfg(unix)]
#[actix_web::test]
async fn a_pipe_that_nobody_reads_holds_up_no_shutdown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces.jsonl");
    let made = Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    // Open at both ends, or the exporter could not open it.
    let reader = File::options().read(true).write(true).open(&path).unwrap();
    let telemetry = Telemetry::builder()
        .file(JsonLines::new(&path))
        .shutdown_timeout(Duration::from_millis(100))
        .max_queue_size(100_000)
        .build()
        .unwrap();
    let tracer = telemetry.tracer_provider().tracer("service");
    for _ in 0..2000 {
        let span = SpanBuilder::from_name("span")
            .with_attributes([KeyValue::new("order.note", "x".repeat(100))]);
        tracer.build(span).end();
    }
    let start = Instant::now();
    let flushed = telemetry.force_flush().await;
    assert!(flushed.waiting > 0, "{flushed}");
    let report = telemetry.shutdown().await;
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!((report.recorded, report.waiting), (2000, 0), "{report}");
    assert_eq!(
        report.recorded,
        report.delivered + report.dropped.total(),
        "{report}"
    );
    // A part of the request under way is in the pipe.
    let dropped = |reason| report.dropped.get(reason);
    assert!(dropped(DropReason::Unknown) > 0, "{report}");
    assert!(dropped(DropReason::Shutdown) > 0, "{report}");

    // The write fails when the reader goes, and the books are closed.
    drop(reader);
    thread::sleep(Duration::from_millis(50));
    assert_eq!(telemetry.report(), report);
    assert_eq!(telemetry.shutdown_blocking(), report);
}

#[actix_web::test]
async fn after_it_nothing_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let file = JsonLines::new(folder.path().join("traces.jsonl"));
    let telemetry = Telemetry::builder().file(file).build().unwrap();
    let tracer = telemetry.tracer_provider().tracer("service");
    let mut open = tracer.start("open");
    assert!(open.is_recording());
    let report = telemetry.shutdown().await;
    assert_eq!(report.recorded, 0, "{report}");

    assert!(!open.is_recording());
    open.end();
    let late = tracer.start("late");
    assert!(!late.is_recording());
    assert!(
        late.span_context().is_valid(),
        "what it calls still has a trace"
    );
    assert_eq!(telemetry.report(), report);
}

/// Takes all spans, and fails at its end.
#[derive(Debug)]
struct FailsAtItsEnd;

impl SpanExporter for FailsAtItsEnd {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Err(OTelSdkError::InternalFailure("the disk is full".into()))
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        thread::sleep(Duration::from_millis(500));
        Ok(())
    }
}

const CHILD: &str = "BEHAVIOUR_SHUTDOWN";

/// The test runs itself again, as a process whose log is its stderr.
#[test]
fn what_an_exporter_says_at_its_end_is_in_the_log_although_no_span_is_lost() {
    if env::var_os(CHILD).is_some() {
        let telemetry = Telemetry::builder()
            .span_exporter("disk", || Ok::<_, Infallible>(FailsAtItsEnd))
            .shutdown_timeout(Duration::from_millis(100))
            .build()
            .unwrap();
        let tracer = telemetry.tracer_provider().tracer("service");
        tracer.start("span").end();
        telemetry.force_flush_blocking();
        let report = telemetry.shutdown_blocking();
        assert_eq!(report.delivered, 1, "{report}");
        return;
    }
    let name = "what_an_exporter_says_at_its_end_is_in_the_log_although_no_span_is_lost";
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let stderr = String::from_utf8(child.stderr).unwrap();
    assert!(child.status.success(), "{stderr}");
    assert!(
        stderr.contains("biztrace: disk: Operation failed: the disk is full"),
        "{stderr}"
    );
    assert!(
        stderr.contains("biztrace: disk: it did not shut down in time"),
        "{stderr}"
    );
}
