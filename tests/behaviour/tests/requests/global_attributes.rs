//! Tags for all handlers at once: what `RequestTracing` is told to set, and the builder's static ones.

use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, HttpMessage, HttpRequest, HttpResponse, error, get, web};
use behaviour::{Instance, Service, is_child};
use biztrace::actix::RequestTracing;
use biztrace::settings::Sampler;
use biztrace::{Telemetry, biz_attrs, current, traced, traced_handler};
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanKind, Tracer as _};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

#[derive(Clone)]
struct Tier(&'static str);

#[get("/orders/{id}")]
#[traced_handler]
#[biz_attrs(order.id = *id, app.set_by = "the handler")]
async fn order(id: web::Path<u64>, request: HttpRequest) -> HttpResponse {
    request.extensions_mut().insert(Tier("gold"));
    let mut response = match *id {
        0 => HttpResponse::ServiceUnavailable(),
        _ => HttpResponse::Ok(),
    };
    response.insert_header(("x-cache", "hit")).body("order")
}

#[get("/panics")]
async fn panics() -> &'static str {
    panic!("as this test wants it")
}

fn header<'a>(request: &'a ServiceRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

fn tagging(tracing: RequestTracing) -> RequestTracing {
    tracing
        .on_request(|request, tags| {
            tags.set("tenant.id", &header(request, "x-tenant-id"));
            tags.set("app.set_by", "the first");
            tags.set("app.path", request.path());
        })
        .on_request(|_, tags| {
            tags.set("app.set_by", "the second");
            tags.set("app.second", &true);
            current().set("app.within", &true);
        })
        .on_response(|response, tags| {
            let tier = response.request().extensions().get::<Tier>().cloned();
            tags.set("user.tier", &tier.map(|tier| tier.0));
            tags.set("app.status", &response.status().as_u16());
            tags.set("app.route", &response.request().match_pattern());
            let cache = response.headers().get("x-cache");
            tags.set("app.cache", &cache.and_then(|value| value.to_str().ok()));
            tags.set("app.set_by", "the response");
            looked_up();
        })
        .on_response(|_, tags| tags.set("app.last", &true))
}

#[traced]
fn looked_up() {}

async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    match request.path() {
        "/orders/13" => Err(error::ErrorForbidden("unlucky")),
        _ => next.call(request).await,
    }
}

fn service(tracing: impl Fn(RequestTracing) -> RequestTracing + Send + Clone + 'static) -> Service {
    Service::start(move |untold| {
        App::new()
            .wrap(from_fn(guard))
            .wrap(tracing(untold))
            .service(order)
            .service(panics)
    })
}

#[actix_web::test]
async fn each_request_is_tagged_before_its_handler_and_after_it() {
    for (path, status, outcome) in [
        ("/orders/7", 200, StatusCode::Unset),
        ("/orders/0", 503, StatusCode::Error),
    ] {
        let service = service(tagging);
        let request = service.request(reqwest::Method::GET, path);
        let response = request.header("x-tenant-id", "berlin").send().await;
        assert_eq!(response.unwrap().text().await.unwrap(), "order");
        let spans = service.spans(2).await;
        let span = spans.server();
        for (key, value) in [
            ("tenant.id", "berlin"),
            ("user.tier", "gold"),
            ("app.path", path),
            ("app.route", "/orders/{id}"),
            ("app.cache", "hit"),
            ("app.set_by", "the response"),
        ] {
            assert_eq!(span.tag(key), Some(value.into()), "{key}");
        }
        for key in ["app.second", "app.within", "app.last"] {
            assert_eq!(span.tag(key), Some(true.into()), "{key}");
        }
        assert_eq!(span.tag("app.status"), Some(i64::from(status).into()));
        assert_eq!(span.outcome().0, outcome);
        assert!(
            is_child(spans.named("looked_up"), span),
            "they run under the span"
        );
    }
}

#[actix_web::test]
async fn a_request_without_a_response_has_the_tags_from_before() {
    for (path, outcome) in [("/orders/13", None), ("/panics", Some("panicked"))] {
        let service = service(tagging);
        let _ = service.request(reqwest::Method::GET, path).send().await;
        let spans = service.spans(1).await;
        let span = spans.server();
        assert_eq!(span.tag("app.second"), Some(true.into()), "{path}");
        assert_eq!(span.tag("app.last"), None, "{path}");
        assert_eq!(span.tag("biztrace.outcome"), outcome.map(Into::into));
    }
}

#[actix_web::test]
async fn a_request_that_none_routes_to_is_tagged_too() {
    let service = service(tagging);
    assert_eq!(service.get("/nowhere").await.0, 404);
    let spans = service.spans(2).await;
    let span = spans.server();
    assert_eq!(span.tag("app.path"), Some("/nowhere".into()));
    assert_eq!(span.tag("app.status"), Some(404.into()));
    assert_eq!((span.tag("app.route"), span.tag("user.tier")), (None, None));
}

#[actix_web::test]
async fn a_panic_in_a_closure_ends_the_span_as_one_in_middleware_does() {
    let before =
        |tracing: RequestTracing| tracing.on_request(|_, _| panic!("as this test wants it"));
    let after =
        |tracing: RequestTracing| tracing.on_response(|_, _| panic!("as this test wants it"));
    let services = [
        service(before),
        service(after),
        service(|tracing| tracing.on_request(|_, tags| tags.set("app.value", &Panics))),
    ];
    for service in services {
        let _ = service
            .request(reqwest::Method::GET, "/orders/7")
            .send()
            .await;
        let spans = service.spans(1).await;
        let span = spans.server();
        assert_eq!(span.tag("biztrace.outcome"), Some("panicked".into()));
        assert_eq!(span.outcome().0, StatusCode::Error);
    }
}

struct Panics;

impl biztrace::Value for Panics {
    fn encode(&self, _: biztrace::value::Encoder<'_>) {
        panic!("as this test wants it")
    }
}

#[actix_web::test]
async fn a_request_that_is_not_recorded_is_not_looked_at() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let unsampled = Instance::new(|settings| settings.sampler(Sampler::always_off()));
    let service = Service::recording_to(unsampled, |tracing| {
        let count = || {
            CALLS.fetch_add(1, Ordering::Relaxed);
        };
        let tracing = tracing.on_request(move |_, _| count());
        let tracing = tracing.on_response(move |_, _| count());
        App::new().wrap(tracing).service(order)
    });
    assert_eq!(service.get("/orders/7").await.0, 200);
    service.spans(0).await;
    assert_eq!(CALLS.load(Ordering::Relaxed), 0);
}

#[actix_web::test]
async fn static_tags_are_on_each_request_and_on_each_first_span() {
    let instance = Instance::new(|settings| {
        settings
            .default_tags([
                KeyValue::new("env.region", "eu"),
                KeyValue::new("env.zone", 1),
            ])
            .default_tags([
                KeyValue::new("env.zone", 2),
                KeyValue::new("app.set_by", "the builder"),
            ])
    });
    let tracer = instance.tracer();
    let service = Service::recording_to(instance, |tracing| {
        App::new().wrap(tracing).service(order).service(looks_up)
    });
    service.get("/orders/7").await;
    service.get("/looks-up").await;
    tracer.in_span("job", |_| {
        looked_up();
        drop(
            tracer
                .span_builder("request within")
                .with_kind(SpanKind::Server)
                .start(&tracer),
        );
    });
    let spans = service.spans(6).await;
    for name in ["GET /orders/{id}", "GET /looks-up", "job", "request within"] {
        let span = spans.named(name);
        assert_eq!(span.tag("env.region"), Some("eu".into()), "{name}");
        assert_eq!(span.tag("env.zone"), Some(2.into()), "{name}");
    }
    assert_eq!(
        spans.named("GET /orders/{id}").tag("app.set_by"),
        Some("the handler".into()),
        "what a request sets itself goes before"
    );
    for child in spans.iter().filter(|span| span.name == "looked_up") {
        assert_eq!(child.tag("env.region"), None, "it is in the root");
    }
}

#[get("/looks-up")]
async fn looks_up() -> &'static str {
    looked_up();
    "found"
}

#[test]
fn a_static_tag_without_a_name_is_an_error_that_says_so() {
    let error = Telemetry::builder()
        .default_tags([KeyValue::new("", "eu")])
        .build()
        .expect_err("no name");
    assert!(
        error.to_string().contains("TelemetryBuilder::default_tags"),
        "{error}"
    );
}
