//! Requests have ids, which their answers, their spans and their logs tell, and the ids of their traces.

use std::net::SocketAddr;
use std::sync::Mutex;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderMap;
use actix_web::middleware::{Logger, Next, from_fn};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, Error, HttpResponse, error, get, web};
use behaviour::{Instance, Service, TRACEPARENT, eventually};
use biztrace::actix::{self, RequestId, RequestTracing, Trust};
use biztrace::current;
use biztrace::settings::Sampler;
use reqwest::Method;

#[get("/id")]
async fn tells(id: RequestId) -> String {
    id.to_string()
}

#[get("/optional")]
async fn optional(id: Option<RequestId>) -> String {
    id.is_some().to_string()
}

#[get("/health")]
async fn health(id: RequestId) -> String {
    id.to_string()
}

#[get("/other")]
async fn sets_another() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("x-request-id", "other"))
        .finish()
}

#[get("/fails")]
async fn fails() -> Result<String, Error> {
    Err(error::ErrorImATeapot("no"))
}

async fn forbid(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    match request.path() {
        "/forbidden" => Err(error::ErrorForbidden("no")),
        _ => next.call(request).await,
    }
}

fn routes(config: &mut web::ServiceConfig) {
    config.service((tells, optional, health, sets_another, fails, logged));
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let mut lines = headers.get_all(name);
    let line = lines
        .next()
        .unwrap_or_else(|| panic!("{name} in {headers:?}"));
    assert!(lines.next().is_none(), "{name} once in {headers:?}");
    line.to_str().unwrap()
}

fn is_fresh(id: &str) -> bool {
    id.len() == 32
        && id
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Sends `lines` from `peer` to `/id`: the id in the answer, which the handler and the span have too.
async fn answered(
    peer: &str,
    lines: &[&str],
    tracing: impl FnOnce(RequestTracing) -> RequestTracing,
) -> String {
    let instance = Instance::default();
    let app = App::new()
        .configure(routes)
        .wrap(tracing(instance.tracing().request_id()));
    let app = init_service(app).await;
    let request = TestRequest::get()
        .uri("/id")
        .peer_addr(peer.parse::<SocketAddr>().unwrap());
    let request = lines.iter().fold(request, |request, line| {
        request.append_header(("x-request-id", *line))
    });
    let response = call_service(&app, request.to_request()).await;
    let id = header(response.headers(), "x-request-id").to_owned();
    assert_eq!(read_body(response).await, id);
    let spans = instance.spans(1).await;
    assert_eq!(spans.server().tag("request.id"), Some(id.clone().into()));
    id
}

#[actix_web::test]
async fn a_trusted_callers_id_is_taken_if_it_is_one() {
    let near = "127.0.0.1:1";
    for id in [
        "7",
        "0af76519-16cd-43dd-8448-eb211c80319c",
        "host.example/Ab_1-000001",
        &"x".repeat(128),
    ] {
        assert_eq!(answered(near, &[id], |tracing| tracing).await, id);
    }
    for lines in [
        &[] as &[&str],
        &[""],
        &["a b"],
        &["a\"b"],
        &["a,b"],
        &["<script>"],
        &["%0a"],
        &["é"],
        &[&"x".repeat(129)],
        &["a", "b"],
    ] {
        let id = answered(near, lines, |tracing| tracing).await;
        assert!(is_fresh(&id), "{lines:?}: {id:?}");
    }
}

#[actix_web::test]
async fn the_id_of_a_caller_who_is_not_trusted_is_made_anew() {
    let far = "203.0.113.9:1";
    assert!(is_fresh(&answered(far, &["7"], |tracing| tracing).await));
    assert!(is_fresh(
        &answered("127.0.0.1:1", &["7"], |tracing| tracing
            .trust(Trust::nobody()))
        .await
    ));
    assert_eq!(
        answered(far, &["7"], |tracing| tracing.trust(Trust::all())).await,
        "7"
    );
}

#[actix_web::test]
async fn every_answer_tells_the_id() {
    let service = Service::start(|tracing| {
        let tracing = tracing.request_id().trace_id_header();
        App::new()
            .configure(routes)
            .wrap(from_fn(forbid))
            .wrap(tracing)
    });
    for (path, status) in [
        ("/other", 200),
        ("/fails", 418),
        ("/forbidden", 403),
        ("/missing", 404),
        ("/health", 200),
    ] {
        let request = service
            .request(Method::GET, path)
            .header("x-request-id", "7");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.headers()["x-request-id"], "7", "{path}");
        assert!(
            is_fresh(response.headers()["x-trace-id"].to_str().unwrap()),
            "{path}"
        );
    }
    // The last is skipped.
    let spans = service.spans(4).await;
    assert!(
        spans
            .iter()
            .all(|span| span.tag("request.id") == Some("7".into()))
    );
}

#[actix_web::test]
async fn a_request_that_is_not_recorded_has_an_id() {
    let unsampled = Instance::new(|settings| settings.sampler(Sampler::always_off()));
    for tracing in [unsampled.tracing(), RequestTracing::default()] {
        let app = App::new()
            .configure(routes)
            .wrap(tracing.request_id().trace_response());
        let app = init_service(app).await;
        let request = TestRequest::get()
            .uri("/id")
            .insert_header(("x-request-id", "7"));
        let response = call_service(&app, request.to_request()).await;
        assert_eq!(header(response.headers(), "x-request-id"), "7");
        if let Some(told) = response.headers().get("traceresponse") {
            assert!(
                told.to_str().unwrap().ends_with("-02"),
                "not sampled, and random: {told:?}"
            );
        }
        assert_eq!(read_body(response).await, "7");
    }
}

#[actix_web::test]
async fn request_id_is_absent_without_the_option() {
    let instance = Instance::default();
    let app = init_service(App::new().configure(routes).wrap(instance.tracing())).await;
    let response = call_service(&app, TestRequest::get().uri("/optional").to_request()).await;
    for name in ["x-request-id", "x-trace-id", "traceresponse"] {
        assert!(!response.headers().contains_key(name), "{name}");
    }
    assert_eq!(read_body(response).await, "false");
    let response = call_service(&app, TestRequest::get().uri("/id").to_request()).await;
    assert_eq!(response.status(), 500);
    drop(response);
    assert_eq!(instance.spans(2).await[0].tag("request.id"), None);
}

#[actix_web::test]
async fn outermost_of_several_layers_gives_the_request_id() {
    let service = Service::start(|tracing| {
        let public = tracing.clone().trust(Trust::nobody()).request_id();
        let inner = web::scope("/inner").wrap(public.clone()).service(tells);
        let both = web::scope("/both")
            .wrap(public)
            .wrap(tracing.clone().request_id())
            .service(tells);
        App::new().service(inner).service(both).wrap(tracing)
    });
    for (path, is_taken) in [("/inner/id", false), ("/both/id", true)] {
        let request = service
            .request(Method::GET, path)
            .header("x-request-id", "7");
        let response = request.send().await.unwrap();
        let id = response.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned();
        assert_eq!(id == "7", is_taken, "{path}");
        assert_eq!(response.text().await.unwrap(), id);
    }
    let spans = service.spans(2).await;
    assert_eq!(
        spans.named("GET /both/id").tag("request.id"),
        Some("7".into())
    );
    assert!(spans.named("GET /inner/id").tag("request.id").is_some());
}

#[actix_web::test]
async fn callers_are_told_their_span() {
    let service = Service::start(|tracing| {
        App::new()
            .configure(routes)
            .wrap(tracing.trace_response().trace_id_header())
    });
    let request = service
        .request(Method::GET, "/optional")
        .header("traceparent", TRACEPARENT);
    let response = request.send().await.unwrap();
    let told = response.headers()["traceresponse"]
        .to_str()
        .unwrap()
        .to_owned();
    let trace_id = response.headers()["x-trace-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let spans = service.spans(1).await;
    let (trace, span) = (spans.server().trace(), spans.server().id());
    assert_eq!(told, format!("00-{trace}-{span}-01"));
    assert_eq!(trace_id, trace);
}

/// What `Logger` has written, as its target and text.
static LINES: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

struct Lines;

impl log::Log for Lines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = (record.target().to_owned(), record.args().to_string());
        LINES.lock().unwrap().push(line);
    }

    fn flush(&self) {}
}

fn line_of(target: &str) -> Option<String> {
    let lines = LINES.lock().unwrap();
    let (_, line) = lines.iter().find(|(other, _)| other == target)?;
    Some(line.clone())
}

#[get("/logged")]
async fn logged() -> String {
    current().trace_id().unwrap().to_string()
}

fn logger(target: &'static str) -> Logger {
    Logger::new("%{trace_id}xo %{request_id}xo")
        .custom_response_replace("trace_id", actix::trace_id)
        .custom_response_replace("request_id", actix::request_id)
        .log_target(target)
}

#[actix_web::test]
async fn loggers_on_both_sides_know_the_ids() {
    // The only test here that logs.
    log::set_logger(&Lines).unwrap();
    log::set_max_level(log::LevelFilter::Info);
    let service = Service::start(|tracing| {
        App::new()
            .service(
                web::scope("/ids")
                    .wrap(logger("inside"))
                    .wrap(tracing.clone().request_id())
                    .wrap(logger("outside"))
                    .service(logged),
            )
            .service(
                web::scope("/plain")
                    .wrap(logger("plain inside"))
                    .wrap(tracing)
                    .wrap(logger("plain outside"))
                    .service(logged),
            )
    });
    let request = service
        .request(Method::GET, "/ids/logged")
        .header("x-request-id", "7");
    let trace_id = request.send().await.unwrap().text().await.unwrap();
    let (_, plain_trace_id) = service.get("/plain/logged").await;
    for (target, expected) in [
        ("inside", format!("{trace_id} 7")),
        ("outside", format!("{trace_id} 7")),
        ("plain inside", format!("{plain_trace_id} -")),
        ("plain outside", "- -".to_owned()),
    ] {
        eventually(target, || line_of(target).is_some()).await;
        assert_eq!(line_of(target), Some(expected), "{target}");
    }
}
