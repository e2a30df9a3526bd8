//! Receivers that fail: the service serves its requests, and lost spans are counted. `tests/faults` has each failure.

use std::time::Duration;

use actix_web::{App, web};
use behaviour::{Fault, Instance, Receiver, Service, eventually};
use biztrace::report::{DropReason, Report};
use biztrace::{TelemetryBuilder, traced};

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
fn impatient(settings: TelemetryBuilder) -> TelemetryBuilder {
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
