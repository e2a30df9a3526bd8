//! Consistent probability sampling, over a socket: what the spans say, and what goes on to the next service.

use std::collections::HashMap;

use actix_web::{App, HttpRequest, get, web};
use behaviour::{Instance, Service, Span, TRACEPARENT};
use biztrace::settings::{Keep, Propagator, Sampler};
use biztrace::traced_handler;
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use reqwest::Method;

/// Answers with what a client called from here would send.
#[get("/outbound")]
#[traced_handler]
async fn outbound(_request: HttpRequest) -> web::Json<HashMap<String, String>> {
    let mut headers = HashMap::new();
    Propagator::TraceContext.inject_context(&Context::current(), &mut headers);
    web::Json(headers)
}

/// The span of a request with those headers, and what would be sent on.
async fn call(
    sampler: Sampler,
    headers: &[(&str, &str)],
    is_kept: bool,
) -> (Option<Span>, HashMap<String, String>) {
    let instance = Instance::new(|builder| builder.sampler(sampler).keep(Keep::none()));
    let service = Service::recording_to(instance, |tracing| {
        App::new().service(outbound).wrap(tracing)
    });
    let mut request = service.request(Method::GET, "/outbound");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let sent = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let spans = service.spans(u64::from(is_kept)).await;
    (spans.iter().next().cloned(), sent)
}

#[actix_web::test]
async fn a_new_traces_threshold_is_on_its_spans_and_travels() {
    let (span, sent) = call(Sampler::probability(1.0), &[], true).await;
    let span = span.unwrap();
    assert_eq!(span.trace_state, "ot=th:0");
    assert_eq!(span.tag("sampling.reason"), Some("probability".into()));
    assert_eq!(span.tag("sampling.adjusted_count"), Some(1.0.into()));
    assert_eq!(sent["tracestate"], "ot=th:0");
    assert!(sent["traceparent"].ends_with("-03"), "{sent:?}");
}

#[actix_web::test]
async fn what_is_not_kept_travels_without_a_threshold() {
    let (span, sent) = call(Sampler::probability(0.0), &[], false).await;
    assert!(span.is_none());
    assert!(!sent.contains_key("tracestate"), "{sent:?}");
    assert!(sent["traceparent"].ends_with("-02"), "{sent:?}");
}

#[actix_web::test]
async fn a_callers_threshold_holds_here() {
    let state = "a=1,ot=th:c;rv:d0000000000000";
    let headers = [("traceparent", TRACEPARENT), ("tracestate", state)];
    let (span, sent) = call(Sampler::probability(0.001), &headers, true).await;
    let span = span.unwrap();
    assert_eq!(span.trace_state, state);
    assert_eq!(span.tag("sampling.reason"), Some("parent".into()));
    assert_eq!(span.tag("sampling.adjusted_count"), Some(4.0.into()));
    assert_eq!(sent["tracestate"], state);
}

#[actix_web::test]
async fn a_threshold_that_did_not_decide_is_erased() {
    let state = "a=1,ot=th:c;rv:b0000000000000";
    let headers = [("traceparent", TRACEPARENT), ("tracestate", state)];
    let (span, sent) = call(Sampler::probability(0.001), &headers, true).await;
    let span = span.unwrap();
    assert_eq!(span.trace_state, "ot=rv:b0000000000000,a=1");
    assert_eq!(span.tag("sampling.adjusted_count"), None);
    assert_eq!(sent["tracestate"], "ot=rv:b0000000000000,a=1");
}
