//! Context comes in and goes out in the formats that are asked for.

use std::collections::HashMap;

use actix_web::{App, HttpRequest, get, web};
use behaviour::{Instance, Service, TRACEPARENT};
use biztrace::settings::Propagator;
use biztrace::{traced, traced_handler};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use reqwest::Method;

const B3: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-d";

/// Answers with what a client called from here would send.
#[get("/outbound")]
#[traced_handler]
async fn calls_out(_request: HttpRequest) -> web::Json<HashMap<String, String>> {
    web::Json(headers().await)
}

#[traced]
async fn headers() -> HashMap<String, String> {
    tokio::task::yield_now().await;
    let mut headers = HashMap::new();
    for propagator in [Propagator::B3, Propagator::Jaeger, Propagator::Baggage] {
        propagator.inject_context(&Context::current(), &mut headers);
    }
    headers
}

fn service(propagators: &'static [Propagator]) -> Service {
    let propagators = propagators.iter().copied();
    let instance = Instance::new(|settings| settings.propagators(propagators));
    Service::recording_to(instance, |tracing| {
        App::new().wrap(tracing).service(calls_out)
    })
}

async fn outbound(service: &Service, inbound: &[(&str, &str)]) -> HashMap<String, String> {
    let mut request = service.request(Method::GET, "/outbound");
    for (name, value) in inbound {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

#[actix_web::test]
async fn a_caller_that_debugs_is_told_on_with_its_baggage() {
    let service = service(&[Propagator::B3, Propagator::Baggage]);
    let inbound = [("b3", B3), ("baggage", "user.id=7")];
    let outbound = outbound(&service, &inbound).await;
    let spans = service.spans(2).await;
    let (server, inner) = (spans.server(), spans.named("headers"));
    assert_eq!(server.trace(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(server.parent(), "b7ad6b7169203331");
    let (trace, span) = (server.trace(), inner.id());
    assert_eq!(outbound["b3"], format!("{trace}-{span}-d"));
    assert_eq!(outbound["uber-trace-id"], format!("{trace}:{span}:0:3"));
    assert_eq!(outbound["baggage"], "user.id=7");
}

#[actix_web::test]
async fn what_is_not_asked_for_is_not_read() {
    let service = service(&[Propagator::TraceContext]);
    let inbound = [("b3", B3), ("baggage", "user.id=7")];
    let outbound = outbound(&service, &inbound).await;
    let spans = service.spans(2).await;
    assert_ne!(spans.server().trace(), "0af7651916cd43dd8448eb211c80319c");
    assert!(!outbound.contains_key("baggage"), "{outbound:?}");
}

#[actix_web::test]
async fn without_propagators_each_trace_begins_here() {
    let service = service(&[]);
    outbound(&service, &[("traceparent", TRACEPARENT)]).await;
    let spans = service.spans(2).await;
    assert_eq!(spans.server().parent(), "");
}

#[actix_web::test]
async fn next_request_has_no_context_of_the_last() {
    let service = service(&[Propagator::B3, Propagator::Baggage]);
    for _ in 0..4 {
        outbound(&service, &[("b3", B3), ("baggage", "user.id=7")]).await;
        let second = outbound(&service, &[]).await;
        assert!(second["b3"].ends_with("-1"), "{second:?}");
        assert!(!second.contains_key("baggage"), "{second:?}");
    }
}

#[actix_web::test]
async fn propagators_of_others_are_read_after_ours() {
    let instance = Instance::new(|settings| {
        settings
            .propagators([Propagator::B3])
            .propagator(Propagator::Jaeger)
    });
    let service = Service::recording_to(instance, |tracing| {
        App::new().wrap(tracing).service(calls_out)
    });
    let jaeger = "aa:b7ad6b7169203331:0:1";
    outbound(&service, &[("b3", B3), ("uber-trace-id", jaeger)]).await;
    let spans = service.spans(2).await;
    assert!(spans.server().trace().ends_with("00aa"));
    assert_eq!(spans.server().parent(), "b7ad6b7169203331");
}
