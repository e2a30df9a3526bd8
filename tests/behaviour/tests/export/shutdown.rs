//! Shutdowns: what they deliver, who may ask for them and from where, and what comes after them.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as TaskContext, Poll, Waker};
use std::thread;

use actix_web::{App, web};
use behaviour::{Instance, Service, eventually};
use biztrace::Telemetry;
use biztrace::settings::JsonFile;
use opentelemetry::Context;
use opentelemetry::trace::{Span as _, TraceContextExt, Tracer as _, TracerProvider as _};

#[actix_web::test]
async fn nothing_is_recorded_after_a_shutdown() {
    let folder = tempfile::tempdir().unwrap();
    let file = JsonFile::new(folder.path().join("traces.jsonl"));
    let telemetry = Telemetry::builder().json_file(file).build().unwrap();
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

#[actix_web::test]
async fn after_a_shutdown_the_service_goes_on_without_recording() {
    let service = Service::start(|tracing| {
        let route = web::get().to(|| async { "served" });
        App::new().wrap(tracing).route("/", route)
    });
    service.get("/").await;
    service.spans(1).await;
    assert_eq!(service.get("/").await, (200, "served".into()));
    let report = service.instance.telemetry.shutdown().await;
    assert_eq!(
        (report.recorded, report.delivered, report.waiting),
        (1, 1, 0),
        "{report}"
    );
    assert_eq!(service.instance.receiver.spans().len(), 1);
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
async fn spans_ended_during_a_shutdown_are_counted_at_most_once() {
    let instance = Instance::default();
    let stop = Arc::new(AtomicBool::new(false));
    let threads = [(); 3].map(|()| {
        let (tracer, stop) = (instance.tracer(), Arc::clone(&stop));
        thread::spawn(move || {
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
    let mut future = pin!(future);
    let mut cx = TaskContext::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        thread::yield_now();
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
