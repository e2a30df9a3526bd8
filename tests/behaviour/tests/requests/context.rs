//! Whose trace a request belongs to, and which requests make no trace at all.

use std::collections::HashMap;

use actix_web::{App, get, web};
use behaviour::{Instance, Service, TRACEPARENT, is_child};
use biztrace::opentelemetry::propagation::TextMapPropagator;
use biztrace::settings::{Propagator, Sampler};
use biztrace::{biz_attrs, traced, traced_handler};
use futures_util::future::join_all;
use opentelemetry::Context;

/// Answers with what a client called from here would send.
#[get("/outbound")]
#[traced_handler]
async fn calls_out() -> String {
    let mut headers = HashMap::new();
    inner(|| Propagator::TraceContext.inject_context(&Context::current(), &mut headers));
    headers.remove("traceparent").unwrap_or_default()
}

#[traced]
fn inner(f: impl FnOnce()) {
    f();
}

#[get("/health")]
async fn health() -> &'static str {
    inner(|| {});
    "well"
}

fn routes(config: &mut web::ServiceConfig) {
    config.service((calls_out, health, turns));
}

/// Comes and goes between other requests, with a child each time.
#[get("/turns/{number}")]
#[traced_handler]
#[biz_attrs(app.number = *number)]
async fn turns(number: web::Path<u64>) -> String {
    for _ in 0..3 {
        tokio::task::yield_now().await;
        numbered(*number).await;
    }
    number.to_string()
}

#[traced(attrs(app.number = number))]
async fn numbered(number: u64) {
    tokio::task::yield_now().await;
}

fn service(instance: Instance) -> Service {
    Service::recording_to(instance, |tracing| {
        App::new().wrap(tracing).configure(routes)
    })
}

fn ids(traceparent: &str) -> Vec<&str> {
    traceparent.split('-').collect()
}

#[actix_web::test]
async fn a_request_goes_on_with_its_callers_trace() {
    let service = service(Instance::default());
    let (_, outbound) = service.get_traced("/outbound", TRACEPARENT).await;
    let spans = service.spans(2).await;
    let (server, inner) = (spans.server(), spans.named("inner"));
    assert_eq!(server.trace(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(server.parent(), "b7ad6b7169203331");
    assert!(server.has_remote_parent() && !inner.has_remote_parent());
    assert!(is_child(inner, server));

    let inner_id = inner.id();
    assert_eq!(
        ids(&outbound)[1..],
        ["0af7651916cd43dd8448eb211c80319c", &*inner_id, "01"]
    );
}

#[actix_web::test]
async fn the_callers_tracestate_and_random_flag_are_passed_on() {
    let service = service(Instance::default());
    let request = service.request(reqwest::Method::GET, "/outbound");
    let request = request.header("traceparent", TRACEPARENT.replace("-01", "-03"));
    let answer = request
        .header("tracestate", "a=1")
        .header("tracestate", "b=2")
        .send()
        .await
        .unwrap();
    assert!(answer.text().await.unwrap().ends_with("-03"));
    let spans = service.spans(2).await;
    for span in spans.iter() {
        assert_eq!(
            (span.trace_state.as_str(), span.flags & 0xff),
            ("a=1,b=2", 3),
            "{}",
            span.name
        );
    }
}

#[actix_web::test]
async fn a_trace_that_its_caller_does_not_record_is_not_recorded_here() {
    let service = service(Instance::default());
    let (status, outbound) = service
        .get_traced("/outbound", &TRACEPARENT.replace("-01", "-00"))
        .await;
    assert_eq!(status, 200);
    let ids = ids(&outbound);
    assert_eq!((ids[1], ids[3]), ("0af7651916cd43dd8448eb211c80319c", "00"));
    service.get("/outbound").await;
    let spans = service.spans(2).await;
    assert_ne!(spans.server().trace(), "0af7651916cd43dd8448eb211c80319c");
}

#[actix_web::test]
async fn a_sampler_that_keeps_nothing_leaves_an_unsampled_context() {
    let service = service(Instance::new(|settings| {
        settings.sampler(Sampler::always_off())
    }));
    for traceparent in [TRACEPARENT, ""] {
        let (_, outbound) = service.get_traced("/outbound", traceparent).await;
        assert!(
            outbound.ends_with("-00") || outbound.ends_with("-02"),
            "{outbound}"
        );
    }
    service.spans(0).await;
}

#[actix_web::test]
async fn a_malformed_traceparent_begins_a_new_trace() {
    let cases: [(&str, &[&str]); 9] = [
        ("nonsense", &["hello"]),
        ("empty", &[""]),
        (
            "version ff",
            &["ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
        ),
        (
            "upper case",
            &["00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01"],
        ),
        (
            "zero trace id",
            &["00-00000000000000000000000000000000-b7ad6b7169203331-01"],
        ),
        (
            "zero span id",
            &["00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"],
        ),
        (
            "too long",
            &["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-"],
        ),
        (
            "short",
            &["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"],
        ),
        ("twice", &[TRACEPARENT, TRACEPARENT]),
    ];
    let service = service(Instance::default());
    for (case, lines) in cases {
        let mut request = service
            .request(reqwest::Method::GET, "/outbound")
            .header("tracestate", "a=1");
        for line in lines {
            request = request.header("traceparent", *line);
        }
        assert_eq!(request.send().await.unwrap().status(), 200, "{case}");
    }
    let spans = service.spans(2 * cases.len() as u64).await;
    for span in spans.iter() {
        assert_ne!(span.trace(), "0af7651916cd43dd8448eb211c80319c");
        assert!(!span.has_remote_parent() && span.trace_state.is_empty());
        assert_eq!(span.parent_span_id.is_empty(), span.name != "inner");
    }
}

#[actix_web::test]
async fn probes_of_machines_make_no_span_nor_does_what_they_call() {
    let service = service(Instance::default());
    for path in ["/health", "/healthz", "/livez", "/readyz", "/metrics"] {
        service.get_traced(path, TRACEPARENT).await;
    }
    assert_eq!(service.get("/health").await, (200, "well".into()));
    service.get("/health/7").await;
    let spans = service.spans(1).await;
    assert_eq!(
        spans[0].tag("url.path"),
        Some("/health/7".into()),
        "only the very paths are skipped"
    );
}

#[actix_web::test]
async fn a_skip_filter_of_ones_own_replaces_the_list() {
    let service = Service::start(|tracing| {
        let tracing = tracing.skip(|request| request.headers().contains_key("x-quiet"));
        App::new().wrap(tracing).configure(routes)
    });
    let quiet = service
        .request(reqwest::Method::GET, "/outbound")
        .header("x-quiet", "1")
        .send()
        .await
        .unwrap();
    assert!(
        quiet.text().await.unwrap().ends_with("-02"),
        "what is called from there is told not to record"
    );
    service.get("/health").await;
    let spans = service.spans(2).await;
    assert_eq!(spans.server().name, "GET /health");
    assert!(is_child(spans.named("inner"), spans.server()));
}

#[actix_web::test]
async fn requests_served_at_once_keep_their_spans_apart() {
    let service = service(Instance::default());
    let paths: Vec<_> = (0..50).map(|number| format!("/turns/{number}")).collect();
    let answers = join_all(paths.iter().map(|path| service.get(path))).await;
    assert!(answers.iter().all(|(status, _)| *status == 200));
    let spans = service.spans(50 * 4).await;
    for server in spans.iter().filter(|span| span.parent_span_id.is_empty()) {
        let children: Vec<_> = spans.iter().filter(|span| is_child(span, server)).collect();
        assert_eq!(children.len(), 3);
        assert!(
            children
                .iter()
                .all(|child| child.tag("app.number") == server.tag("app.number"))
        );
    }
}
