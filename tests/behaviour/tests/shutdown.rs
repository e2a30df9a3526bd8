//! Shutdowns that something stands in the way of.

use std::convert::Infallible;
use std::thread;
use std::time::Duration;

use behaviour::rerun;
use biztrace::{JsonLines, Telemetry};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

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

#[test]
fn what_an_exporter_says_at_its_end_is_in_the_log_although_no_span_is_lost() {
    let test = "what_an_exporter_says_at_its_end_is_in_the_log_although_no_span_is_lost";
    let Some(stderr) = rerun(test, &[]) else {
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
    };
    assert!(
        stderr.contains("biztrace: disk: Operation failed: the disk is full"),
        "{stderr}"
    );
    assert!(
        stderr.contains("biztrace: disk: it did not shut down in time"),
        "{stderr}"
    );
}
