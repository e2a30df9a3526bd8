//! What requests have of the settings, and settings that cannot work.

use biztrace::Telemetry;
use biztrace::settings::Otlp;
use faults::{Authority, Fault, Receiver};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};

#[test]
fn requests_say_what_the_settings_say() {
    for (is_json, is_gzip) in [(false, false), (false, true), (true, false), (true, true)] {
        let receiver = Receiver::new([Fault::None]);
        let mut otlp = if is_json {
            Otlp::http_json(receiver.url())
        } else {
            Otlp::http(receiver.url())
        };
        if is_gzip {
            otlp = otlp.gzip();
        }
        let otlp = otlp.header("x-api-key", "s3cret");
        assert!(!format!("{otlp:?}").contains("s3cret"));
        let telemetry = Telemetry::builder().otlp(otlp).build().unwrap();
        let tracer = telemetry.tracer_provider().tracer("service");
        for _ in 0..100 {
            let mut span = tracer.start("span");
            span.set_attribute(KeyValue::new("ratio", f64::NAN));
            span.end();
        }
        let report = telemetry.shutdown_blocking();
        assert_eq!(
            (report.delivered, receiver.spans().len()),
            (100, 100),
            "{report}"
        );
        let request = &receiver.received()[0];
        let has = |line: &str| request.head.iter().any(|it| it == line);
        assert!(
            has("POST /v1/traces HTTP/1.1") && has("x-api-key: s3cret"),
            "{:?}",
            request.head
        );
        assert_eq!(has("content-encoding: gzip"), is_gzip);
        assert_eq!(has("content-type: application/json"), is_json);
        assert_eq!(
            request.body.len() < 6000,
            is_gzip,
            "{} bytes",
            request.body.len()
        );
    }
}

#[test]
fn rejected_spans_are_counted_in_json_too() {
    let receiver = Receiver::new([Fault::Rejects(3)]);
    let telemetry = Telemetry::builder()
        .otlp(Otlp::http_json(receiver.url()))
        .build()
        .unwrap();
    let tracer = telemetry.tracer_provider().tracer("service");
    (0..10).for_each(|_| tracer.start("span").end());
    let report = telemetry.shutdown_blocking();
    assert_eq!(
        (report.delivered, report.dropped.total()),
        (7, 3),
        "{report}"
    );
}

#[test]
fn a_setting_that_cannot_work_is_an_error_that_names_it() {
    let authority = Authority::default();
    let (cert, key) = authority.sign().files();
    let (other_cert, _) = authority.sign().files();
    let otlp = || Otlp::http("https://localhost:4318");
    let cases: Vec<(Otlp, &[&str])> = vec![
        (
            otlp().ca_file("/nowhere/ca.pem"),
            &[
                "`ca_file`, /nowhere/ca.pem, is unreadable",
                "`Otlp::ca_file`",
            ],
        ),
        (otlp().ca_file("/dev/null"), &["no certificate in PEM"]),
        (
            otlp().identity_files(&cert, "/dev/null"),
            &["`key_file`, /dev/null"],
        ),
        (
            otlp().identity_files(other_cert, &key),
            &["do not belong together"],
        ),
        (
            otlp().header("x key", "s3cret"),
            &["invalid header \"x…\"", "`Otlp::header(name, value)`"],
        ),
        (
            otlp().header("x-key", "s3cret\n"),
            &["\"x-key\"", "not valid in a header"],
        ),
        (
            Otlp::http("collector:4318"),
            &["write http:// or https:// before it"],
        ),
    ];
    for (otlp, parts) in cases {
        let error = Telemetry::builder()
            .otlp(otlp)
            .build()
            .unwrap_err()
            .to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}
