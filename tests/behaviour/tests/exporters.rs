//! Several exporters at once, what a description says of them, and requests that are sent again.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::{Future, Ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use behaviour::{Fault, Instance, Receiver, Reserved, eventually};
use biztrace::{
    DropReason, JsonLines, Limits, Otlp, PiiPolicy, Report, Sampler, Source, Telemetry,
};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

#[actix_web::test]
async fn a_receiver_that_hangs_harms_no_other() {
    let (hangs, other) = (Receiver::new([Fault::Hangs]), Receiver::default());
    let instance = Instance::exporting(|settings| {
        settings
            .otlp(hangs.url())
            .otlp(other.url())
            .max_queue_size(8)
            .max_export_batch_size(4)
            .shutdown_timeout(Duration::from_millis(500))
    });
    for sent in 1..=25 {
        for _ in 0..4 {
            instance.tracer().start("span").end();
        }
        eventually("the other has its spans", || {
            other.spans().len() == 4 * sent
        })
        .await;
    }
    let start = Instant::now();
    let report = instance.telemetry.shutdown().await;
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "{:?}",
        start.elapsed()
    );
    let [hung, delivered] = &*report.exporters else {
        panic!("two exporters: {report:?}");
    };
    assert_eq!(
        (
            delivered.recorded,
            delivered.delivered,
            delivered.dropped.total()
        ),
        (100, 100, 0)
    );
    assert_eq!((hung.recorded, hung.delivered, hung.waiting), (100, 0, 0));
    assert_eq!(hung.dropped.total(), 100);
    assert!(hung.dropped.get(DropReason::QueueFull) > 0, "{report}");
    assert_eq!(report.recorded, 200);
}

#[actix_web::test]
async fn a_time_limit_may_be_as_long_as_none() {
    let receiver = Receiver::default();
    let without_limit = Otlp::http(receiver.url()).timeout(Duration::MAX);
    let instance = Instance::exporting(|settings| {
        settings
            .otlp(without_limit)
            .schedule_delay(Duration::MAX)
            .export_timeout(Duration::MAX)
            .shutdown_timeout(Duration::MAX)
    });
    instance.tracer().start("span").end();
    let report = instance.telemetry.shutdown().await;
    assert_eq!(report.delivered, 1, "{report}");
}

#[actix_web::test]
async fn a_receiver_that_comes_late_gets_what_waited_for_it() {
    let address = Reserved::default();
    let instance = Instance::exporting(|settings| {
        settings
            .otlp(address.url())
            .schedule_delay(Duration::from_millis(20))
    });
    instance.tracer().start("span").end();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(instance.telemetry.report().waiting, 1);
    let receiver = Receiver::listening(address.listen(128), [Fault::None]);
    let report = instance.telemetry.force_flush().await;
    assert_eq!(
        (report.delivered, report.dropped.total()),
        (1, 0),
        "{report}"
    );
    assert_eq!(receiver.spans().len(), 1);
}

#[test]
fn a_description_says_where_each_setting_comes_from() {
    let otlp = Otlp::http("http://localhost:4318").header("x-key", "s3cret");
    let telemetry = Telemetry::builder()
        .service("orders", "1.2.0")
        .resource([KeyValue::new("deployment.environment.name", "prod")])
        .otlp(otlp)
        .console()
        .sampler(Sampler::parent_based(Sampler::TraceIdRatio(0.25)))
        .hash_key("s3cret-s3cret-s3cret")
        .pii(PiiPolicy::Hash)
        .build()
        .unwrap();
    let description = telemetry.describe();
    let line = description.to_string();
    assert_eq!(
        line,
        "deployment.environment.name=prod (code), service.name=orders (code), service.version=1.2.0 (code), \
         exporter=otlp (code), otlp.endpoint=http://localhost:4318/v1/traces (code), otlp.protocol=http/protobuf (code), \
         otlp.headers.x-key=… (code), exporter=console (code), sampler=parentbased_traceidratio(0.25) (code), \
         hash_key=set (code), pii=hash (code)"
    );
    let all = format!("{description:#}\n{description:?}");
    assert!(all.contains("\nmax_queue_size=2048 (default)\n"), "{all}");
    assert!(!all.contains("s3cret"), "{all}");
    let endpoint = description
        .iter()
        .find(|setting| setting.name == "otlp.endpoint");
    assert_eq!(endpoint.unwrap().source, Source::Code);
    telemetry.shutdown_blocking();
}

#[test]
fn memory_that_the_exporters_alone_would_fill_is_an_error() {
    let build = |memory| {
        let mut limits = Limits::default();
        limits.memory = memory;
        let builder = Telemetry::builder().otlp("http://localhost:9").console();
        builder.limits(move |it| it.clone_from(&limits)).build()
    };
    let error = build(4 * 1024 * 1024 - 1).unwrap_err().to_string();
    assert!(error.contains("`Limits::memory` is 4194303"), "{error}");
    let telemetry = build(4 * 1024 * 1024).unwrap();
    let tracer = telemetry.tracer_provider().tracer("service");
    assert!(tracer.start("span").is_recording());
}

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
        "`Builder::span_exporter`: custom could not be made: no key"
    );
}

#[test]
fn files_have_a_request_a_line_and_are_replaced_when_full() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces.jsonl");
    let file = JsonLines::new(&path).max_bytes(2000).keep(2);
    let telemetry = Telemetry::builder()
        .service("orders", "1")
        .file(file)
        .max_export_batch_size(1)
        .build()
        .unwrap();
    let tracer = telemetry.tracer_provider().tracer("library");
    for number in 0..20_i64 {
        let mut span = tracer.start(format!("span {number}"));
        span.set_attribute(KeyValue::new("order.id", number));
        span.end();
    }
    let report = telemetry.shutdown_blocking();
    assert_eq!(
        (report.delivered, report.dropped.total()),
        (20, 0),
        "{report}"
    );

    let mut files: Vec<_> = folder
        .path()
        .read_dir()
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    files.sort();
    assert_eq!(files, ["traces.jsonl", "traces.jsonl.1", "traces.jsonl.2"]);
    assert!(
        folder
            .path()
            .join("traces.jsonl.1")
            .metadata()
            .unwrap()
            .len()
            <= 2000
    );
    let text = std::fs::read_to_string(path).unwrap();
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let span = &last["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(span["name"], "span 19");
    assert_eq!(
        (
            span["traceId"].as_str().unwrap().len(),
            span["spanId"].as_str().unwrap().len()
        ),
        (32, 16)
    );
    assert!(
        span["startTimeUnixNano"].is_string() && span["kind"].is_i64(),
        "{span}"
    );
    let attributes = span["attributes"].as_array().unwrap();
    let id = attributes
        .iter()
        .find(|it| it["key"] == "order.id")
        .unwrap();
    assert_eq!(id["value"]["intValue"], "19");

    let nowhere = JsonLines::new(folder.path().join("no/traces.jsonl"));
    let error = Telemetry::builder()
        .file(nowhere)
        .build()
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("`Builder::file`: ") && error.contains("no/traces.jsonl"),
        "{error}"
    );
}

#[test]
fn a_file_that_cannot_be_replaced_is_said_to_be_so_and_goes_on_when_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces.jsonl");
    let in_the_way = folder.path().join("traces.jsonl.1");
    std::fs::create_dir(&in_the_way).unwrap();
    let file = JsonLines::new(&path).max_bytes(1).keep(1);
    let telemetry = Telemetry::builder().file(file).build().unwrap();
    let tracer = telemetry.tracer_provider().tracer("library");
    let send = |name: &'static str| {
        tracer.start(name).end();
        telemetry.force_flush_blocking()
    };
    assert_eq!(send("first").delivered, 1);
    std::fs::write(in_the_way.join("note"), "").unwrap();
    let report = send("second");
    assert_eq!(report.dropped.get(DropReason::Refused), 1, "{report}");

    // Somebody else has put the full file away, too.
    std::fs::remove_dir_all(&in_the_way).unwrap();
    std::fs::rename(&path, folder.path().join("away")).unwrap();
    assert_eq!(send("third").delivered, 2);
    assert_eq!(send("fourth").delivered, 3);
    let text = std::fs::read_to_string(&in_the_way).unwrap();
    assert!(text.contains("third"), "{text}");
}

#[test]
fn a_file_that_somebody_deletes_renames_or_cuts_short_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces.jsonl");
    // As a process leaves it that was killed within a line.
    std::fs::write(&path, "{\"resourceSpans\":[").unwrap();
    let telemetry = Telemetry::builder().file(JsonLines::new(&path));
    let telemetry = telemetry.build().unwrap();
    let tracer = telemetry.tracer_provider().tracer("library");
    let send = |name: &'static str| {
        tracer.start(name).end();
        telemetry.force_flush_blocking();
        std::fs::read_to_string(&path).unwrap()
    };
    let text = send("first");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(
        lines[1].starts_with('{') && lines[1].contains("first"),
        "{text}"
    );
    std::fs::remove_file(&path).unwrap();
    let text = send("second");
    assert!(text.starts_with('{') && text.contains("second"), "{text}");
    let away = folder.path().join("traces.old");
    std::fs::rename(&path, &away).unwrap();
    std::fs::write(&path, "").unwrap();
    let text = send("third");
    assert!(text.contains("third"), "{text}");
    assert!(!std::fs::read_to_string(away).unwrap().contains("third"));
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_len(20).unwrap();
    let text = send("fourth");
    let lines: Vec<_> = text.lines().collect();
    assert!(
        lines.len() == 2 && lines[1].starts_with('{') && lines[1].contains("fourth"),
        "{text}"
    );
    assert_eq!(telemetry.shutdown_blocking().delivered, 4);
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces.jsonl");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let error = Telemetry::builder().file(JsonLines::new(path)).build();
    let error = error.unwrap_err().to_string();
    assert!(error.contains("`Builder::stdout`"), "{error}");
}

#[test]
fn no_file_is_ever_deleted_if_that_is_what_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let file = JsonLines::new(folder.path().join("traces.jsonl"));
    let telemetry = Telemetry::builder()
        .file(file.max_bytes(1).keep(usize::MAX))
        .max_export_batch_size(1)
        .build()
        .unwrap();
    let tracer = telemetry.tracer_provider().tracer("library");
    for _ in 0..7 {
        tracer.start("span").end();
    }
    assert_eq!(telemetry.shutdown_blocking().delivered, 7);
    assert_eq!(folder.path().read_dir().unwrap().count(), 7);
}
