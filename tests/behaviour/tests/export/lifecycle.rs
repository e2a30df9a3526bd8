//! An instance that nobody has set up, that is dropped without a shutdown, or that is shut down after its server. Each test runs
//! itself again, in a process of its own, whose warnings reach stderr.

use std::time::Duration;

use actix_web::{App, HttpResponse, web};
use behaviour::{Receiver, Reserved, Service, eventually, rerun};
use biztrace::Telemetry;
use biztrace::actix::RequestTracing;
use opentelemetry::global;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};

const NEVER: Duration = Duration::from_secs(3600);

#[actix_web::test]
async fn requests_without_an_instance_are_warned_of_once() {
    let test = "lifecycle::requests_without_an_instance_are_warned_of_once";
    let Some(stderr) = rerun(test, &[]) else {
        let service = Service::start(|_| {
            App::new()
                .wrap(RequestTracing::default())
                .route("/", web::get().to(HttpResponse::Ok))
        });
        for _ in 0..2 {
            assert_eq!(service.get("/").await.0, 200);
        }
        // The last word is said by now.
        service.instance.telemetry.shutdown().await;
        return;
    };
    let warning = "requests are not traced: no telemetry is set up. Call `biztrace::init`";
    assert_eq!(stderr.matches(warning).count(), 1, "{stderr}");
}

#[actix_web::test]
async fn installed_instance_sends_when_its_last_handle_goes_and_records_on() {
    let test = "lifecycle::installed_instance_sends_when_its_last_handle_goes_and_records_on";
    let Some(stderr) = rerun(test, &[]) else {
        let receiver = Receiver::default();
        let settings = Telemetry::builder().otlp(receiver.url());
        let telemetry = settings.schedule_delay(NEVER).install().unwrap();
        global::tracer("library").start("first").end();
        let clone = telemetry.clone();
        drop(telemetry);
        drop(clone);
        eventually("the span", || receiver.spans().len() == 1).await;
        assert!(global::tracer("library").start("second").is_recording());
        return;
    };
    let warning = "telemetry was dropped without a shutdown: 1 spans recorded";
    assert_eq!(stderr.matches(warning).count(), 1, "{stderr}");
}

/// As when a server cannot bind its address, and `main` returns the error.
#[test]
fn installed_instance_that_has_recorded_nothing_goes_without_a_word() {
    let test = "lifecycle::installed_instance_that_has_recorded_nothing_goes_without_a_word";
    let Some(stderr) = rerun(test, &[]) else {
        let nobody = Reserved::default();
        let settings = Telemetry::builder().otlp(nobody.url());
        return drop(settings.install().unwrap());
    };
    assert!(!stderr.contains("dropped without a shutdown"), "{stderr}");
}

#[test]
fn first_span_after_the_last_handle_has_gone_is_warned_of() {
    let test = "lifecycle::first_span_after_the_last_handle_has_gone_is_warned_of";
    let Some(stderr) = rerun(test, &[]) else {
        let nobody = Reserved::default();
        let settings = || Telemetry::builder().otlp(nobody.url());
        let _ = settings().install().unwrap();
        for _ in 0..2 {
            let mut span = global::tracer("library").start("span");
            assert!(span.is_recording());
            span.end();
        }
        // The warning is said by now.
        settings().build().unwrap().shutdown_blocking();
        return;
    };
    let warning = "telemetry was dropped without a shutdown, and spans are recorded now";
    assert_eq!(stderr.matches(warning).count(), 1, "{stderr}");
}

#[actix_web::test]
async fn handle_that_goes_in_a_task_has_the_export_thread_send() {
    let receiver = Receiver::default();
    let settings = Telemetry::builder().otlp(receiver.url());
    let telemetry = settings.schedule_delay(NEVER).build().unwrap();
    telemetry
        .tracer_provider()
        .tracer("library")
        .start("span")
        .end();
    actix_web::rt::spawn(async move { drop(telemetry) })
        .await
        .unwrap();
    eventually("the span", || receiver.spans().len() == 1).await;
}

/// The process ends right after the drop: what it has said, it has said before.
#[test]
fn built_instance_that_goes_says_what_was_lost() {
    let test = "lifecycle::built_instance_that_goes_says_what_was_lost";
    let Some(stderr) = rerun(test, &[]) else {
        let nobody = Reserved::default();
        let settings = Telemetry::builder().otlp(nobody.url());
        let telemetry = settings.schedule_delay(NEVER).build().unwrap();
        let tracer = telemetry.tracer_provider().tracer("library");
        tracer.start("lost").end();
        return drop(telemetry);
    };
    // By the export thread, or for it if it comes too late.
    let is_said = ["dropped so far: unreachable 1", "1 spans were not sent"];
    assert!(is_said.iter().any(|it| stderr.contains(it)), "{stderr}");
    assert!(!stderr.contains("dropped without a shutdown"), "{stderr}");
}

/// Nobody listens at the receiver's address, so the exporter tries again until the deadline.
#[test]
fn shutdown_that_takes_long_says_what_it_waits_for() {
    let test = "lifecycle::shutdown_that_takes_long_says_what_it_waits_for";
    let Some(stderr) = rerun(test, &[]) else {
        let nobody = Reserved::default();
        let settings = Telemetry::builder().otlp(nobody.url()).console();
        let settings = settings.shutdown_timeout(Duration::from_secs(3));
        let telemetry = settings.schedule_delay(NEVER).build().unwrap();
        let tracer = telemetry.tracer_provider().tracer("library");
        (0..6).for_each(|_| tracer.start("span").end());
        telemetry.shutdown_blocking();
        return;
    };
    let waits = "otlp: the shutdown waits: 6 spans are not sent yet. It takes ";
    assert_eq!(stderr.matches(waits).count(), 1, "{stderr}");
    assert!(stderr.contains(" s more at most"), "{stderr}");
}

#[actix_web::test]
async fn shutdown_follows_the_work_and_returns_what_it_returns() {
    let receiver = Receiver::default();
    let settings = Telemetry::builder().otlp(receiver.url());
    let telemetry = settings.schedule_delay(NEVER).build().unwrap();
    let tracer = telemetry.tracer_provider().tracer("library");
    let work = async {
        tracer.start("work").end();
        "served"
    };
    assert_eq!(telemetry.shutdown_after(work).await, "served");
    assert_eq!(receiver.spans().len(), 1);
    assert!(!tracer.start("late").is_recording());
}
