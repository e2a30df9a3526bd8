//! Annotated handlers: what they name goes on their request's SERVER span, with its type.

use std::fmt::Display;

use actix_web::{App, Error, HttpRequest, HttpResponse, Responder, error, get, post, web};
use behaviour::{Service, is_child};
use biztrace::{Value, biz_attrs, traced_handler};
use futures_util::StreamExt;
use opentelemetry::{StringValue, Value as Sent};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
struct Order {
    amount: f64,
    items: Vec<String>,
    gift: bool,
    coupon: Option<String>,
    card: String,
}

#[post("/orders/{id}")]
#[traced_handler]
#[biz_attrs(
    order.id = *id,
    order.amount = body.amount,
    order.items = body.items,
    order.gift = body.gift,
    order.coupon = body.coupon,
    order.type = if body.amount > 100.0 { "large" } else { "small" },
    tenant.id = header("x-tenant-id"),
    app.page = query("page"),
    app.lang = cookie("lang"),
)]
async fn create(id: web::Path<u64>, body: web::Json<Order>) -> impl Responder {
    HttpResponse::Created().body(format!("order {id} paid by {}", body.card))
}

#[traced_handler]
#[biz_attrs(order.id = *id)]
#[get("/above/{id}")]
async fn above(id: web::Path<u64>) -> String {
    id.to_string()
}

#[biz_attrs(order.id = *id)]
#[get("/around/{id}")]
#[traced_handler]
async fn around(id: web::Path<u64>) -> Result<String, Error> {
    Ok(id.to_string())
}

#[derive(Deserialize)]
struct Line {
    id: i32,
    name: String,
}

#[get("/destructured")]
#[traced_handler]
#[biz_attrs(order.id = id, order.name = name)]
async fn destructured(
    web::Query(Line { id, mut name }): web::Query<Line>,
    mut request: HttpRequest,
) -> HttpResponse {
    name.insert(0, '!');
    request = request.clone();
    HttpResponse::Ok().body(format!("{}{id}{name}", request.path()))
}

#[post("/stream")]
#[traced_handler]
#[biz_attrs(tenant.id = header("X-Tenant-Id"), app.lang = cookie("lang"), app.page = query("page"))]
async fn stream(request: HttpRequest, mut payload: web::Payload) -> Result<String, Error> {
    let mut bytes = 0;
    while let Some(chunk) = payload.next().await {
        bytes += chunk?.len();
    }
    Ok(format!("{bytes} to {}", request.path()))
}

#[traced_handler]
#[biz_attrs(app.value = value.as_ref())]
async fn generic<T>(value: web::Path<T>) -> String
where
    T: DeserializeOwned + Display + Value + 'static,
{
    value.to_string()
}

#[get("/asks/{name}")]
#[traced_handler]
async fn asks(name: web::Path<String>) -> String {
    lends(&name).await.to_owned()
}

#[traced_handler]
#[biz_attrs(app.name = name)]
async fn lends<'a>(name: &'a str) -> &'a str {
    name.trim_start_matches('_')
}

#[get("/below/{id}")]
#[traced_handler(child)]
#[biz_attrs(order.id = *id)]
async fn below(id: web::Path<u8>) -> Result<String, Error> {
    match *id {
        0 => Err(error::ErrorBadRequest("secret details")),
        id => Ok(id.to_string()),
    }
}

/// Not a handler: it tags the span that it finds.
#[biz_attrs(order.priced = true)]
fn price() {}

#[get("/careless/{number}")]
#[traced_handler]
#[biz_attrs(app.share = 100 / *number)]
async fn careless(number: web::Path<u64>) -> String {
    number.to_string()
}

#[get("/tagged")]
#[traced_handler]
#[biz_attrs(order.priced = false)]
async fn tagged() -> HttpResponse {
    price();
    HttpResponse::Ok().finish()
}

fn service() -> Service {
    Service::start(|tracing| {
        App::new()
            .wrap(tracing)
            .service((
                create,
                above,
                around,
                destructured,
                stream,
                asks,
                below,
                careless,
                tagged,
            ))
            .route("/generic/{value}", web::get().to(generic::<i64>))
    })
}

#[actix_web::test]
async fn tags_keep_their_types() {
    let service = service();
    let request = service
        .request(reqwest::Method::POST, "/orders/7?page=2&x=%20")
        .header("content-type", "application/json")
        .header("x-tenant-id", "acme")
        .header("cookie", "a=b; lang=\"de\"; lang2=fr")
        .body(r#"{"amount": 120.5, "items": ["cup", "tea"], "gift": true, "coupon": null, "card": "4111"}"#);
    assert_eq!(request.send().await.unwrap().status(), 201);
    let spans = service.spans(1).await;
    let span = spans.server();
    let expected: [(&str, Sent); 9] = [
        ("order.id", 7.into()),
        ("order.amount", 120.5.into()),
        (
            "order.items",
            Sent::Array(["cup", "tea"].map(StringValue::from).to_vec().into()),
        ),
        ("order.gift", true.into()),
        ("order.type", "large".into()),
        ("tenant.id", "acme".into()),
        ("app.page", "2".into()),
        ("app.lang", "de".into()),
        ("code.function.name", "requests::handlers::create".into()),
    ];
    for (key, value) in expected {
        assert_eq!(span.tag(key), Some(value), "{key}");
    }
    assert_eq!(span.tag("order.coupon"), None, "there was none");
    assert!(
        !format!("{span:?}").contains("4111"),
        "nobody named the card"
    );
    assert_eq!(span.name, "POST /orders/{id}");
}

#[actix_web::test]
async fn absent_values_are_left_out() {
    let service = service();
    let request = service
        .request(reqwest::Method::POST, "/stream?pages=2")
        .header("cookie", "langs=de");
    assert_eq!(
        request
            .body("12345")
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
        "5 to /stream"
    );
    let spans = service.spans(1).await;
    for key in ["tenant.id", "app.page", "app.lang"] {
        assert_eq!(spans[0].tag(key), None, "{key}");
    }
}

#[actix_web::test]
async fn a_handler_may_read_its_request_itself() {
    let service = service();
    let request = service.request(reqwest::Method::POST, "/stream?page=two%20three");
    let request = request
        .header("cookie", "lang=de")
        .header("x-tenant-id", "acme");
    request.body("").send().await.unwrap();
    let spans = service.spans(1).await;
    assert_eq!(spans[0].tag("tenant.id"), Some("acme".into()));
    assert_eq!(spans[0].tag("app.page"), Some("two three".into()));
    assert_eq!(spans[0].tag("app.lang"), Some("de".into()));
}

#[actix_web::test]
async fn handlers_of_every_shape_claim_the_span() {
    type Case = (
        &'static str,
        &'static str,
        &'static str,
        Vec<(&'static str, Sent)>,
    );
    let cases: [Case; 5] = [
        (
            "/above/7",
            "7",
            "requests::handlers::above",
            vec![("order.id", Sent::I64(7))],
        ),
        (
            "/around/7",
            "7",
            "requests::handlers::around",
            vec![("order.id", Sent::I64(7))],
        ),
        (
            "/destructured?id=-7&name=cup",
            "/destructured-7!cup",
            "requests::handlers::destructured",
            vec![("order.id", Sent::I64(-7)), ("order.name", "cup".into())],
        ),
        (
            "/generic/-3",
            "-3",
            "requests::handlers::generic",
            vec![("app.value", Sent::I64(-3))],
        ),
        (
            "/tagged",
            "",
            "requests::handlers::tagged",
            vec![("order.priced", Sent::Bool(true))],
        ),
    ];
    for (path, answer, function, tags) in cases {
        let service = service();
        assert_eq!(service.get(path).await, (200, answer.into()));
        let spans = service.spans(1).await;
        let span = spans.server();
        assert_eq!(span.tag("code.function.name"), Some(function.into()));
        for (key, value) in tags {
            assert_eq!(span.tag(key), Some(value), "{path}: {key}");
        }
    }
}

#[actix_web::test]
async fn the_second_handler_of_a_request_gets_a_child() {
    let service = service();
    assert_eq!(service.get("/asks/_me").await, (200, "me".into()));
    let spans = service.spans(2).await;
    let (server, child) = (spans.server(), spans.named("lends"));
    assert_eq!(
        server.tag("code.function.name"),
        Some("requests::handlers::asks".into())
    );
    assert_eq!(
        child.tag("code.function.name"),
        Some("requests::handlers::lends".into())
    );
    assert_eq!(
        (child.tag("app.name"), server.tag("app.name")),
        (Some("_me".into()), None)
    );
    assert_eq!(child.kind(), SpanKind::Internal);
    assert!(is_child(child, server));
}

#[actix_web::test]
async fn a_handler_may_ask_for_a_child_of_its_own() {
    for (path, response, outcome) in [
        ("/below/7", 200, StatusCode::Unset),
        ("/below/0", 400, StatusCode::Error),
    ] {
        let service = service();
        assert_eq!(service.get(path).await.0, response);
        let spans = service.spans(2).await;
        let (server, child) = (spans.server(), spans.named("below"));
        assert!(is_child(child, server));
        assert_eq!(
            (server.tag("order.id"), server.tag("code.function.name")),
            (None, None)
        );
        assert!(child.tag("order.id").is_some());
        assert_eq!(
            (child.outcome().0, server.outcome().0),
            (outcome, StatusCode::Unset)
        );
        let error_type =
            (outcome == StatusCode::Error).then(|| "actix_web::error::error::Error".into());
        assert_eq!(child.tag("error.type"), error_type);
    }
}

#[actix_web::test]
async fn panic_in_a_value_fails_its_handler_and_spares_the_next() {
    let service = service();
    assert!(
        service
            .request(reqwest::Method::GET, "/careless/0")
            .send()
            .await
            .is_err()
    );
    assert_eq!(service.get("/careless/5").await, (200, "5".into()));
    let spans = service.spans(2).await;
    let panicked = spans
        .iter()
        .find(|span| span.tag("url.path") == Some("/careless/0".into()));
    assert_eq!(
        panicked.and_then(|span| span.tag("biztrace.outcome")),
        Some("panicked".into())
    );
    assert!(
        spans
            .iter()
            .any(|span| span.tag("app.share") == Some(20.into()))
    );
}

#[actix_web::test]
async fn an_extractor_that_fails_leaves_the_span_unclaimed() {
    let service = service();
    assert_eq!(service.get("/above/seven").await.0, 404);
    let spans = service.spans(1).await;
    assert_eq!(
        (&*spans[0].name, spans[0].tag("code.function.name")),
        ("GET /above/{id}", None)
    );
}

#[actix_web::test]
async fn a_handler_can_be_called_like_any_function() {
    assert_eq!(generic(web::Path::from(7)).await, "7");
    assert_eq!(lends("_me").await, "me");
}
