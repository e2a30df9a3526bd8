//! The instance that serves the whole process: what finds it by itself, and what handlers do without the middleware.
//!
//! All tests here share it, and tell their spans apart by the trace that they send along or by name.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use actix_web::{App, Error, HttpRequest, error, get, web};
use behaviour::{Receiver, Service, Span, Spans, eventually, is_child};
use biztrace::actix::RequestTracing;
use biztrace::{Telemetry, biz_attrs, traced, traced_handler};
use opentelemetry::trace::Tracer as _;
use opentelemetry::{Context, global};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

/// Where the spans of the whole process arrive.
fn receiver() -> &'static Receiver {
    static RECEIVER: OnceLock<Receiver> = OnceLock::new();
    RECEIVER.get_or_init(|| {
        let receiver = Receiver::default();
        let builder = Telemetry::builder()
            .service("installed", "1")
            .otlp(receiver.url());
        let installed = builder.schedule_delay(Duration::from_millis(10)).install();
        let _kept = installed.expect("the first to be installed");
        receiver
    })
}

/// The spans that `wanted` picks, once there are `count` of them.
async fn arrived(count: usize, wanted: impl Fn(&Span) -> bool) -> Spans {
    let pick = || {
        receiver()
            .spans()
            .iter()
            .filter(|span| wanted(span))
            .cloned()
            .collect::<Spans>()
    };
    eventually(&format!("{count} spans"), || pick().len() >= count).await;
    let spans = pick();
    assert_eq!(spans.len(), count);
    spans
}

/// The spans of the trace with that number.
async fn trace(number: u32, count: usize) -> Spans {
    arrived(count, |span| span.trace() == format!("{number:032x}")).await
}

fn traceparent(number: u32) -> String {
    format!("00-{number:032x}-00f067aa0ba902b7-01")
}

#[get("/calls-out")]
#[traced_handler]
async fn calls_out() -> String {
    global::tracer("a library").in_span("call", |cx| {
        let mut headers = HashMap::new();
        global::get_text_map_propagator(|propagator| propagator.inject_context(&cx, &mut headers));
        headers.remove("traceparent").unwrap_or_default()
    })
}

#[get("/orders/{id}")]
#[traced_handler]
#[biz_attrs(order.id = *id, tenant.id = header("x-tenant-id"))]
async fn with_request(id: web::Path<u64>, request: HttpRequest) -> Result<String, Error> {
    step().await;
    match request.query_string() {
        "fail" => Err(error::ErrorBadGateway("secret details")),
        _ => Ok(id.to_string()),
    }
}

#[get("/carts/{id}")]
#[traced_handler]
#[biz_attrs(cart.id = *id, tenant.id = header("x-tenant-id"))]
async fn without_request(id: web::Path<u64>) -> String {
    id.to_string()
}

#[traced]
async fn step() {}

fn traced_service() -> Service {
    receiver();
    Service::start(|_| {
        App::new()
            .wrap(RequestTracing::default())
            .service((calls_out, with_request))
    })
}

fn bare_service() -> Service {
    receiver();
    Service::start(|_| App::new().service((with_request, without_request)))
}

#[actix_web::test]
async fn a_second_instance_is_refused() {
    receiver();
    let error = Telemetry::builder()
        .otlp("http://127.0.0.1:9")
        .install()
        .expect_err("there is one");
    assert!(
        matches!(error, biztrace::Error::AlreadyInstalled),
        "{error}"
    );
    let error = biztrace::init().expect_err("there is one");
    assert!(error.to_string().contains("installed already"), "{error}");
    global::tracer("a library").start("still the first");
    arrived(1, |span| span.name == "still the first").await;
}

#[actix_web::test]
async fn middleware_and_libraries_find_it() {
    let (status, outbound) = traced_service()
        .get_traced("/calls-out", &traceparent(1))
        .await;
    assert_eq!(status, 200);
    let spans = trace(1, 2).await;
    let (server, call) = (spans.server(), spans.named("call"));
    assert!(is_child(call, server));
    assert_eq!((&*server.scope, &*call.scope), ("biztrace", "a library"));
    let id = call.id();
    assert_eq!(
        outbound,
        format!("00-{:032x}-{id}-01", 1),
        "the global propagator is ours"
    );
}

#[actix_web::test]
async fn the_global_propagator_reads_what_it_writes() {
    receiver();
    let headers = HashMap::from([("traceparent".to_owned(), traceparent(2))]);
    let cx = global::get_text_map_propagator(|propagator| {
        propagator.extract_with_context(&Context::new(), &headers)
    });
    global::tracer("a library").start_with_context("extracted", &cx);
    let spans = trace(2, 1).await;
    assert!(spans.named("extracted").has_remote_parent());
    assert_eq!(spans[0].parent(), "00f067aa0ba902b7");
}

#[actix_web::test]
async fn a_function_outside_of_any_span_begins_a_trace() {
    #[traced]
    async fn on_its_own() {
        step().await;
    }
    receiver();
    on_its_own().await;
    let root = arrived(1, |span| span.name == "on_its_own").await[0].clone();
    assert!(root.parent_span_id.is_empty());
    arrived(1, |span| span.name == "step" && is_child(span, &root)).await;
}

#[actix_web::test]
async fn handler_with_its_request_opens_a_server_span_itself() {
    let service = bare_service();
    let request = service.request(reqwest::Method::GET, "/orders/7?page=2");
    let request = request
        .header("traceparent", traceparent(3))
        .header("x-tenant-id", "acme");
    assert_eq!(request.send().await.unwrap().text().await.unwrap(), "7");
    let spans = trace(3, 2).await;
    let server = spans.server();
    assert_eq!(
        (&*server.name, server.parent()),
        ("GET /orders/{id}", "00f067aa0ba902b7".into())
    );
    assert!(server.has_remote_parent() && is_child(spans.named("step"), server));
    let expected: [(&str, opentelemetry::Value); 6] = [
        ("http.request.method", "GET".into()),
        ("http.route", "/orders/{id}".into()),
        ("url.path", "/orders/7".into()),
        ("code.function.name", "installed::with_request".into()),
        ("order.id", 7.into()),
        ("tenant.id", "acme".into()),
    ];
    for (key, value) in expected {
        assert_eq!(server.tag(key), Some(value), "{key}");
    }
}

#[actix_web::test]
async fn without_middleware_a_handlers_error_is_the_spans() {
    let service = bare_service();
    assert_eq!(
        service
            .get_traced("/orders/7?fail", &traceparent(4))
            .await
            .0,
        502
    );
    let spans = trace(4, 2).await;
    assert_eq!(spans.server().outcome(), (StatusCode::Error, ""));
    assert!(spans.server().tag("error.type").is_some());
}

#[actix_web::test]
async fn handler_without_its_request_opens_an_internal_span() {
    let service = bare_service();
    let request = service
        .request(reqwest::Method::GET, "/carts/5")
        .header("x-tenant-id", "acme");
    assert_eq!(
        request
            .header("traceparent", traceparent(5))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let spans = arrived(1, |span| span.tag("cart.id") == Some(5.into())).await;
    let span = spans.named("without_request");
    assert_eq!(
        (span.kind(), span.parent()),
        (SpanKind::Internal, String::new())
    );
    assert_eq!(
        span.tag("code.function.name"),
        Some("installed::without_request".into())
    );
    assert_eq!(
        span.tag("tenant.id"),
        None,
        "there is nothing to read it from"
    );
}

#[actix_web::test]
async fn handler_without_middleware_follows_an_unsampled_caller() {
    let service = bare_service();
    let unsampled = traceparent(6).replace("-01", "-00");
    assert_eq!(service.get_traced("/orders/7", &unsampled).await.0, 200);
    assert_eq!(
        service.get_traced("/orders/8", &traceparent(7)).await.0,
        200
    );
    trace(7, 2).await;
    trace(6, 0).await;
    let orphans = receiver()
        .spans()
        .iter()
        .filter(|span| span.name == "step" && span.parent_span_id.is_empty())
        .count();
    assert_eq!(orphans, 0, "what the handler calls is not recorded either");
}

#[actix_web::test]
async fn an_instance_of_ones_own_is_not_the_installed_one() {
    receiver();
    let service = Service::start(|tracing| App::new().wrap(tracing).service(with_request));
    service.get_traced("/orders/7", &traceparent(8)).await;
    service.spans(2).await;
    trace(8, 0).await;
}
