//! Receivers that fail: the service goes on unharmed, and each lost span is counted by its reason.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actix_web::{App, web};
use behaviour::{Fault, Instance, Receiver, Reserved, Service, eventually};
use biztrace::{Builder, DropReason, Report, traced};
use opentelemetry::Context;
use opentelemetry::trace::{Span as _, TraceContextExt, Tracer as _, TracerProvider as _};

#[traced]
async fn step() {}

fn service(instance: Instance) -> Service {
    Service::recording_to(instance, |tracing| {
        App::new().wrap(tracing).route(
            "/",
            web::get().to(|| async {
                step().await;
                "served"
            }),
        )
    })
}

/// A receiver gets what is recorded soon, and has little time to answer.
fn impatient(settings: Builder) -> Builder {
    settings
        .schedule_delay(Duration::from_millis(20))
        .export_timeout(Duration::from_millis(150))
}

fn assert_lost(report: &Report, reason: DropReason, spans: u64) {
    assert_eq!(
        report.dropped.iter().collect::<Vec<_>>(),
        [(reason, spans)],
        "{report}"
    );
}

#[actix_web::test]
async fn requests_are_served_while_the_receiver_hangs() {
    let instance = Instance::sending_to(Receiver::new([Fault::Hangs]), |settings| {
        let settings = settings.max_queue_size(8).max_export_batch_size(4);
        settings.shutdown_timeout(Duration::from_millis(100))
    });
    let service = service(instance);
    for _ in 0..20 {
        assert_eq!(service.get("/").await, (200, "served".into()));
    }
    let report = service.instance.report_of(40).await;
    assert_eq!(report.delivered, 0, "{report}");
}

#[actix_web::test]
async fn what_a_receiver_rejects_is_not_delivered() {
    for (rejected, expected) in [(1, 1), (4, 4), (1000, 4), (-1, 0)] {
        let instance =
            Instance::sending_to(Receiver::new([Fault::Rejects(rejected)]), |settings| {
                settings
            });
        let service = service(instance);
        service.get("/").await;
        service.get("/").await;
        let report = service.instance.report_of(4).await;
        assert_eq!(report.delivered, 4 - expected, "{rejected} rejected");
        assert_eq!(report.dropped.get(DropReason::Rejected), expected);
    }
}

#[actix_web::test]
async fn a_receiver_that_recovers_gets_what_comes_then() {
    let service = service(Instance::sending_to(
        Receiver::new([Fault::Status(503)]),
        impatient,
    ));
    assert_eq!(service.get("/").await, (200, "served".into()));
    eventually("a refusal", || {
        service.instance.telemetry.report().dropped.total() == 2
    })
    .await;
    service.instance.receiver.follow([Fault::None]);
    service.get("/").await;
    let report = service.instance.report_of(4).await;
    assert_eq!(report.delivered, 2);
    assert_lost(&report, DropReason::Refused, 2);
}

#[actix_web::test]
async fn after_a_shutdown_the_service_goes_on_without_recording() {
    let service = service(Instance::default());
    service.get("/").await;
    service.spans(2).await;
    assert_eq!(service.get("/").await, (200, "served".into()));
    let report = service.instance.telemetry.shutdown().await;
    assert_eq!(
        (report.recorded, report.delivered, report.waiting),
        (2, 2, 0),
        "{report}"
    );
    assert_eq!(service.instance.receiver.spans().len(), 2);
}

#[actix_web::test]
async fn shutdowns_that_meet_report_alike() {
    let instance = Instance::default();
    instance.tracer().start("span").end();
    let (one, other) = tokio::join!(instance.telemetry.shutdown(), instance.telemetry.shutdown());
    assert_eq!((one.delivered, one.waiting), (1, 0), "{one}");
    assert_eq!(one, other);
    assert_eq!(instance.telemetry.shutdown_blocking(), one);
}

#[actix_web::test]
async fn shutdown_delivers_ended_spans_of_open_traces() {
    let instance = Instance::default();
    let tracer = instance.tracer();
    let open = Context::new().with_span(tracer.start("open"));
    tracer.start_with_context("ended", &open).end();
    assert_eq!(
        (
            instance.telemetry.report().recorded,
            instance.telemetry.report().waiting
        ),
        (1, 1)
    );
    let report = instance.telemetry.shutdown().await;
    assert_eq!((report.recorded, report.waiting), (1, 0), "{report}");
    assert_eq!(report.delivered, 1, "{report}");
    open.span().end();
    assert_eq!(
        instance.telemetry.report(),
        report,
        "an end after the shutdown is not counted"
    );
    assert_eq!(instance.receiver.spans().len(), 1);
}

#[actix_web::test]
async fn spans_that_end_during_a_shutdown_are_counted_once_or_not_at_all() {
    let instance = Instance::default();
    let stop = Arc::new(AtomicBool::new(false));
    let threads = [(); 3].map(|()| {
        let (tracer, stop) = (instance.tracer(), Arc::clone(&stop));
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                tracer.in_span("outer", |_| tracer.start("inner").end());
            }
        })
    });
    eventually("some spans", || instance.telemetry.report().recorded > 100).await;
    let report = instance.telemetry.shutdown().await;
    stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(
        (report.waiting, report.recorded),
        (0, report.delivered + report.dropped.total()),
        "{report}"
    );
    assert_eq!(instance.telemetry.report(), report);
    assert_eq!(instance.receiver.spans().len() as u64, report.delivered);
}

/// What has been recorded arrives, whoever asks for it and from where.
fn shut_down_blocking(instance: &Instance) {
    for _ in 0..3 {
        instance.tracer().start("span").end();
    }
    let report = instance.telemetry.shutdown_blocking();
    assert_eq!(
        (report.recorded, report.delivered, report.waiting),
        (3, 3, 0),
        "{report}"
    );
    assert_eq!(instance.receiver.spans().len(), 3);
}

#[test]
fn a_blocking_shutdown_needs_no_runtime() {
    shut_down_blocking(&Instance::default());
}

#[tokio::test(flavor = "current_thread")]
async fn a_blocking_shutdown_works_within_a_runtime_that_it_blocks() {
    shut_down_blocking(&Instance::default());
}

#[test]
fn a_shutdown_works_on_an_executor_that_is_not_tokios() {
    let instance = Instance::default();
    instance.tracer().start("span").end();
    let report = tokio_free(instance.telemetry.shutdown());
    assert_eq!((report.delivered, report.waiting), (1, 0), "{report}");
}

/// Polls until `future` is done, on a thread without any runtime.
fn tokio_free<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        std::thread::yield_now();
    }
}

#[actix_web::test]
async fn an_instance_that_is_dropped_sends_the_rest_in_the_background() {
    let Instance {
        telemetry,
        receiver,
    } = Instance::default();
    let tracer = telemetry.tracer_provider().tracer("library");
    tracer.start("span").end();
    drop((tracer, telemetry));
    eventually("the span", || receiver.spans().len() == 1).await;
}
