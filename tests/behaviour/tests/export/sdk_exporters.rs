//! Exporters of the OpenTelemetry SDK: what they may do, and what becomes of spans if they fail.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::{Future, Ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use behaviour::{Instance, eventually, rerun};
use biztrace::Telemetry;
use biztrace::report::{DropReason, Report};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// An exporter of the SDK that does what `export` does.
struct Custom<F>(F, Arc<Mutex<Vec<&'static str>>>);

impl<F> fmt::Debug for Custom<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Custom")
    }
}

impl<F, Fut> SpanExporter for Custom<F>
where
    F: Fn(Vec<SpanData>) -> Fut + Send + Sync,
    Fut: Future<Output = OTelSdkResult> + Send,
{
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        (self.0)(batch).await
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.1.lock().expect("nobody panics with it").push("flush");
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        self.1
            .lock()
            .expect("nobody panics with it")
            .push("shutdown");
        Ok(())
    }
}

async fn report_of<E, F>(make: impl FnOnce() -> Result<E, F> + Send + 'static) -> Report
where
    E: SpanExporter + 'static,
    F: Into<Box<dyn Error + Send + Sync>>,
{
    let instance = Instance::exporting(|settings| settings.span_exporter("custom", make));
    instance.tracer().start("span").end();
    instance.telemetry.force_flush().await;
    instance.report_of(1).await
}

#[actix_web::test]
async fn an_exporter_of_the_sdk_may_need_a_runtime_or_block() {
    let calls = Arc::<Mutex<Vec<_>>>::default();
    let seen = Arc::clone(&calls);
    let needs = || {
        tokio::runtime::Handle::try_current()?;
        let export = |batch: Vec<SpanData>| async move {
            let sleep = tokio::spawn(tokio::time::sleep(Duration::from_millis(10)));
            sleep.await.unwrap();
            assert_eq!(batch.len(), 1);
            Ok(())
        };
        Ok::<_, tokio::runtime::TryCurrentError>(Custom(export, seen))
    };
    assert_eq!(report_of(needs).await.delivered, 1);
    assert_eq!(*calls.lock().unwrap(), ["flush", "shutdown"]);

    // As a client that blocks does, which must not be within a runtime's task.
    let blocks = || {
        let runtime = || tokio::runtime::Builder::new_current_thread().build();
        drop(runtime()?);
        let export = move |_| {
            runtime().unwrap().block_on(async {});
            async { Ok(()) }
        };
        Ok::<_, std::io::Error>(Custom(export, Arc::default()))
    };
    assert_eq!(report_of(blocks).await.delivered, 1);
}

#[actix_web::test]
async fn an_exporter_of_the_sdk_that_hangs_is_handed_nothing_more() {
    let (release, hung) = mpsc::channel::<()>();
    let hung = Mutex::new(hung);
    let exported = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&exported);
    let make = move || {
        let export = move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            let _ = hung.lock().unwrap().recv();
            async { Ok(()) }
        };
        Ok::<_, Infallible>(Custom(export, Arc::default()))
    };
    let instance = Instance::exporting(|settings| {
        settings
            .span_exporter("custom", make)
            .max_export_batch_size(1)
            .export_timeout(Duration::from_millis(20))
    });
    for _ in 0..20 {
        instance.tracer().start("span").end();
    }
    eventually("all are given up", || {
        instance.telemetry.report().waiting == 0
    })
    .await;
    drop(release);
    let report = instance.telemetry.shutdown().await;
    assert_eq!(exported.load(Ordering::Relaxed), 1, "{report}");
    // One more was next in line.
    let dropped = |reason| report.dropped.get(reason);
    assert_eq!(
        (
            dropped(DropReason::Unknown),
            dropped(DropReason::Unreachable)
        ),
        (2, 18),
        "{report}"
    );
}

#[actix_web::test]
async fn an_exporter_of_the_sdk_may_fail() {
    let failing = |outcome: fn() -> OTelSdkResult| {
        move || {
            let export = move |_| async move { outcome() };
            Ok::<_, Infallible>(Custom(export, Arc::default()))
        }
    };
    for (outcome, reason) in [
        (
            (|| Err(OTelSdkError::InternalFailure("no".into()))) as fn() -> OTelSdkResult,
            DropReason::Refused,
        ),
        (
            || Err(OTelSdkError::Timeout(Duration::ZERO)),
            DropReason::Unknown,
        ),
        (|| panic!("as this test wants it"), DropReason::Refused),
    ] {
        let report = report_of(failing(outcome)).await;
        assert_eq!(report.dropped.get(reason), 1, "{report}");
    }
    let unmade = Telemetry::builder()
        .span_exporter("custom", || Err::<Custom<fn(_) -> Ready<_>>, _>("no key"));
    let error = unmade.build().unwrap_err().to_string();
    assert_eq!(
        error,
        "`TelemetryBuilder::span_exporter`: cannot create custom: no key"
    );
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
fn errors_of_flush_and_shutdown_are_logged_without_a_loss() {
    let test = "sdk_exporters::errors_of_flush_and_shutdown_are_logged_without_a_loss";
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
