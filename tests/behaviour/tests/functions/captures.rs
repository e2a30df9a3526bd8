//! A capture records as the service does whose settings it is given.

use std::panic::catch_unwind;

use actix_web::test::{TestRequest, call_and_read_body, init_service};
use actix_web::{App, web};
use biztrace::actix::RequestTracing;
use biztrace::settings::{ExceptionSignal, JaegerRemote, Propagator};
use biztrace::testing::Capture;
use biztrace::{Telemetry, tag, traced};

#[test]
fn failed_assertion_has_a_line_for_each_tag() {
    #[traced]
    fn pay() {
        tag!(
            order.id = 7,
            order.amount = 2.0,
            payment.method = "card\n",
            order.lines = ["a", "b"]
        );
    }

    let capture = Capture::new();
    capture.scope_sync(pay);
    let span = capture.span("pay");
    let message = |key: &'static str, expected: &'static str| {
        let failed = catch_unwind(|| {
            span.assert_tag(key, expected);
        });
        let message = failed.unwrap_err().downcast::<String>().unwrap();
        let lines = message.lines().map(str::to_owned);
        lines
            .filter(|line| !line.contains("code."))
            .collect::<Vec<_>>()
    };
    let wrong = message("order.id", "7");
    let start = "order.id is 7, not \"7\", on \"pay\" (Internal, trace ";
    assert!(wrong[0].starts_with(start), "{wrong:#?}");
    let tags = [
        "  order.id=7",
        "  order.amount=2.0",
        "  payment.method=\"card\\n\"",
        "  order.lines=[\"a\",\"b\"]",
    ];
    assert_eq!(wrong[1..], tags);
    let missing = message("order.note", "none");
    let start = "there is no order.note, expected \"none\", on \"pay\"";
    assert!(missing[0].starts_with(start), "{missing:#?}");
    assert_eq!(missing[1..], tags);
}

#[traced]
fn fails() {
    biztrace::current().record_error(&std::fmt::Error);
}

#[test]
fn remote_sampler_keeps_to_its_initial_rate() {
    for (rate, spans) in [(0.0, 0), (1.0, 1)] {
        let remote = JaegerRemote::new("http://localhost:14250").initial_sampling_rate(rate);
        let settings = Telemetry::builder().sampler(remote);
        let capture = Capture::with(settings);
        capture.scope_sync(fails);
        assert_eq!(capture.spans().len(), spans, "at a rate of {rate}");
    }
}

#[test]
fn errors_are_recorded_as_the_settings_say() {
    for (signal, events) in [
        (ExceptionSignal::SpanEvents, &["exception"][..]),
        (ExceptionSignal::Logs, &[]),
    ] {
        let capture = Capture::with(Telemetry::builder().exceptions(signal));
        capture.scope_sync(fails);
        let recorded: Vec<_> = capture.span("fails").events().map(str::to_owned).collect();
        assert_eq!(recorded, events, "{signal:?}");
    }
}

#[actix_web::test]
async fn context_is_read_in_the_formats_that_the_settings_name() {
    let capture = Capture::with(Telemetry::builder().propagators([Propagator::B3]));
    let tracing = RequestTracing::default().tracer_provider(capture.tracer_provider());
    let route = web::get().to(|| async { "hello" });
    let app = init_service(App::new().wrap(tracing).route("/", route)).await;
    let request = TestRequest::get()
        .insert_header(("b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"))
        .peer_addr("127.0.0.1:4000".parse().unwrap());
    call_and_read_body(&app, request.to_request()).await;
    let server = capture.span("GET /");
    assert_eq!(
        server.trace_id().to_string(),
        "0af7651916cd43dd8448eb211c80319c"
    );
}
