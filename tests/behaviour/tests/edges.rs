//! What is easily overlooked: values that panic, contexts that are locked, requests that are skipped, routes that are guessed.

use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, Waker};

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::Service;
use actix_web::http::header::HeaderName;
use actix_web::test::{TestRequest, call_and_read_body, call_service, init_service};
use actix_web::{App, Error, HttpRequest, HttpResponse, get, web};
use biztrace::actix::RequestTracing;
use biztrace::opentelemetry::Context;
use biztrace::opentelemetry::trace::{Status, TraceContextExt};
use biztrace::testing::Capture;
use biztrace::{biz_attrs, traced, traced_handler};

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut TaskContext::from_waker(Waker::noop()))
}

fn names(capture: &Capture) -> Vec<String> {
    capture
        .spans()
        .iter()
        .map(|span| span.name().to_owned())
        .collect()
}

fn missing() -> u64 {
    panic!("a value that panics, as this test wants it")
}

#[traced(attrs(order.id = missing()))]
fn bad_value() {}

#[traced]
fn clean() {}

#[test]
fn a_value_that_panics_ends_its_span_and_leaves_nothing_to_the_next() {
    #[traced_handler]
    #[biz_attrs(order.id = missing())]
    async fn stand_alone(request: HttpRequest) -> String {
        request.path().to_owned()
    }

    let capture = Capture::new();
    capture.scope_sync(|| {
        assert!(catch_unwind(bad_value).is_err());
        let request = TestRequest::with_uri("/of/another/tenant").to_http_request();
        let mut handler = Box::pin(stand_alone(request));
        assert!(catch_unwind(AssertUnwindSafe(|| poll_once(handler.as_mut()).is_ready())).is_err());
        clean();
    });
    assert_eq!(capture.report().waiting + capture.report().delivered, 3);
    capture
        .span("bad_value")
        .assert_error()
        .assert_tag("error.type", "panic");
    let clean = capture.span("clean");
    clean
        .assert_no_error()
        .assert_no_tag("url.path")
        .assert_no_tag("error.type");
}

#[traced]
async fn sibling() {
    pending::<()>().await;
}

#[traced]
async fn panics() {
    panic!("as this test wants it");
}

#[test]
fn a_panic_is_of_the_span_that_it_went_through_alone() {
    let capture = Capture::new();
    capture.scope_sync(|| {
        let mut both = Box::pin(async {
            let (mut a, mut b) = (Box::pin(sibling()), Box::pin(panics()));
            poll_fn(|cx| {
                let _ = a.as_mut().poll(cx);
                b.as_mut().poll(cx)
            })
            .await;
        });
        assert!(catch_unwind(AssertUnwindSafe(|| poll_once(both.as_mut()).is_ready())).is_err());
    });
    capture
        .span("panics")
        .assert_error()
        .assert_tag("biztrace.outcome", "panicked");
    capture
        .span("sibling")
        .assert_no_error()
        .assert_tag("biztrace.outcome", "cancelled");
}

/// An error whose text takes a traced function to make.
#[derive(Debug)]
struct Explained;

impl std::fmt::Display for Explained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        clean();
        f.write_str("explained")
    }
}

impl std::error::Error for Explained {}

#[traced]
fn fails() {
    // The API formats the error with the lock of the current span held.
    Context::current().span().record_error(&Explained);
}

#[test]
fn an_error_whose_text_is_traced_blocks_nobody() {
    let capture = Capture::new();
    capture.scope_sync(fails);
    let fails = capture.span("fails");
    assert_eq!(fails.events().collect::<Vec<_>>(), ["exception"]);
    capture.span("clean").assert_child_of(&fails);
}

/// A stream that makes a span for each of its two chunks.
struct Chunks(usize);

#[traced]
fn chunk() -> web::Bytes {
    web::Bytes::from_static(b"chunk")
}

impl MessageBody for Chunks {
    type Error = Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<web::Bytes, Error>>> {
        let left = self.0.checked_sub(1);
        Poll::Ready(left.map(|left| {
            self.0 = left;
            Ok(chunk())
        }))
    }
}

#[actix_web::test]
async fn the_body_of_a_request_that_is_not_recorded_is_not_recorded_either() {
    let capture = Capture::new();
    let unsampled = (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
    );
    capture
        .scope(async {
            let stream = || web::get().to(|| async { HttpResponse::Ok().body(Chunks(2)) });
            let app = App::new().wrap(RequestTracing::default());
            let app = init_service(app.route("/health", stream()).route("/stream", stream())).await;
            for request in [
                TestRequest::with_uri("/health"),
                TestRequest::with_uri("/stream").insert_header(unsampled),
                TestRequest::with_uri("/stream"),
            ] {
                call_and_read_body(&app, request.to_request()).await;
            }
        })
        .await;
    assert_eq!(names(&capture), ["chunk", "chunk", "GET /stream"]);
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
async fn a_handler_with_the_request_tells_its_route_although_it_serves_several() {
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
            let mut abandoned = Box::pin(app.call(TestRequest::with_uri("/v2").to_request()));
            assert!(poll_once(abandoned.as_mut()).is_pending());
        })
        .await;
    capture.span("GET /v1").assert_no_tag("biztrace.outcome");
    capture
        .span("GET /v2")
        .assert_tag("http.route", "/v2")
        .assert_tag("biztrace.outcome", "cancelled");
}

#[actix_web::test]
async fn tags_find_the_headers_that_are_readable() {
    #[get("/copy/{id}")]
    #[traced_handler]
    #[biz_attrs(tenant.id = header("X-Tenant-Id"), app.version = header("x-app-version"), app.theme = query("theme"))]
    async fn copy() -> &'static str {
        "hello"
    }

    #[get("/request")]
    #[traced_handler]
    #[biz_attrs(app.version = header("x-app-version"))]
    async fn whole(_request: HttpRequest) -> &'static str {
        "hello"
    }

    let readable = ["x-tenant-id", "x-none", "x-tenant-id"].map(HeaderName::from_static);
    let capture = Capture::new();
    capture
        .scope(async {
            let tracing = RequestTracing::default().readable_headers(readable);
            let app = init_service(App::new().wrap(tracing).service((copy, whole))).await;
            for path in ["/copy/7?theme=dark", "/request"] {
                let request = TestRequest::with_uri(path)
                    .append_header(("x-tenant-id", "acme"))
                    .append_header(("x-app-version", "7"))
                    .append_header(("x-large", "x".repeat(20_000)));
                call_and_read_body(&app, request.to_request()).await;
            }
        })
        .await;
    capture
        .span("GET /copy/{id}")
        .assert_tag("tenant.id", "acme")
        .assert_tag("app.theme", "dark")
        .assert_no_tag("app.version");
    capture.span("GET /request").assert_tag("app.version", "7");
    let report = capture.report();
    assert_eq!(report.incomplete_heads, 0, "{report}");
}

#[actix_web::test]
async fn cookies_may_come_in_several_headers() {
    #[get("/")]
    #[traced_handler]
    #[biz_attrs(app.theme = cookie("theme"), app.locale = cookie("lang"), app.none = cookie("none"))]
    async fn index() -> &'static str {
        "hello"
    }

    let capture = Capture::new();
    capture
        .scope(async {
            let app = init_service(App::new().wrap(RequestTracing::default()).service(index)).await;
            let request = TestRequest::with_uri("/").append_header(("cookie", "a=1; theme=dark"));
            let request = request.append_header(("cookie", "lang=\"de\""));
            call_and_read_body(&app, request.to_request()).await;
        })
        .await;
    let span = capture.span("GET /");
    span.assert_tag("app.theme", "dark")
        .assert_tag("app.locale", "de")
        .assert_no_tag("app.none");
}

#[traced]
async fn around<F: Future>(future: F) -> F::Output {
    future.await
}

#[actix_web::test]
async fn an_instance_of_its_own_keeps_its_requests_below_a_span_of_another() {
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
    assert_eq!(
        (names(&outer), names(&own)),
        (vec!["around".to_owned()], vec!["GET /".to_owned()])
    );
    own.span("GET /").assert_child_of(&outer.span("around"));
}

/// A connection of a thread's pool, which is closed when the thread ends.
struct Connection;

impl Drop for Connection {
    fn drop(&mut self) {
        clean();
        biztrace::current().set("connection.closed", &true);
        biztrace::tag!(connection.closed = true);
    }
}

thread_local! {
    static CONNECTION: Connection = const { Connection };
}

/// Without a panic in a thread-local's destructor, which would end the process. On Linux, where they go in reverse order.
#[test]
#[cfg(target_os = "linux")]
fn traced_calls_in_an_ending_thread_are_not_recorded() {
    let capture = Capture::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Begun before the thread's first span, so gone after it.
            CONNECTION.with(|_| ());
            capture.scope_sync(clean);
        });
    });
    // A thread whose only traced call is that of its end.
    std::thread::spawn(|| CONNECTION.with(|_| ()))
        .join()
        .unwrap();
    assert_eq!(names(&capture), ["clean"]);
}
