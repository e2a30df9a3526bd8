//! How the middleware is put into an app, and what it can be told.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, call_and_read_body, init_service, try_call_service};
use actix_web::{App, Error, HttpResponse, error, get, web};
use behaviour::{Instance, Service, TRACEPARENT};
use biztrace::actix::RequestTracing;
use biztrace::testing::Capture;
use biztrace::traced;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

#[get("/orders/{id}")]
async fn order(id: web::Path<u64>) -> String {
    step().await;
    format!("order {id}")
}

#[traced]
async fn step() {}

async fn forbid(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    match request.path() {
        "/forbidden" => Err(error::ErrorForbidden("no")),
        _ => next.call(request).await,
    }
}

#[actix_web::test]
async fn layers_of_tracing_make_one_span() {
    let service = Service::start(|tracing| {
        let inner = web::scope("/inner").wrap(tracing.clone()).service(order);
        App::new()
            .service(inner)
            .wrap(tracing.clone())
            .wrap(tracing)
    });
    assert_eq!(service.get("/inner/orders/7").await.0, 200);
    let spans = service.spans(2).await;
    assert_eq!(spans.server().name, "GET /inner/orders/{id}");
}

#[actix_web::test]
async fn a_scope_can_be_traced_alone() {
    let service = Service::start(|tracing| {
        let traced = web::scope("/traced").wrap(tracing).service(order);
        App::new().service(traced).service(order)
    });
    assert_eq!(service.get_traced("/orders/7", TRACEPARENT).await.0, 200);
    assert_eq!(
        service.get_traced("/traced/orders/7", TRACEPARENT).await.0,
        200
    );
    let spans = service.spans(2).await;
    assert_eq!(spans.server().name, "GET /traced/orders/{id}");
    assert_eq!(spans.server().parent(), "b7ad6b7169203331");
}

#[actix_web::test]
async fn a_span_is_named_by_the_hook_unless_that_has_no_opinion() {
    let service = Service::start(|tracing| {
        let tracing = tracing.span_name(|request| {
            let id = request.match_info().get("id")?;
            (id == "7")
                .then(|| format!("the order {}", request.match_pattern().unwrap_or_default()))
        });
        App::new().wrap(tracing).service(order)
    });
    for path in ["/orders/7", "/orders/8", "/"] {
        service.get(path).await;
    }
    let spans = service.spans(5).await;
    for name in ["the order /orders/{id}", "GET /orders/{id}", "GET"] {
        assert_eq!(spans.named(name).kind(), SpanKind::Server);
    }
}

#[actix_web::test]
async fn the_test_service_of_actix_is_traced_like_a_server() {
    let instance = Instance::default();
    let app = App::new()
        .service(order)
        .wrap(from_fn(forbid))
        .wrap(instance.tracing());
    let app = init_service(app).await;
    let request = TestRequest::get().uri("/orders/7").to_request();
    assert_eq!(call_and_read_body(&app, request).await, "order 7");
    let request = TestRequest::get().uri("/forbidden").to_request();
    let result = try_call_service(&app, request).await;
    assert!(result.is_err(), "the error goes on to actix");
    let spans = instance.spans(3).await;
    for (name, status) in [("GET /orders/{id}", 200), ("GET", 403)] {
        assert_eq!(
            spans.named(name).tag("http.response.status_code"),
            Some(status.into())
        );
    }
}

#[traced]
async fn around<F: Future>(future: F) -> F::Output {
    future.await
}

#[actix_web::test]
async fn request_is_recorded_by_its_own_instance_below_another() {
    let (outer, own) = (Capture::new(), Capture::new());
    let tracing = RequestTracing::default().tracer_provider(own.tracer_provider());
    let request = async {
        let app = init_service(
            App::new()
                .wrap(tracing)
                .route("/", web::get().to(HttpResponse::Ok)),
        )
        .await;
        call_and_read_body(&app, TestRequest::with_uri("/").to_request()).await;
    };
    outer.scope(around(request)).await;
    assert_eq!((outer.spans().len(), own.spans().len()), (1, 1));
    own.span("GET /").assert_child_of(&outer.span("around"));
}
