//! What is sent to Zipkin, and what becomes of it, over a real socket.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use biztrace::Telemetry;
use biztrace::report::DropReason;
use faults::{Fault, Receiver};
use opentelemetry::trace::{Span, SpanKind, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use serde_json::Value;

fn telemetry(endpoint: &str) -> Telemetry {
    Telemetry::builder()
        .service("orders", "1.2.0")
        .zipkin(endpoint)
        .export_timeout(Duration::from_millis(1500))
        .build()
        .unwrap()
}

#[test]
fn spans_are_posted_as_zipkin_has_them() {
    let receiver = Receiver::new([Fault::None]);
    let telemetry = telemetry(&format!("{}/api/v2/spans", receiver.url()));
    let tracer = telemetry.tracer_provider().tracer("service");
    let parent = tracer.start("parent");
    let context = Context::new().with_span(parent);
    let mut child = tracer
        .span_builder("child")
        .with_kind(SpanKind::Client)
        .start_with_context(&tracer, &context);
    child.set_attribute(KeyValue::new("server.address", "stock"));
    child.end();
    context.span().end();
    let report = telemetry.shutdown_blocking();
    assert_eq!((report.delivered, report.recorded), (2, 2), "{report}");

    let request = &receiver.received()[0];
    let has = |line: &str| request.head.iter().any(|it| it == line);
    assert!(has("POST /api/v2/spans HTTP/1.1"), "{:?}", request.head);
    assert!(has("content-type: application/json"), "{:?}", request.head);
    let spans: Vec<Value> = serde_json::from_slice(&request.body).unwrap();
    let named = |name: &str| spans.iter().find(|span| span["name"] == name).unwrap();
    let (parent, child) = (named("parent"), named("child"));
    assert_eq!(child["parentId"], parent["id"]);
    assert_eq!(child["traceId"], parent["traceId"]);
    assert!(parent.get("parentId").is_none(), "{parent}");
    assert_eq!(child["kind"], "CLIENT");
    assert_eq!(child["localEndpoint"]["serviceName"], "orders");
    assert_eq!(child["remoteEndpoint"]["serviceName"], "stock");
    assert_eq!(child["tags"]["service.version"], "1.2.0");
}

/// `docs/faults.md` has a row for each.
#[test]
fn each_fault_of_zipkin_is_accounted_for() {
    let guide = include_str!("../../../docs/faults.md");
    let page = "content-type: text/html\r\n";
    let (more, endless) = (vec![b' '; 1024 * 1024], Fault::NeverEnds(202));
    for (fault, script, reason, requests) in [
        ("503 once", vec![Fault::Status(503), Fault::None], None, 2),
        (
            "404",
            vec![Fault::Status(404)],
            Some(DropReason::Refused),
            1,
        ),
        (
            "200, with a page",
            vec![Fault::Says(200, page, vec![b' '])],
            Some(DropReason::Unknown),
            1,
        ),
        (
            "202, with a body of whatever kind and size",
            vec![Fault::Says(202, "", more)],
            None,
            1,
        ),
        ("202, with a body that never ends", vec![endless], None, 1),
        (
            "hangs up midway in the request, once",
            vec![Fault::BreaksRequest, Fault::None],
            None,
            1,
        ),
    ] {
        let receiver = Receiver::new(script);
        let telemetry = telemetry(&format!("{}/api/v2/spans", receiver.url()));
        telemetry
            .tracer_provider()
            .tracer("service")
            .start("span")
            .end();
        let report = telemetry.shutdown_blocking();
        let dropped = reason.map_or(0, |reason| report.dropped.get(reason));
        assert_eq!(
            (report.delivered, dropped, receiver.received().len()),
            (
                u64::from(reason.is_none()),
                u64::from(reason.is_some()),
                requests
            ),
            "{fault}: {report}"
        );
        let (kept, reason) = (
            if reason.is_some() { "none" } else { "all" },
            reason.map_or("", DropReason::as_str),
        );
        let documented = format!("| {fault} | {kept} | {reason} |");
        assert!(
            guide.contains(&documented),
            "docs/faults.md lacks: {documented}"
        );
    }
}

#[test]
fn an_endpoint_that_cannot_be_is_an_error_with_one_that_can() {
    let error = Telemetry::builder().zipkin("zipkin:9411/api/v2/spans");
    let error = error.build().unwrap_err().to_string();
    assert!(error.contains("it has no scheme"), "{error}");
    assert!(
        error.contains("for example, http://localhost:9411/api/v2/spans"),
        "{error}"
    );
}
