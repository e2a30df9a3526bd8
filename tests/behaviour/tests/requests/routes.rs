//! A request has its route, also where no response tells it.

use std::future::pending;
use std::panic::AssertUnwindSafe;

use actix_web::body::MessageBody;
use actix_web::dev::{Service as _, ServiceResponse};
use actix_web::test::{TestRequest, call_and_read_body, init_service, read_body};
use actix_web::{App, Error, HttpRequest, error, guard, web};
use biztrace::actix::RequestTracing;
use biztrace::testing::{Capture, CapturedSpan};
use biztrace::traced_handler;
use futures_util::FutureExt;

/// What becomes of a request, by its path: it is answered, fails in a middleware of its scope, hangs or panics.
fn routes(config: &mut web::ServiceConfig) {
    let failing = web::scope("/admin")
        .wrap_fn(|_, _| async { Err::<ServiceResponse, Error>(error::ErrorUnauthorized("no")) })
        .route("/users/{id}", web::get().to(|| async { "never" }));
    config
        .service(failing)
        .route("/ok/{id}", web::get().to(|| async { "ok" }))
        .route("/hangs/{id}", web::get().to(pending::<&str>))
        .route("/panics/{id}", web::get().to(panics))
        .route("/late/{id}", web::get().to(pending::<&str>));
}

async fn panics() -> &'static str {
    panic!("as the test wants it")
}

/// Sends requests one after the other to one worker, each of which is given up where it hangs, and returns their spans.
async fn spans_of(paths: impl IntoIterator<Item = String>) -> Vec<CapturedSpan> {
    spans_in(routes, paths).await
}

async fn spans_in(
    routes: fn(&mut web::ServiceConfig),
    paths: impl IntoIterator<Item = String>,
) -> Vec<CapturedSpan> {
    let capture = Capture::new();
    let tracing = RequestTracing::default().tracer_provider(capture.tracer_provider());
    let app = init_service(App::new().wrap(tracing).configure(routes)).await;
    for path in paths {
        let request = TestRequest::get().uri(&path).to_request();
        let response = AssertUnwindSafe(app.call(request));
        match response.catch_unwind().now_or_never() {
            Some(Ok(Ok(response))) => drop(read_body(response.map_into_boxed_body()).await),
            Some(Ok(Err(error))) => drop(error.error_response().into_body().try_into_bytes()),
            Some(Err(_)) | None => {}
        }
    }
    capture.spans()
}

fn assert_route(span: &CapturedSpan, route: &'static str) {
    assert_eq!(span.name(), format!("GET {route}"));
    span.assert_tag("http.route", route);
}

#[actix_web::test]
async fn first_requests_of_a_worker_have_their_routes() {
    for (path, route) in [
        ("/admin/users/7", "/admin/users/{id}"),
        ("/hangs/7", "/hangs/{id}"),
        ("/panics/7", "/panics/{id}"),
    ] {
        let spans = spans_of([path.to_owned()]).await;
        assert_eq!(spans.len(), 1);
        assert_route(&spans[0], route);
    }
}

#[actix_web::test]
async fn request_that_no_other_one_went_before_has_its_route() {
    let others = (0..300).map(|id| format!("/ok/{id}"));
    let spans = spans_of(others.chain(["/late/1".to_owned()])).await;
    assert_route(&spans[300], "/late/{id}");
}

#[actix_web::test]
async fn path_without_a_route_has_none() {
    let spans = spans_of(["/admin/nobody", "/nowhere"].map(str::to_owned)).await;
    for span in &spans {
        span.assert_no_tag("http.route");
    }
    assert_eq!(spans.len(), 2);
}

#[actix_web::test]
async fn handler_of_several_routes_tells_the_one_that_matched() {
    #[traced_handler]
    async fn versions(request: HttpRequest) -> String {
        if request.path() == "/v2" {
            pending::<()>().await;
        }
        request.path().to_owned()
    }

    let capture = Capture::new();
    capture
        .scope(async {
            let app = App::new().wrap(RequestTracing::default());
            let app = app
                .route("/v1", web::get().to(versions))
                .route("/v2", web::get().to(versions));
            let app = init_service(app).await;
            call_and_read_body(&app, TestRequest::with_uri("/v1").to_request()).await;
            let abandoned = app.call(TestRequest::with_uri("/v2").to_request());
            assert!(abandoned.now_or_never().is_none());
        })
        .await;
    capture.span("GET /v1").assert_no_tag("biztrace.outcome");
    capture
        .span("GET /v2")
        .assert_tag("http.route", "/v2")
        .assert_tag("biztrace.outcome", "cancelled");
}

/// Guards that a path does not tell, names that nested scopes share, several patterns, a default, and a route of all paths.
fn odd_routes(config: &mut web::ServiceConfig) {
    let www = web::resource("/{page}").guard(guard::Host("www"));
    let user = web::resource(["/u/{id}", "/user/{id}"]);
    config
        .service(www.to(pending::<&str>))
        .route("/orders", web::get().to(panics_when_asked))
        .service(user.to(pending::<&str>))
        .service(web::scope("/api").default_service(web::to(pending::<&str>)))
        .route("/files/private/{id}", web::get().to(pending::<&str>))
        .route("/files/{tail}*", web::get().to(|| async { "ok" }))
        .route("/ä/{id}", web::get().to(pending::<&str>))
        .service(web::scope("/{id}").route("/items/{id}", web::get().to(|| async { "ok" })));
}

async fn panics_when_asked(request: HttpRequest) -> &'static str {
    assert_ne!(request.query_string(), "panic", "as the test wants it");
    "ok"
}

#[actix_web::test]
async fn route_is_that_of_the_applications_own_map() {
    let files = (0..300).map(|id| format!("/files/{id}"));
    let hang = [
        "/files/private/7",
        "/user/7",
        "/%66iles/private/8",
        "/%C3%A4/1",
        "/api/nothing",
    ];
    let spans = spans_in(odd_routes, files.chain(hang.map(str::to_owned))).await;
    assert_route(&spans[300], "/files/private/{id}");
    assert_route(&spans[301], "/u/{id}");
    assert_route(&spans[302], "/files/private/{id}");
    spans[304].assert_no_tag("http.route");
}

#[actix_web::test]
async fn route_that_guards_decide_on_is_left_out_once_that_is_known() {
    let paths = ["/orders", "/orders?panic"].map(str::to_owned);
    let spans = spans_in(odd_routes, paths).await;
    assert_route(&spans[0], "/orders");
    // By the path alone it would be `/{page}`.
    spans[1].assert_no_tag("http.route");
}

#[actix_web::test]
async fn scopes_that_share_the_name_of_a_parameter_are_served() {
    let spans = spans_in(odd_routes, (0..300).map(|id| format!("/{id}/items/1"))).await;
    assert_eq!(spans.len(), 300);
    spans
        .iter()
        .for_each(|span| assert_route(span, "/{id}/items/{id}"));
}
