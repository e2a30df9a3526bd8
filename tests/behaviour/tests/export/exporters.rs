//! Several exporters at once, how long they take, and how a description tells the settings.

use std::time::{Duration, Instant};

use behaviour::{Fault, Instance, Receiver, Reserved, eventually};
use biztrace::Telemetry;
use biztrace::report::DropReason;
use biztrace::settings::{Limits, Otlp, PiiPolicy, Sampler, Source};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};

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
    // A request may take 10 s.
    let start = Instant::now();
    let report = instance.telemetry.shutdown().await;
    assert!(
        start.elapsed() < Duration::from_secs(9),
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
        .sampler(Sampler::trace_id_ratio(0.25).parent_based())
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
