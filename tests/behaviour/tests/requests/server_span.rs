//! What the SERVER span of a request says: where it went, and what came of it.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, Error, HttpResponse, ResponseError, error, get, head, post, web};
use behaviour::Service;
use biztrace::actix::RequestTracing;
use biztrace::testing::Capture;
use biztrace::{biz_attrs, traced, traced_handler};
use opentelemetry::Context;
use opentelemetry::trace::{Status, TraceContextExt};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode as SpanStatus;
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[derive(Debug)]
struct Failure(StatusCode);

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "secret details of {}", self.0)
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        self.0
    }
}

#[get("/")]
async fn home() -> &'static str {
    "home"
}

#[get("/orders/{id}")]
async fn order(id: web::Path<u64>) -> String {
    step().await;
    format!("order {id}")
}

#[traced]
async fn step() {}

#[post("/orders/{id}")]
async fn replace(_: web::Path<u64>) -> HttpResponse {
    HttpResponse::NoContent().finish()
}

#[head("/exists")]
async fn exists() -> HttpResponse {
    HttpResponse::Ok().body("never sent")
}

#[get("/empty")]
async fn empty() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[get("/fails/{status}")]
#[traced_handler]
async fn fails(status: web::Path<u16>) -> Result<String, Failure> {
    Err(Failure(
        StatusCode::from_u16(*status).unwrap_or(StatusCode::IM_A_TEAPOT),
    ))
}

#[get("/answers/{status}")]
async fn answers(status: web::Path<u16>) -> HttpResponse {
    HttpResponse::build(StatusCode::from_u16(*status).unwrap_or(StatusCode::IM_A_TEAPOT))
        .body("so be it")
}

async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    match request.path() {
        "/guarded/unauthorized" => Err(error::ErrorUnauthorized("who are you?")),
        "/guarded/broken" => Err(error::ErrorServiceUnavailable("the guard sleeps")),
        _ => next.call(request).await,
    }
}

fn routes(config: &mut web::ServiceConfig) {
    let nested = web::scope("/api").service(web::scope("/v1").service(order).service(fails));
    let guarded = web::scope("/guarded").wrap(from_fn(guard)).service(order);
    let services = (
        home, order, replace, exists, empty, fails, answers, nested, guarded,
    );
    config
        .service(services)
        .service(web::resource("/any").to(|| async { "any" }));
}

#[actix_web::test]
async fn the_span_tells_method_route_and_status() {
    let cases = [
        ("GET", "/", 200, "GET /"),
        ("GET", "/orders/7?page=2", 200, "GET /orders/{id}"),
        ("POST", "/orders/7", 204, "POST /orders/{id}"),
        ("HEAD", "/exists", 200, "HEAD /exists"),
        ("GET", "/empty", 200, "GET /empty"),
        ("GET", "/api/v1/orders/7", 200, "GET /api/v1/orders/{id}"),
        ("GET", "/nowhere/7", 404, "GET"),
        ("GET", "/orders/seven", 404, "GET /orders/{id}"),
        ("BREW", "/any", 200, "HTTP /any"),
        ("get", "/any", 200, "HTTP /any"),
        ("GET", "/fails/409", 409, "GET /fails/{status}"),
        ("GET", "/fails/500", 500, "GET /fails/{status}"),
        ("GET", "/answers/404", 404, "GET /answers/{status}"),
        ("GET", "/answers/503", 503, "GET /answers/{status}"),
        ("GET", "/guarded/orders/7", 200, "GET /guarded/orders/{id}"),
        ("GET", "/guarded/unauthorized", 401, "GET"),
        ("GET", "/guarded/broken", 503, "GET"),
    ];
    for (method, path, status, name) in cases {
        let case = format!("{method} {path}");
        let service = Service::start(|tracing| App::new().wrap(tracing).configure(routes));
        let request = service.request(Method::from_bytes(method.as_bytes()).unwrap(), path);
        assert_eq!(request.send().await.unwrap().status(), status, "{case}");

        let children = u64::from(path.contains("/orders/7") && method == "GET");
        let spans = service.spans(1 + children).await;
        let span = spans.server();
        let route = name.split_once(' ').map(|(_, route)| route.into());
        assert_eq!(
            (&*span.name, span.tag("http.route")),
            (name, route),
            "{case}"
        );
        let sent = span.tag("http.response.status_code");
        assert_eq!(sent, Some(i64::from(status).into()), "{case}");
        let (outcome, error_type) = match status {
            500.. => (SpanStatus::Error, Some(status.to_string().into())),
            _ => (SpanStatus::Unset, None),
        };
        assert_eq!(span.outcome(), (outcome, ""), "{case}");
        assert_eq!(span.tag("error.type"), error_type, "{case}");
        assert_eq!(
            span.tag("biztrace.outcome"),
            None,
            "{case}: it has ended as it should"
        );
        assert!(
            !format!("{span:?}").contains("secret details"),
            "{case}: nobody asked for them"
        );
    }
}

#[actix_web::test]
async fn the_span_describes_the_request_in_types_of_its_own() {
    let service = Service::start(|tracing| App::new().wrap(tracing).configure(routes));
    let request = service.request(Method::GET, "/orders/7?token=x");
    request
        .header("user-agent", "behaviour/1")
        .send()
        .await
        .unwrap();
    let spans = service.spans(2).await;
    let span = spans.server();
    let expected: [(&str, opentelemetry::Value); 7] = [
        ("http.request.method", "GET".into()),
        ("url.path", "/orders/7".into()),
        ("url.scheme", "http".into()),
        ("server.address", "127.0.0.1".into()),
        ("network.protocol.version", "1.1".into()),
        ("user_agent.original", "behaviour/1".into()),
        ("http.response.status_code", 200.into()),
    ];
    for (key, value) in expected {
        assert_eq!(span.tag(key), Some(value), "{key}");
    }
    let reason = span.tag("sampling.reason");
    assert_eq!(reason, None, "every trace is kept");
    assert!(matches!(
        span.tag("server.port"),
        Some(opentelemetry::Value::I64(1..=65535))
    ));
    assert_eq!(
        (span.kind(), span.scope.as_str()),
        (SpanKind::Server, "biztrace")
    );
    assert!(span.parent_span_id.is_empty() && !span.has_remote_parent());
    assert!(span.start_time_unix_nano > 0 && span.end_time_unix_nano > span.start_time_unix_nano);
    let service_name = span
        .resource
        .iter()
        .find(|attribute| attribute.key == "service.name");
    assert!(format!("{service_name:?}").contains("behaviour"));
}

#[actix_web::test]
async fn unknown_method_is_kept_beside_other() {
    let service = Service::start(|tracing| App::new().wrap(tracing).configure(routes));
    let brew = Method::from_bytes(b"BREW").unwrap();
    service.request(brew, "/any").send().await.unwrap();
    let spans = service.spans(1).await;
    assert_eq!(spans[0].tag("http.request.method"), Some("_OTHER".into()));
    assert_eq!(
        spans[0].tag("http.request.method_original"),
        Some("BREW".into())
    );
}

#[actix_web::test]
async fn a_default_service_has_no_route() {
    let service = Service::start(|tracing| {
        App::new()
            .wrap(tracing)
            .configure(routes)
            .default_service(web::to(|| async { "anything else" }))
    });
    assert_eq!(service.get("/nowhere").await, (200, "anything else".into()));
    let spans = service.spans(1).await;
    assert_eq!((&*spans[0].name, spans[0].tag("http.route")), ("GET", None));
}

#[actix_web::test]
async fn requests_on_one_connection_are_traces_of_their_own() {
    let service = Service::start(|tracing| App::new().wrap(tracing).configure(routes));
    let mut connection = service.send("").await;
    for (path, status) in [
        ("/", "200"),
        ("/empty", "200"),
        ("/fails/500", "500"),
        ("/answers/204", "204"),
    ] {
        connection
            .write_all(format!("GET {path} HTTP/1.1\r\nhost: shop\r\n\r\n").as_bytes())
            .await
            .unwrap();
        let mut answer = vec![0; 1024];
        let length = connection.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
    let spans = service.spans(4).await;
    let mut traces: Vec<_> = spans.iter().map(|span| span.trace()).collect();
    traces.sort();
    traces.dedup();
    assert_eq!(traces.len(), 4);
}

#[actix_web::test]
async fn what_the_application_says_of_an_error_stands() {
    #[get("/pay")]
    #[traced_handler]
    #[biz_attrs(error.r#type = "card_declined")]
    async fn pay() -> HttpResponse {
        Context::current()
            .span()
            .set_status(Status::error("card declined"));
        HttpResponse::InternalServerError().finish()
    }

    let capture = Capture::new();
    capture
        .scope(async {
            let app = init_service(App::new().wrap(RequestTracing::default()).service(pay)).await;
            call_service(&app, TestRequest::with_uri("/pay").to_request()).await;
        })
        .await;
    let span = capture.span("GET /pay");
    assert_eq!(span.status(), Status::error("card declined"));
    span.assert_tag("error.type", "card_declined")
        .assert_tag("http.response.status_code", 500);
}

#[actix_web::test]
async fn tags_of_a_handler_do_not_push_out_what_a_request_is_found_by() {
    let capture = Capture::new();
    let busy = web::get().to(|| async {
        for number in 0..200 {
            biztrace::current().set(&*format!("tag.{number}"), &number);
        }
        HttpResponse::InternalServerError().finish()
    });
    capture
        .scope(async {
            let app = App::new().wrap(RequestTracing::default());
            let app = init_service(app.route("/busy/{id}", busy)).await;
            let request = TestRequest::get().uri("/busy/7").to_request();
            let response = call_service(&app, request).await;
            let _ = actix_web::body::to_bytes(response.into_body()).await;
        })
        .await;
    let span = capture.span("GET /busy/{id}");
    span.assert_tag("http.response.status_code", 500)
        .assert_tag("error.type", "500")
        .assert_tag("http.route", "/busy/{id}");
    assert!(span.data().dropped_attributes_count > 0);
}
