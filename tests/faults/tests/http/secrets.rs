//! Credentials of the environment: they reach the one receiver that they are for. Each test runs itself again, in that environment.

use std::env;

use biztrace::settings::Otlp;
use biztrace::{Telemetry, TelemetryBuilder};
use faults::{Fault, Receiver, rerun};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const HEADERS: (&str, &str) = (
    "OTEL_EXPORTER_OTLP_HEADERS",
    "authorization=Bearer%20s3cret",
);
const NOT_USED: &str = "OTEL_EXPORTER_OTLP_HEADERS is not used for http://127.0.0.1:";

fn send(settings: TelemetryBuilder) {
    let telemetry = settings.build().unwrap();
    let tracer = telemetry.tracer_provider().tracer("service");
    tracer.start("span").end();
    telemetry.shutdown_blocking();
}

fn receiver() -> Receiver {
    Receiver::new([Fault::None])
}

/// Whether the one request to a receiver has that header.
fn has(receiver: &Receiver, header: &str) -> bool {
    let requests = receiver.received();
    assert_eq!(requests.len(), 1, "the span has arrived");
    requests[0].head.iter().any(|line| line == header)
}

fn is_authorized(receiver: &Receiver) -> bool {
    has(receiver, "authorization: Bearer s3cret")
}

#[test]
fn credentials_of_the_environment_reach_none_of_several_receivers_of_the_code() {
    let test =
        "secrets::credentials_of_the_environment_reach_none_of_several_receivers_of_the_code";
    let Some(stderr) = rerun(test, &[HEADERS]) else {
        let (a, b) = (receiver(), receiver());
        let with_own = Otlp::http(b.url()).header("x-b-key", "b");
        send(Telemetry::builder().otlp(a.url()).otlp(with_own));
        assert!(!is_authorized(&a) && !is_authorized(&b));
        assert!(has(&b, "x-b-key: b"));
        return;
    };
    assert_eq!(stderr.matches(NOT_USED).count(), 2, "{stderr}");
    assert!(
        stderr.contains("the code names several receivers"),
        "{stderr}"
    );
    assert!(stderr.contains("by `Otlp::header`"), "{stderr}");
    assert!(!stderr.contains("s3cret"), "{stderr}");
}

#[test]
fn credentials_of_the_environment_reach_the_only_receiver_of_the_code() {
    let test = "secrets::credentials_of_the_environment_reach_the_only_receiver_of_the_code";
    let Some(stderr) = rerun(test, &[HEADERS]) else {
        let only = receiver();
        send(Telemetry::builder().otlp(only.url()).console());
        assert!(is_authorized(&only));
        return;
    };
    assert!(!stderr.contains("is not used"), "{stderr}");
}

#[test]
fn credentials_of_the_environment_reach_the_receiver_that_it_names() {
    let test = "secrets::credentials_of_the_environment_reach_the_receiver_that_it_names";
    let named = receiver();
    let url = named.url();
    let Some(stderr) = rerun(test, &[HEADERS, (ENDPOINT, &url)]) else {
        let named = env::var(ENDPOINT).unwrap();
        let (a, b) = (receiver(), receiver());
        send(Telemetry::builder().otlp(a.url()));
        assert!(!is_authorized(&a));
        send(Telemetry::builder().otlp(b.url()).otlp(format!("{named}/")));
        assert!(!is_authorized(&b));
        return;
    };
    assert!(is_authorized(&named));
    assert_eq!(stderr.matches(NOT_USED).count(), 2, "{stderr}");
    let why = "it is for the receiver of OTEL_EXPORTER_OTLP_ENDPOINT";
    assert!(stderr.contains(why), "{stderr}");
}

#[test]
fn credentials_that_leave_the_machine_unencrypted_are_warned_of() {
    let test = "secrets::credentials_that_leave_the_machine_unencrypted_are_warned_of";
    let Some(stderr) = rerun(test, &[HEADERS]) else {
        // An address for documentation, which no machine has.
        for receiver in [
            Otlp::http("http://192.0.2.1:4318"),
            Otlp::grpc("http://192.0.2.1:4317"),
            Otlp::http("http://127.0.0.1:9"),
        ] {
            let telemetry = Telemetry::builder().otlp(receiver).build().unwrap();
            telemetry.shutdown_blocking();
        }
        return;
    };
    let warning = "the header authorization is sent to http://192.0.2.1:43";
    assert_eq!(stderr.matches(warning).count(), 2, "{stderr}");
    assert_eq!(stderr.matches("is sent to").count(), 2, "{stderr}");
    assert!(!stderr.contains("s3cret"), "{stderr}");
}
